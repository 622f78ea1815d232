#include "tcp/state.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tcpmibd::tcp {
namespace {

std::string in_upper_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::toupper(c); });
  return result;
}

std::string in_lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string with(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

std::string without_separators(std::string text) {
  std::erase_if(text, [](char c) { return c == '-' || c == '_'; });
  return text;
}

TEST(State, NumbersAreThoseOfTheMibInItsOrder) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kStates[i].state), i + 1);
    EXPECT_EQ(&names_of(kStates[i].state), &kStates[i]);
  }
}

TEST(State, EveryNameInEverySpellingIsThatState) {
  for (const StateNames& names : kStates) {
    for (const std::string_view name :
         {names.mib, names.rfc, names.ss, names.netstat, names.windows}) {
      const std::string text(name);
      for (const std::string& spelling :
           {text, in_upper_case(text), in_lower_case(text), with(text, '-', '_'),
            with(text, '_', '-'), without_separators(text)})
        EXPECT_EQ(parse_state(spelling), names.state) << spelling;
    }
  }
}

TEST(State, TheMibsNumberIsThatState) {
  for (const StateNames& names : kStates)
    EXPECT_EQ(parse_state(std::to_string(static_cast<int>(names.state))), names.state);
}

struct Spelling {
  std::string_view text;
  State state;
};

constexpr Spelling kSpellings[] = {
    {"fin-wait-1", State::kFinWait1},
    {"FIN_WAIT1", State::kFinWait1},
    {"FinWait_2", State::kFinWait2},
    {"SYN_RECV", State::kSynReceived},
    {"syn-received", State::kSynReceived},
    {"SYN_SEND", State::kSynSent},
    {"LISTENING", State::kListen},
    {"TIMED_WAIT", State::kTimeWait},
    {"estab", State::kEstablished},
    {"unconn", State::kClosed},
    {"CLOSE", State::kClosed},
    {"11", State::kTimeWait},
};

TEST(State, CommonSpellingsAreKnown) {
  for (const Spelling& spelling : kSpellings)
    EXPECT_EQ(parse_state(spelling.text), spelling.state) << spelling.text;
}

TEST(State, DeleteTcbIsACommandAndNoState) {
  EXPECT_EQ(parse_state("12"), std::nullopt);
  EXPECT_EQ(parse_state("deleteTCB"), std::nullopt);
}

TEST(State, WhatIsNoNameIsNoState) {
  for (const std::string_view text : {"", "0", "13", "01", "1 ", "fin", "wait", "-", "_"})
    EXPECT_EQ(parse_state(text), std::nullopt) << text;
}

struct KernelNumber {
  std::uint8_t number;
  State state;
};

// <linux/bpf.h> is where the kernel publishes all of them, the request socket's included.
constexpr KernelNumber kKernelNumbers[] = {
    {BPF_TCP_ESTABLISHED, State::kEstablished},
    {BPF_TCP_SYN_SENT, State::kSynSent},
    {BPF_TCP_SYN_RECV, State::kSynReceived},
    {BPF_TCP_FIN_WAIT1, State::kFinWait1},
    {BPF_TCP_FIN_WAIT2, State::kFinWait2},
    {BPF_TCP_TIME_WAIT, State::kTimeWait},
    {BPF_TCP_CLOSE, State::kClosed},
    {BPF_TCP_CLOSE_WAIT, State::kCloseWait},
    {BPF_TCP_LAST_ACK, State::kLastAck},
    {BPF_TCP_LISTEN, State::kListen},
    {BPF_TCP_CLOSING, State::kClosing},
    {BPF_TCP_NEW_SYN_RECV, State::kSynReceived},
};

TEST(State, KernelNumbersAreThoseOfTheKernelsHeader) {
  for (const KernelNumber& each : kKernelNumbers)
    EXPECT_EQ(state_from_kernel(each.number), each.state) << int{each.number};
}

TEST(State, AnUnknownKernelNumberIsNoState) {
  for (int number = 0; number <= 255; ++number) {
    const bool known = std::ranges::count(kKernelNumbers, number, &KernelNumber::number) != 0;
    EXPECT_EQ(state_from_kernel(static_cast<std::uint8_t>(number)).has_value(), known) << number;
  }
}

}  // namespace
}  // namespace tcpmibd::tcp
