#include "agent/commands/watch/watch.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "agent/commands/watch/live.h"
#include "agent/commands/watch/terminal.h"
#include "agent/process/signals.h"

namespace tcpmibd::agent {

namespace {

// Two looks that are closer than this make no rates that anybody could use.
constexpr std::chrono::milliseconds kLeastBetween{500};

// The loop: looks, draws, and does what keys ask for.
class Watch {
 public:
  Watch(const Options& options, Live& live, Terminal& terminal)
      : live_(live), terminal_(terminal), interval_(*options.watch) {
    wish_.word = word_of(options);
  }

  static std::string_view word_of(const Options& options) {
    for (const LiveView& view : kLiveViews) {
      if (view.word == options.what)
        return view.word;
    }
    return kFirstLiveView;
  }

  void run() {
    while (!wish_.quit) {
      if (wish_.now || Clock::now() >= next_look_)
        look();
      draw();
      const Terminal::Event event = terminal_.wait(next_look_);
      wish_.now = false;
      wish_.quit = event.ended;
      if (event.key)
        wish_ = press(std::move(wish_), *event.key, seen_of(table_, wish_, terminal_.size()));
    }
  }

 private:
  // One that fails leaves what was seen before, with the reason: the next one may do better.
  void look() {
    const ScreenSize size = terminal_.size();
    if (const Status status = live_.look(wish_, size); !status) {
      host_.trouble = status.error().text();
    } else {
      take(size);
    }
    next_look_ = live_.next_look(interval_);
  }

  void take(const ScreenSize& size) {
    LiveHost host = live_.host();
    LiveTable table = live_.table(wish_, size);
    if (looked_ && host.at - host_.at >= kLeastBetween)
      host_before_ = std::move(host_);
    if (table_.word != table.word)
      table_before_.reset();
    else if (looked_)
      table_before_ = std::move(table_);
    host_ = std::move(host);
    table_ = std::move(table);
    looked_ = true;
  }

  void draw() {
    const ScreenSize size = terminal_.size();
    if (table_.is_page)
      table_ = live_.table(wish_, size);
    terminal_.draw(screen_lines({.host = host_,
                                 .host_before = host_before_ ? &*host_before_ : nullptr,
                                 .table = table_,
                                 .table_before = table_before_ ? &*table_before_ : nullptr,
                                 .wish = wish_,
                                 .interval = interval_},
                                size));
  }

  Live& live_;
  Terminal& terminal_;
  std::chrono::seconds interval_;
  Wish wish_{};
  Time next_look_{};
  bool looked_ = false;
  LiveHost host_{};
  LiveTable table_{};
  std::optional<LiveHost> host_before_;
  std::optional<LiveTable> table_before_;
};

// One that cannot look at all says so before the screen is taken.
Status watch_in_place(const Options& options, const Config& config, const ShowSources& sources,
                      bool colour) {
  if (options.what == "connections" && !options.process.empty())
    return failure(
        "watch the connections of one process: owners are looked up for what is on the screen; "
        "'show processes --watch' counts them");
  Live live(options, config, sources);
  const Wish first{.word = Watch::word_of(options)};
  if (Status status = live.look(first, {}); !status)
    return status;
  return Terminal::open(colour).map(
      [&](const std::unique_ptr<Terminal>& terminal) { Watch(options, live, *terminal).run(); });
}

// Whether somebody asks for an end before `until`.
bool ends_before(Signals& signals, Time until) {
  pollfd waiting{.fd = signals.descriptor(), .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  ::poll(&waiting, 1, static_cast<int>(std::max<long long>(left, 0)));
  const Signals::Wishes wishes = signals.take();
  return wishes.stop || wishes.hang_up;
}

Status watch_in_rounds(const Options& options, const Config& config, const ShowSources& sources,
                       const Writer& write, const Writer& remarks,
                       const std::function<void()>& round_ends) {
  block_signals();
  const Result<std::unique_ptr<Signals>> signals = Signals::open();
  if (!signals)
    return tl::unexpected(signals.error());
  const bool for_people = !options.json && !options.jsonl && !options.openmetrics;
  for (bool first = true;; first = false) {
    const Time began = Clock::now();
    if (!first && for_people)
      write("\n");
    const Result<std::string> said = show(options, config, sources, false, write);
    if (!said)
      return tl::unexpected(said.error());
    if (first)
      remarks(*said);
    round_ends();
    if (ends_before(**signals, began + *options.watch))
      return {};
  }
}

}  // namespace

Status watch(const Options& options, const Config& config, const ShowSources& sources,
             bool terminal, bool colour, const Writer& write, const Writer& remarks,
             const std::function<void()>& round_ends) {
  const bool for_programs =
      options.json || options.jsonl || options.openmetrics || options.prometheus;
  if (terminal && !for_programs)
    return watch_in_place(options, config, sources, colour);
  return watch_in_rounds(options, config, sources, write, remarks, round_ends);
}

}  // namespace tcpmibd::agent
