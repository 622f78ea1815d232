#include "tcp/mptcp.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/words.h"
#include "tcp/header_lines.h"

namespace tcpmibd::tcp {

namespace {

constexpr std::pair<unsigned, unsigned> kFirstToCount{6, 3};

// The word of a line at `position`, from 0; empty where the line is shorter.
std::string_view word_at(std::string_view line, std::size_t position) {
  std::string_view word = take_word(line);
  for (; position > 0 && !word.empty(); --position)
    word = take_word(line);
  return word;
}

// Where a header line has the name; none: nowhere.
std::optional<std::size_t> position_of(std::string_view name, std::string_view header) {
  std::size_t position = 0;
  for (auto word = take_word(header); !word.empty(); word = take_word(header), ++position) {
    if (word == name)
      return position;
  }
  return std::nullopt;
}

MptcpPresence presence(std::uint64_t sockets) {
  return sockets == 0 ? MptcpPresence::kUnused : MptcpPresence::kUsed;
}

}  // namespace

bool counts_mptcp_sockets(std::string_view release) {
  return is_release_since(release, kFirstToCount);
}

MptcpPresence mptcp_by_protocols(std::string_view text) {
  const auto position = position_of("sockets", take_until(text, '\n'));
  if (!position)
    return MptcpPresence::kUnknown;
  std::optional<std::uint64_t> sum;
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    const std::string_view protocol = word_at(line, 0);
    if (protocol != "MPTCP" && protocol != "MPTCPv6")
      continue;
    const auto sockets = number<std::uint32_t>(word_at(line, *position));
    if (!sockets)
      return MptcpPresence::kUnknown;
    sum = sum.value_or(0) + *sockets;
  }
  return sum ? presence(*sum) : MptcpPresence::kAbsent;
}

MptcpPresence mptcp_by_netstat(std::string_view text) {
  const std::vector<NamedWord> counters = words_under_header(text, "MPTcpExt:");
  if (counters.empty())
    return words_under_header(text, "TcpExt:").empty() ? MptcpPresence::kUnknown
                                                       : MptcpPresence::kAbsent;
  bool any = false;
  for (const NamedWord& counter : counters) {
    const auto value = number<std::uint64_t>(counter.value);
    if (!value)
      return MptcpPresence::kUnknown;
    any = any || *value != 0;
  }
  return presence(any ? 1 : 0);
}

}  // namespace tcpmibd::tcp
