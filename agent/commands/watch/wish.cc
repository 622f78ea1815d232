#include "agent/commands/watch/wish.h"

#include <algorithm>
#include <utility>

namespace tcpmibd::agent {

namespace {

constexpr std::size_t kMostFilter = 60;  // octets

Wish with_view(Wish wish, std::string_view word) {
  wish.word = word;
  wish.order = {};
  wish.first = 0;
  wish.now = true;
  return wish;
}

// One character of UTF-8 may be several octets.
void erase_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
    text.pop_back();
  if (!text.empty())
    text.pop_back();
}

Wish type(Wish wish, const Key& key) {
  switch (key.name) {
    case KeyName::kEscape:
      wish.filter.clear();
      wish.typing = false;
      break;
    case KeyName::kEnter:
      wish.typing = false;
      break;
    case KeyName::kBackspace:
      erase_character(wish.filter);
      break;
    case KeyName::kCharacter:
      if (wish.filter.size() < kMostFilter)
        wish.filter += key.character;
      break;
    default:
      break;
  }
  wish.first = 0;
  return wish;
}

// From what hurts through what changes to the columns, and back.
LiveOrder next_order(LiveOrder order, std::size_t columns, bool forward) {
  using By = LiveOrder::By;
  const std::size_t places = columns + 2;
  const std::size_t place = order.by == By::kBadness  ? 0
                            : order.by == By::kChange ? 1
                                                      : order.column + 2;
  const std::size_t next = (place + (forward ? 1 : places - 1)) % places;
  if (next < 2)
    return {.by = next == 0 ? By::kBadness : By::kChange};
  return {.by = By::kColumn, .column = next - 2};
}

Wish scroll(Wish wish, std::ptrdiff_t by, const OnScreen& seen) {
  const auto most =
      static_cast<std::ptrdiff_t>(seen.rows > seen.height ? seen.rows - seen.height : 0);
  const auto first = static_cast<std::ptrdiff_t>(std::min<std::size_t>(wish.first, seen.rows));
  wish.first = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(first + by, 0, most));
  return wish;
}

Wish press_character(Wish wish, char character, const OnScreen& seen) {
  const auto* view = std::ranges::find(kLiveViews, character, &LiveView::key);
  if (view != std::end(kLiveViews))
    return with_view(std::move(wish), view->word);
  switch (character) {
    case 'q':
      wish.quit = true;
      break;
    case '?':
    case 'h':
      wish.help = !wish.help;
      break;
    case '/':
      wish.typing = true;
      break;
    case 'c':
      wish.order = {.by = LiveOrder::By::kChange};
      break;
    case 'w':
      wish.order = {};
      break;
    case 'r':
      wish.order.reversed = !wish.order.reversed;
      break;
    case ' ':
      wish.now = true;
      break;
    case 'j':
      return scroll(std::move(wish), 1, seen);
    case 'k':
      return scroll(std::move(wish), -1, seen);
    default:
      break;
  }
  return wish;
}

Wish press_named(Wish wish, KeyName name, const OnScreen& seen) {
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(seen.height, 1));
  const auto all = static_cast<std::ptrdiff_t>(seen.rows);
  switch (name) {
    case KeyName::kUp:
      return scroll(std::move(wish), -1, seen);
    case KeyName::kDown:
      return scroll(std::move(wish), 1, seen);
    case KeyName::kPageUp:
      return scroll(std::move(wish), -page, seen);
    case KeyName::kPageDown:
      return scroll(std::move(wish), page, seen);
    case KeyName::kHome:
      return scroll(std::move(wish), -all, seen);
    case KeyName::kEnd:
      return scroll(std::move(wish), all, seen);
    case KeyName::kLeft:
    case KeyName::kRight:
      wish.order = next_order(wish.order, seen.columns, name == KeyName::kRight);
      break;
    case KeyName::kEscape:
      wish.filter.clear();
      wish.help = false;
      break;
    default:
      break;
  }
  return wish;
}

}  // namespace

Wish press(Wish wish, const Key& key, const OnScreen& seen) {
  wish.now = false;
  if (wish.typing)
    return type(std::move(wish), key);
  if (key.name == KeyName::kCharacter)
    return press_character(std::move(wish), key.character, seen);
  return press_named(std::move(wish), key.name, seen);
}

}  // namespace tcpmibd::agent
