#include "tcp/counters.h"

#include <vector>

#include "base/words.h"
#include "tcp/header_lines.h"

namespace tcpmibd::tcp {

namespace {

// The header words of /proc/net/snmp (net/ipv4/proc.c), in the order of Counter.
constexpr std::array<std::string_view, kCounterCount> kHeaderWords = {
    "RtoAlgorithm", "RtoMin",    "RtoMax", "MaxConn", "ActiveOpens", "PassiveOpens", "AttemptFails",
    "EstabResets",  "CurrEstab", "InSegs", "OutSegs", "RetransSegs", "InErrs",       "OutRsts"};

constexpr std::string_view kPrefix = "Tcp:";

// None where the line has more than a number.
std::optional<std::uint64_t> only_number(std::string_view text) {
  std::string_view line = take_until(text, '\n');
  const std::optional<std::uint64_t> value = number<std::uint64_t>(take_word(line));
  return take_word(line).empty() ? value : std::nullopt;
}

}  // namespace

Result<Counters> Counters::parse(std::string_view proc_net_snmp) {
  const std::vector<NamedWord> words = words_under_header(proc_net_snmp, kPrefix);
  if (words.empty())
    return failure("find the two 'Tcp:' lines in /proc/net/snmp");
  Counters counters;
  for (const auto& [name, value] : words) {
    for (std::size_t i = 0; i < kCounterCount; ++i) {
      if (name == kHeaderWords[i])
        counters.values_[i] = number<std::uint64_t>(value);
    }
    if (name == "MaxConn")
      counters.max_conn_ = number<std::int64_t>(value);
  }
  return counters;
}

void Counters::set_rto_min(std::string_view microseconds) {
  constexpr std::uint64_t kPerMillisecond = 1000;
  std::optional<std::uint64_t>& least = of(Counter::kRtoMin);
  least = only_number(microseconds);
  if (least)
    least = *least / kPerMillisecond + (*least % kPerMillisecond == 0 ? 0 : 1);
}

void Counters::set_rto_max(std::string_view milliseconds) {
  of(Counter::kRtoMax) = only_number(milliseconds);
}

}  // namespace tcpmibd::tcp
