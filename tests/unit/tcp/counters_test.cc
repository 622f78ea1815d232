#include "tcp/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;
using snmp::Counter32;
using snmp::Counter64;
using snmp::Gauge32;
using snmp::Integer;
using snmp::Value;
using testing::HasSubstr;

// As Linux 6.18 prints it.
constexpr const char* kProcNetSnmp =
    "Ip: Forwarding DefaultTTL InReceives\n"
    "Ip: 1 64 21845\n"
    "Icmp: InMsgs InErrors\n"
    "Icmp: 44 0\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
    "CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
    "Tcp: 1 200 120000 -1 31 27 4 2 6 18446744073709551615 4294967306 9 1 12 3\n"
    "Udp: InDatagrams NoPorts\n"
    "Udp: 7 44\n";

TEST(Counters, AreFoundByTheWordsOfTheHeader) {
  const Counters counters = Counters::parse(kProcNetSnmp).value();
  struct Case {
    Counter counter;
    std::uint64_t want;
  };
  for (const Case& c : {Case{Counter::kRtoAlgorithm, 1},
                        {Counter::kRtoMin, 200},
                        {Counter::kRtoMax, 120000},
                        {Counter::kActiveOpens, 31},
                        {Counter::kPassiveOpens, 27},
                        {Counter::kAttemptFails, 4},
                        {Counter::kEstabResets, 2},
                        {Counter::kCurrEstab, 6},
                        {Counter::kInSegs, 18446744073709551615u},
                        {Counter::kOutSegs, 4294967306u},
                        {Counter::kRetransSegs, 9},
                        {Counter::kInErrs, 1},
                        {Counter::kOutRsts, 12}})
    EXPECT_EQ(counters.value(c.counter), c.want) << static_cast<int>(c.counter);
  EXPECT_EQ(counters.max_conn(), -1);
}

struct TextCase {
  const char* why;
  const char* text;
  std::optional<std::uint64_t> in_segs;
  std::optional<std::uint64_t> out_rsts;
};

constexpr TextCase kTextCases[] = {
    {"another order", "Tcp: OutRsts InSegs\nTcp: 5 6\n", 6, 5},
    {"columns before, between and after", "Tcp: A InSegs B OutRsts C\nTcp: 1 2 3 4 5\n", 2, 4},
    {"a missing column", "Tcp: InSegs\nTcp: 2\n", 2, std::nullopt},
    {"fewer numbers than words", "Tcp: InSegs OutRsts\nTcp: 2\n", 2, std::nullopt},
    {"more numbers than words", "Tcp: InSegs\nTcp: 2 3 4\n", 2, std::nullopt},
    {"no number", "Tcp: InSegs OutRsts\nTcp: x 4\n", std::nullopt, 4},
    {"half a number", "Tcp: InSegs OutRsts\nTcp: 2x 4\n", std::nullopt, 4},
    {"a negative counter", "Tcp: InSegs OutRsts\nTcp: -2 4\n", std::nullopt, 4},
    {"more than 64 bits", "Tcp: InSegs OutRsts\nTcp: 18446744073709551616 4\n", std::nullopt, 4},
    {"no newline at the end", "Tcp: InSegs OutRsts\nTcp: 2 4", 2, 4},
    {"spaces", "Tcp:   InSegs   OutRsts \nTcp: 2   4  \n", 2, 4},
    {"other protocols between", "Tcp: InSegs OutRsts\nUdp: 9 9\nTcp: 2 4\n", 2, 4},
    {"a longer prefix", "TcpExt: InSegs\nTcpExt: 9\nTcp: InSegs OutRsts\nTcp: 2 4\n", 2, 4},
};

TEST(Counters, TakeNoPositionForGranted) {
  for (const TextCase& c : kTextCases) {
    const Result<Counters> counters = Counters::parse(c.text);
    ASSERT_TRUE(counters) << c.why;
    EXPECT_EQ(counters->value(Counter::kInSegs), c.in_segs) << c.why;
    EXPECT_EQ(counters->value(Counter::kOutRsts), c.out_rsts) << c.why;
  }
}

TEST(Counters, WithoutTheirTwoLinesAreAnErrorThatSaysSo) {
  for (const char* text : {"", "\n", "Tcp:", "Tcp: InSegs\n", "Udp: a\nUdp: 1\n", "Tcp:\nTcp:\n"}) {
    const Result<Counters> counters = Counters::parse(text);
    ASSERT_FALSE(counters) << text;
    EXPECT_THAT(counters.error().text(), HasSubstr("/proc/net/snmp"));
  }
}

struct RtoCase {
  const char* microseconds;
  std::optional<std::uint64_t> min;
  const char* milliseconds;
  std::optional<std::uint64_t> max;
};

constexpr RtoCase kRtoCases[] = {
    {"200000\n", 200, "120000\n", 120000},
    {"12000\n", 12, "60000", 60000},
    {"12001\n", 13, "1000\n", 1000},
    {"1\n", 1, "0\n", 0},
    {"18446744073709551615", 18446744073709552, "18446744073709551615", 18446744073709551615u},
    {"", std::nullopt, "", std::nullopt},
    {"x\n", std::nullopt, "x\n", std::nullopt},
    {"-1\n", std::nullopt, "1.5\n", std::nullopt},
    {"12000 1\n", std::nullopt, "1 2\n", std::nullopt},
};

TEST(Counters, TakeTheBoundsOfTheTimeoutFromWhereTheyCanBeSet) {
  for (const RtoCase& c : kRtoCases) {
    Counters counters = Counters::parse(kProcNetSnmp).value();
    counters.set_rto_min(c.microseconds);
    counters.set_rto_max(c.milliseconds);
    EXPECT_EQ(counters.value(Counter::kRtoMin), c.min) << c.microseconds;
    EXPECT_EQ(counters.value(Counter::kRtoMax), c.max) << c.milliseconds;
    EXPECT_EQ(counters.value(Counter::kOutRsts), 12u) << "the others stay";
  }
}

TEST(Counters, AreUnknownWhenForgotten) {
  Counters counters = Counters::parse(kProcNetSnmp).value();
  counters.forget(Counter::kRtoMin);
  EXPECT_EQ(counters.value(Counter::kRtoMin), std::nullopt);
  EXPECT_EQ(counters.value(Counter::kRtoMax), 120000u);
}

// The scalars as they are served from a text with these numbers.
struct ServedCase {
  const char* why;
  const char* scalar;
  const char* word;
  const char* number;
  std::optional<Value> want;
};

const ServedCase kServedCases[] = {
    {"other(1) as it is", "tcpRtoAlgorithm", "RtoAlgorithm", "1", Integer{1}},
    {"0 is no legal value: other(1)", "tcpRtoAlgorithm", "RtoAlgorithm", "0", Integer{1}},
    {"a missing word: other(1)", "tcpRtoAlgorithm", "X", "7", Integer{1}},
    {"rfc2988(5) as it is", "tcpRtoAlgorithm", "RtoAlgorithm", "5", Integer{5}},
    {"milliseconds", "tcpRtoMin", "RtoMin", "200", Integer{200}},
    {"no more than fits", "tcpRtoMax", "RtoMax", "4294967296", Integer{2147483647}},
    {"dynamic", "tcpMaxConn", "MaxConn", "-1", Integer{-1}},
    {"any negative is dynamic", "tcpMaxConn", "MaxConn", "-7", Integer{-1}},
    {"a limit", "tcpMaxConn", "MaxConn", "1000", Integer{1000}},
    {"a limit beyond the syntax", "tcpMaxConn", "MaxConn", "4294967296", Integer{2147483647}},
    {"below 32 bits", "tcpActiveOpens", "ActiveOpens", "4294967295", Counter32{4294967295}},
    {"wraps, never saturates", "tcpInSegs", "InSegs", "4294967296", Counter32{0}},
    {"the low half", "tcpOutSegs", "OutSegs", "4294967306", Counter32{10}},
    {"all 64 bits", "tcpHCInSegs", "InSegs", "18446744073709551615",
     Counter64{18446744073709551615u}},
    {"all 64 bits, out", "tcpHCOutSegs", "OutSegs", "4294967306", Counter64{4294967306}},
    {"a gauge", "tcpCurrEstab", "CurrEstab", "6", Gauge32{6}},
    {"a gauge latches", "tcpCurrEstab", "CurrEstab", "4294967297", Gauge32{4294967295}},
    {"what the kernel lacks is not there", "tcpOutRsts", "X", "7", std::nullopt},
    {"nor its 64 bits", "tcpHCInSegs", "X", "7", std::nullopt},
    {"nor a limit", "tcpMaxConn", "X", "7", std::nullopt},
};

TEST(Scalars, ShowTheKernelsNumbersInTheirSyntax) {
  for (const ServedCase& c : kServedCases) {
    const std::string text = std::string("Tcp: ") + c.word + "\nTcp: " + c.number + "\n";
    const Host host({}, {}, text);
    snmp::Oid name = managed(c.scalar).root();
    const auto next = managed(c.scalar).next(host.data(), name.view(), false);
    name.append(0);
    const auto got = managed(c.scalar).get(host.data(), name.view());
    EXPECT_EQ(got ? got->value : std::nullopt, c.want) << c.scalar << ": " << c.why;
    EXPECT_EQ(next, got) << c.scalar << ": " << c.why;
  }
}

TEST(Scalars, OfBothWidthsAgreeWithinOneRead) {
  const Host host({}, {}, kProcNetSnmp);
  const auto value = [&](const char* scalar) {
    return walk(managed(scalar), host.data()).at(0).value.value();
  };
  const auto low = std::get<Counter32>(value("tcpInSegs")).value;
  const auto whole = std::get<Counter64>(value("tcpHCInSegs")).value;
  EXPECT_EQ(low, static_cast<std::uint32_t>(whole));
}

}  // namespace
}  // namespace tcpmibd::tcp
