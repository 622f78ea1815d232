#include "agent/commands/watch/screen.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "agent/commands/text_table.h"
#include "agent/commands/watch/contains.h"
#include "base/printable.h"

namespace tcpmibd::agent {

namespace {

constexpr std::size_t kHeadLines =
    6;  // the views, the states, the rates, the verdict, none, headings
constexpr std::size_t kFootLines = 1;
constexpr const char* kNewMark = "+";
constexpr const char* kChangedMark = "*";

double seconds_between(Time earlier, Time later) {
  return std::chrono::duration<double>(later - earlier).count();
}

// "12/s", "0.5/s"; empty for none.
std::string rate_text(double events, double seconds) {
  if (seconds <= 0 || events <= 0)
    return "";
  const double rate = events / seconds;
  char text[32];
  std::snprintf(text, sizeof text, rate < 10 ? "%.1f/s" : "%.0f/s", rate);
  return text;
}

std::string signed_text(std::int64_t number) {
  return number == 0 ? "" : (number > 0 ? "+" : "") + std::to_string(number);
}

// ---- rows --------------------------------------------------------------------------------------

bool matches(const LiveRow& row, const std::string& filter) {
  return std::ranges::any_of(row.cells,
                             [&](const LiveCell& cell) { return contains(cell.text, filter); });
}

// A row of the table with the same one of before.
struct Pair {
  const LiveRow* row;
  const LiveRow* before;  // null: it was not there
};

std::int64_t difference(const Pair& pair, std::size_t column) {
  const auto& now = pair.row->cells[column].number;
  if (pair.before == nullptr || column >= pair.before->cells.size() ||
      pair.row->cells[column].drifts)
    return 0;
  const auto& then = pair.before->cells[column].number;
  return now && then ? *now - *then : 0;
}

std::int64_t change(const Pair& pair) {
  std::int64_t sum = 0;
  for (std::size_t column = 0; column < pair.row->cells.size(); ++column)
    sum += std::abs(difference(pair, column));
  return sum;
}

using Befores = std::map<std::string_view, const LiveRow*>;

Befores befores_of(const Scene& scene) {
  Befores befores;
  if (scene.table_before != nullptr) {
    for (const LiveRow& row : scene.table_before->rows)
      befores.emplace(row.key, &row);
  }
  return befores;
}

// Numbers the greatest first, texts in their order.
bool column_before(const Pair& a, const Pair& b, std::size_t column) {
  if (column >= a.row->cells.size())
    return false;
  const LiveCell& mine = a.row->cells[column];
  const LiveCell& other = b.row->cells[column];
  if (mine.number && other.number)
    return *mine.number > *other.number;
  return mine.text < other.text;
}

// Of rows that are equally bad, those that change stand first.
bool worse(const Pair& a, const Pair& b) {
  return std::pair(a.row->badness, change(a)) > std::pair(b.row->badness, change(b));
}

void sort(std::vector<Pair>& pairs, const LiveOrder& order) {
  const auto comes_first = [&](const Pair& a, const Pair& b) {
    switch (order.by) {
      case LiveOrder::By::kChange:
        return change(a) > change(b);
      case LiveOrder::By::kColumn:
        return column_before(a, b, order.column);
      case LiveOrder::By::kBadness:
        break;
    }
    return worse(a, b);
  };
  std::ranges::stable_sort(pairs, comes_first);
  if (order.reversed)
    std::ranges::reverse(pairs);
}

std::vector<Pair> pairs_of(const Scene& scene) {
  const Befores befores = befores_of(scene);
  std::vector<Pair> pairs;
  for (const LiveRow& row : scene.table.rows) {
    if (!scene.table.is_page && !matches(row, scene.wish.filter))
      continue;
    const auto before = befores.find(row.key);
    pairs.push_back({&row, before == befores.end() ? nullptr : before->second});
  }
  if (!scene.table.is_page)
    sort(pairs, scene.wish.order);
  return pairs;
}

// Those that the screen has room for.
std::span<const Pair> visible(const std::vector<Pair>& pairs, const Scene& scene,
                              std::size_t height) {
  const std::size_t scrolled = scene.table.is_page ? scene.table.first : 0;
  const std::size_t wanted = scene.wish.first > scrolled ? scene.wish.first - scrolled : 0;
  const std::size_t last = pairs.size() > height ? pairs.size() - height : 0;
  const std::size_t first = std::min(wanted, last);
  return std::span(pairs).subspan(first, std::min(height, pairs.size() - first));
}

// ---- text --------------------------------------------------------------------------------------

void put(ScreenLine& line, std::string text, Tone tone = Tone::kNormal) {
  if (!text.empty())
    line.push_back({std::move(text), tone});
}

// As much of the line as the screen is wide.
ScreenLine fitted(const ScreenLine& line, std::size_t columns) {
  ScreenLine result;
  std::size_t room = columns;
  for (const ScreenSpan& span : line) {
    const std::string text = printable(span.text);
    const std::string_view part = cut_to_width(text, room);
    put(result, std::string(part), span.tone);
    room -= width_of(part);
    if (part.size() < text.size())
      break;
  }
  return result;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string room(width - std::min(width, width_of(text)), ' ');
  return right ? room + text : text + room;
}

// What is shown beside a cell: how much it has grown, or how fast it does.
std::string beside(const Pair& pair, std::size_t column, double seconds) {
  const std::int64_t grown = difference(pair, column);
  if (pair.row->cells[column].counter)
    return rate_text(static_cast<double>(grown), seconds);
  return signed_text(grown);
}

// The widths of a column and of what stands beside it, 0 for nothing.
struct Widths {
  std::size_t cell = 0;
  std::size_t beside = 0;
};

std::vector<Widths> widths_of(const LiveTable& table, std::span<const Pair> pairs, double seconds) {
  std::vector<Widths> widths;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    Widths each{.cell = width_of(table.columns[column].heading)};
    for (const Pair& pair : pairs) {
      each.cell = std::max(each.cell, width_of(pair.row->cells[column].text));
      each.beside = std::max(each.beside, beside(pair, column, seconds).size());
    }
    widths.push_back(each);
  }
  return widths;
}

ScreenLine headings(const Scene& scene, std::span<const Widths> widths) {
  const LiveOrder& order = scene.wish.order;
  ScreenLine line;
  put(line, "  ");
  for (std::size_t column = 0; column < widths.size(); ++column) {
    const LiveColumn& each = scene.table.columns[column];
    const bool chosen = order.by == LiveOrder::By::kColumn && order.column == column;
    put(line, padded(each.heading, widths[column].cell, each.right),
        chosen ? Tone::kBar : Tone::kStrong);
    const std::size_t room = widths[column].beside;
    put(line, std::string(room == 0 ? 2 : room + 3, ' '));
  }
  return line;
}

bool is_changed(const Pair& pair) { return pair.before != nullptr && change(pair) != 0; }

ScreenLine row_line(const Scene& scene, const Pair& pair, std::span<const Widths> widths,
                    double seconds) {
  ScreenLine line;
  const bool is_new =
      pair.before == nullptr && scene.table_before != nullptr && !scene.table.is_page;
  put(line,
      std::string(is_new             ? kNewMark
                  : is_changed(pair) ? kChangedMark
                                     : " ") +
          " ",
      Tone::kGrows);
  for (std::size_t column = 0; column < widths.size(); ++column) {
    const LiveCell& cell = pair.row->cells[column];
    put(line, padded(cell.text, widths[column].cell, scene.table.columns[column].right),
        cell.hurts ? Tone::kHurts : Tone::kNormal);
    const std::size_t room = widths[column].beside;
    put(line, room == 0 ? "  " : ' ' + padded(beside(pair, column, seconds), room, false) + "  ",
        Tone::kGrows);
  }
  return line;
}

// ---- above the table ---------------------------------------------------------------------------

// The views and their keys; the one that is shown is a bar.
ScreenLine views_line(const Scene& scene) {
  ScreenLine line;
  for (const LiveView& view : kLiveViews) {
    put(line, std::string(1, view.key) + ' ' + std::string(view.word),
        view.word == scene.wish.word ? Tone::kBar : Tone::kWeak);
    put(line, "  ");
  }
  return line;
}

ScreenLine states_line(const Scene& scene) {
  ScreenLine line;
  for (const tcp::StateNames& names : tcp::kStates) {
    const std::size_t place = static_cast<std::size_t>(names.state) - 1;
    const std::uint32_t count = scene.host.counts[place];
    const std::uint32_t before =
        scene.host_before == nullptr ? count : scene.host_before->counts[place];
    if (count == 0 && before == 0)
      continue;
    const bool hurts = names.state == tcp::State::kCloseWait && count > 0;
    put(line, std::string(names.mib) + ' ' + std::to_string(count),
        hurts ? Tone::kHurts : Tone::kNormal);
    const std::string grown = signed_text(std::int64_t{count} - std::int64_t{before});
    put(line, grown.empty() ? "" : ' ' + grown, Tone::kGrows);
    put(line, "  ");
  }
  if (line.empty())
    put(line, "no sockets", Tone::kWeak);
  return line;
}

ScreenLine rates_line(const Scene& scene) {
  ScreenLine line;
  if (scene.host_before == nullptr) {
    put(line, "rates follow in " + std::to_string(scene.interval.count()) + " s", Tone::kWeak);
    return line;
  }
  const double seconds = seconds_between(scene.host_before->at, scene.host.at);
  const auto& before = scene.host_before->counters;
  for (std::size_t i = 0; i < scene.host.counters.size() && i < before.size(); ++i) {
    const HostCounter& counter = scene.host.counters[i];
    const double grown = static_cast<double>(counter.value) - static_cast<double>(before[i].value);
    const std::string rate = rate_text(grown, seconds);
    put(line, std::string(counter.name) + ' ' + (rate.empty() ? "0/s" : rate),
        counter.hurts && !rate.empty() ? Tone::kHurts : Tone::kNormal);
    put(line, "  ");
  }
  return line;
}

ScreenLine verdict_line(const Scene& scene) {
  ScreenLine line;
  if (!scene.host.trouble.empty())
    put(line, scene.host.trouble, Tone::kHurts);
  else if (scene.host.verdict.empty())
    put(line, "nothing hurts", Tone::kWeak);
  else
    put(line, scene.host.verdict, Tone::kHurts);
  return line;
}

// ---- below it ----------------------------------------------------------------------------------

std::string order_text(const Scene& scene) {
  const LiveOrder& order = scene.wish.order;
  const std::string reversed = order.reversed ? ", reversed" : "";
  if (scene.table.is_page || order.by == LiveOrder::By::kBadness)
    return "worst first" + reversed;
  if (order.by == LiveOrder::By::kChange)
    return "by change" + reversed;
  const bool known = order.column < scene.table.columns.size();
  return (known ? "by " + scene.table.columns[order.column].heading : "worst first") + reversed;
}

ScreenLine foot_line(const Scene& scene, const OnScreen& seen) {
  ScreenLine line;
  if (scene.wish.typing || !scene.wish.filter.empty())
    put(line, '/' + scene.wish.filter + (scene.wish.typing ? "_" : "") + "  ", Tone::kStrong);
  const std::size_t first = std::min(scene.wish.first, seen.rows);
  const std::size_t last = std::min(seen.rows, first + seen.height);
  put(line,
      std::to_string(seen.rows == 0 ? 0 : first + 1) + '-' + std::to_string(last) + " of " +
          std::to_string(seen.rows) + ", " + order_text(scene) + ", every " +
          std::to_string(scene.interval.count()) + " s",
      Tone::kWeak);
  put(line, "   ? help  / filter  arrows sort  q quit", Tone::kStrong);
  return line;
}

std::vector<ScreenLine> help_lines() {
  constexpr const char* kHelp[] = {
      "1 to 0, a     the views above",
      "arrows        up and down, Page, Home, End, j and k: scroll;",
      "              left and right: sort by the next column",
      "w, c          sort by what is worst (as at first), by what changes",
      "r             the other way round",
      "/             filter: rows that contain what you type; Enter keeps it, Escape ends it",
      "space         look again now",
      "?             this page and back",
      "q, Ctrl-C     end",
      "",
      "+ a new row, * a changed one; beside a number what it has grown by, beside a counter",
      "how fast it grows. What hurts is red, or bold where there are no colours:",
      "closeWait is what a program has not closed though its peer has.",
      "tcpmibd explain closeWait   says what a state means and what to do",
  };
  std::vector<ScreenLine> lines;
  for (const char* text : kHelp) {
    ScreenLine line;
    put(line, text);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<ScreenLine> table_lines(const Scene& scene, std::size_t height) {
  const std::vector<Pair> pairs = pairs_of(scene);
  const std::span<const Pair> shown = visible(pairs, scene, height);
  const double seconds =
      scene.host_before == nullptr ? 0 : seconds_between(scene.host_before->at, scene.host.at);
  const std::vector<Widths> widths = widths_of(scene.table, shown, seconds);
  std::vector<ScreenLine> lines{headings(scene, widths)};
  for (const Pair& pair : shown)
    lines.push_back(row_line(scene, pair, widths, seconds));
  if (shown.empty())
    lines.push_back({{scene.wish.filter.empty() ? "nothing is there" : "nothing matches the filter",
                      Tone::kWeak}});
  return lines;
}

std::size_t height_of(const ScreenSize& size) {
  return size.rows > kHeadLines + kFootLines ? size.rows - kHeadLines - kFootLines : 0;
}

}  // namespace

OnScreen seen_of(const LiveTable& table, const Wish& wish, const ScreenSize& size) {
  std::size_t rows = table.all;
  if (!table.is_page)
    rows = static_cast<std::size_t>(std::ranges::count_if(
        table.rows, [&](const LiveRow& row) { return matches(row, wish.filter); }));
  return {
      .columns = table.is_page ? 0 : table.columns.size(), .rows = rows, .height = height_of(size)};
}

// Where there is little room the foot goes first, then what stands above the table, last of all the
// views.
std::vector<ScreenLine> screen_lines(const Scene& scene, const ScreenSize& size) {
  std::vector<ScreenLine> lines{
      views_line(scene), states_line(scene), rates_line(scene), verdict_line(scene), {}};
  const std::vector<ScreenLine> body =
      scene.wish.help ? help_lines() : table_lines(scene, height_of(size));
  lines.insert(lines.end(), body.begin(), body.end());
  const bool has_foot = size.rows > kHeadLines + kFootLines;
  lines.resize(has_foot ? size.rows - kFootLines : std::min(lines.size(), size.rows));
  if (has_foot)
    lines.push_back(foot_line(scene, seen_of(scene.table, scene.wish, size)));
  for (ScreenLine& line : lines)
    line = fitted(line, size.columns);
  return lines;
}

}  // namespace tcpmibd::agent
