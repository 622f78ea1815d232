#include "tcp/state.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace tcpmibd::tcp {

// clang-format off
constexpr std::array<StateNames, kStateCount> kStates = {{
    //                  kernel  mib            RFC 9293        ss            netstat        Windows
    {State::kClosed,       7, "closed",      "CLOSED",       "UNCONN",     "CLOSE",       "CLOSED"},
    {State::kListen,      10, "listen",      "LISTEN",       "LISTEN",     "LISTEN",      "LISTENING"},
    {State::kSynSent,      2, "synSent",     "SYN-SENT",     "SYN-SENT",   "SYN_SENT",    "SYN_SEND"},
    {State::kSynReceived,  3, "synReceived", "SYN-RECEIVED", "SYN-RECV",   "SYN_RECV",    "SYN_RECEIVED"},
    {State::kEstablished,  1, "established", "ESTABLISHED",  "ESTAB",      "ESTABLISHED", "ESTABLISHED"},
    {State::kFinWait1,     4, "finWait1",    "FIN-WAIT-1",   "FIN-WAIT-1", "FIN_WAIT1",   "FIN_WAIT_1"},
    {State::kFinWait2,     5, "finWait2",    "FIN-WAIT-2",   "FIN-WAIT-2", "FIN_WAIT2",   "FIN_WAIT_2"},
    {State::kCloseWait,    8, "closeWait",   "CLOSE-WAIT",   "CLOSE-WAIT", "CLOSE_WAIT",  "CLOSE_WAIT"},
    {State::kLastAck,      9, "lastAck",     "LAST-ACK",     "LAST-ACK",   "LAST_ACK",    "LAST_ACK"},
    {State::kClosing,     11, "closing",     "CLOSING",      "CLOSING",    "CLOSING",     "CLOSING"},
    {State::kTimeWait,     6, "timeWait",    "TIME-WAIT",    "TIME-WAIT",  "TIME_WAIT",   "TIMED_WAIT"},
}};
// clang-format on

namespace {

// A request socket; the kernel reports it as SYN_RECV but reserves a number for it.
constexpr std::uint8_t kKernelNewSynRecv = 12;

// Indexed by the kernel's number; a State of 0 marks a number without meaning to us.
constexpr auto kFromKernel = [] {
  std::array<State, kKernelNewSynRecv + 1> table{};
  for (const StateNames& names : kStates)
    table[names.kernel] = names.state;
  table[kKernelNewSynRecv] = State::kSynReceived;
  return table;
}();

// "FIN_WAIT-1" and "finWait1" fold to the same word.
std::string folded(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c != '-' && c != '_')
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word;
}

bool has_name(const StateNames& names, const std::string& word) {
  const std::string_view all[] = {names.mib, names.rfc, names.ss, names.netstat, names.windows};
  return std::ranges::any_of(all, [&](std::string_view name) { return folded(name) == word; });
}

}  // namespace

const StateNames& names_of(State state) { return kStates[static_cast<std::size_t>(state) - 1]; }

std::optional<State> state_from_kernel(std::uint8_t number) {
  if (number >= kFromKernel.size() || kFromKernel[number] == State{})
    return std::nullopt;
  return kFromKernel[number];
}

std::optional<State> parse_state(std::string_view text) {
  const std::string word = folded(text);
  const auto* found = std::ranges::find_if(kStates, [&](const StateNames& names) {
    return has_name(names, word) || std::to_string(static_cast<int>(names.state)) == text;
  });
  if (found == kStates.end())
    return std::nullopt;
  return found->state;
}

}  // namespace tcpmibd::tcp
