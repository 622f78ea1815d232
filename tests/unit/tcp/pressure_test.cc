#include "tcp/pressure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace tcpmibd::tcp {
namespace {

using testing::HasSubstr;
using Figure = std::optional<std::uint64_t>;

constexpr std::uint64_t kPage = 4096;

// As Linux 6.18 prints them.
constexpr const char* kSockstat =
    "sockets: used 13\n"
    "TCP: inuse 1 orphan 3 tw 5 alloc 7 mem 168\n"
    "UDP: inuse 0 mem 11\n"
    "UDPLITE: inuse 0\n"
    "FRAG: inuse 0 memory 0\n";
constexpr const char* kNetstat =
    "TcpExt: SyncookiesSent TW ListenOverflows ListenDrops TCPTimeouts TCPAbortOnData "
    "TCPAbortOnMemory TCPAbortOnTimeout TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop "
    "TCPSynRetrans\n"
    "TcpExt: 1 99 2 3 4 98 5 6 7 97 8 18446744073709551615\n"
    "IpExt: InNoRoutes ListenDrops\n"
    "IpExt: 55 66\n";

// ---- /proc/net/sockstat ----

TEST(Pressure, IsAbsentUntilToldOtherwise) {
  const Pressure pressure;
  EXPECT_EQ(pressure.orphans, std::nullopt);
  EXPECT_EQ(pressure.memory_percent(), std::nullopt);
  EXPECT_FALSE(pressure.ephemeral);
}

TEST(Pressure, TakesOrphansTimeWaitsAndMemoryFromSockstat) {
  Pressure pressure;
  ASSERT_TRUE(add_sockstat(kSockstat, kPage, pressure));
  EXPECT_EQ(pressure.orphans, 3U);
  EXPECT_EQ(pressure.time_waits, 5U);
  EXPECT_EQ(pressure.memory_used, 672U);
}

TEST(Pressure, CountsMemoryByTheSizeOfAPage) {
  Pressure pressure;
  ASSERT_TRUE(add_sockstat(kSockstat, 65536, pressure));
  EXPECT_EQ(pressure.memory_used, 168U * 64);
}

struct SockstatCase {
  const char* why;
  const char* text;
  Figure orphans;
  Figure time_waits;
  Figure memory;
};

constexpr SockstatCase kSockstatCases[] = {
    {"another order, other words between", "TCP: mem 1 a 9 tw 2 b 9 orphan 3\n", 3, 2, 4},
    {"a missing word", "TCP: inuse 1 tw 2 mem 1\n", {}, 2, 4},
    {"a word without its number", "TCP: orphan 3 tw 2 mem", 3, 2, {}},
    {"no number", "TCP: orphan x tw 2 mem 1\n", {}, 2, 4},
    {"half a number", "TCP: orphan 3x tw 2 mem 1\n", {}, 2, 4},
    {"a negative number", "TCP: orphan 3 tw -2 mem 1\n", 3, {}, 4},
    {"more than 64 bits", "TCP: orphan 3 tw 18446744073709551616 mem 1\n", 3, {}, 4},
    {"more octets than 64 bits", "TCP: orphan 3 tw 2 mem 18446744073709551615\n", 3, 2, {}},
    {"no newline at the end", "TCP: orphan 3 tw 2 mem 1", 3, 2, 4},
    {"nothing but the prefix's blank", "TCP: \n", {}, {}, {}},
    {"IPv6 before it", "TCP6: orphan 9 tw 9 mem 9\nTCP: orphan 3 tw 2 mem 1\n", 3, 2, 4},
};

TEST(Pressure, MissesOnlyTheWordOfSockstatThatIsWrong) {
  for (const SockstatCase& c : kSockstatCases) {
    Pressure pressure;
    ASSERT_TRUE(add_sockstat(c.text, kPage, pressure)) << c.why;
    EXPECT_EQ(pressure.orphans, c.orphans) << c.why;
    EXPECT_EQ(pressure.time_waits, c.time_waits) << c.why;
    EXPECT_EQ(pressure.memory_used, c.memory) << c.why;
  }
}

// ---- /proc/net/netstat ----

TEST(Pressure, FindsEventsByTheWordsOfTheHeader) {
  Pressure pressure;
  ASSERT_TRUE(add_netstat(kNetstat, pressure));
  EXPECT_EQ(pressure.syn_cookies_sent, 1U);
  EXPECT_EQ(pressure.listen_overflows, 2U);
  EXPECT_EQ(pressure.listen_drops, 3U);
  EXPECT_EQ(pressure.timeouts, 4U);
  EXPECT_EQ(pressure.memory_aborts, 5U);
  EXPECT_EQ(pressure.timeout_aborts, 6U);
  EXPECT_EQ(pressure.time_wait_overflows, 7U);
  EXPECT_EQ(pressure.syn_queue_drops, 8U);
  EXPECT_EQ(pressure.syn_retransmits, 18446744073709551615U);
}

TEST(Pressure, MissesOnlyTheColumnThatIsWrong) {
  Pressure pressure;
  ASSERT_TRUE(
      add_netstat("TcpExt: ListenDrops TCPTimeouts ListenOverflows\nTcpExt: 1 x\n", pressure));
  EXPECT_EQ(pressure.listen_drops, 1U);
  EXPECT_EQ(pressure.timeouts, std::nullopt);
  EXPECT_EQ(pressure.listen_overflows, std::nullopt);
  EXPECT_EQ(pressure.syn_retransmits, std::nullopt);
}

// ---- Limits ----

TEST(Pressure, TakesItsLimitsFromSysctls) {
  Pressure pressure;
  ASSERT_TRUE(add_max_orphans("131072\n", pressure));
  ASSERT_TRUE(add_max_time_waits("65536\n", pressure));
  ASSERT_TRUE(add_memory_limits("287901\t383868\t575802\n", kPage, pressure));
  EXPECT_EQ(pressure.orphans_limit, 131072U);
  EXPECT_EQ(pressure.time_waits_limit, 65536U);
  EXPECT_EQ(pressure.memory_low, 287901U * 4);
  EXPECT_EQ(pressure.memory_pressure, 383868U * 4);
  EXPECT_EQ(pressure.memory_limit, 575802U * 4);
}

struct MalformedCase {
  std::function<Status(std::string_view, Pressure&)> add;
  const char* cause;
  std::vector<const char*> texts;
};

const MalformedCase kMalformed[] = {
    {[](std::string_view text, Pressure& into) { return add_sockstat(text, kPage, into); },
     "/proc/net/sockstat",
     {"", "\n", "TCP:", "TCP6: inuse 0\n", "sockets: used 1\n", "TCP"}},
    {add_netstat,
     "/proc/net/netstat",
     {"", "\n", "TcpExt: ListenDrops\n", "TcpExt:\nTcpExt:\n", "IpExt: ListenDrops\nIpExt: 1\n"}},
    {add_max_orphans, "tcp_max_orphans", {"", "\n", "x\n", "1 2\n", "-1\n", "0x10\n", "1.5\n"}},
    {add_max_time_waits, "tcp_max_tw_buckets", {"", "\n", "x\n", "1 2\n", "-1\n"}},
    {[](std::string_view text, Pressure& into) { return add_memory_limits(text, kPage, into); },
     "tcp_mem",
     {"", "\n", "1\t2\n", "1\t2\tx\n", "1\t2\t3\t4\n", "1\t2\t18446744073709551616\n"}},
    {[](std::string_view text, Pressure& into) { return add_ephemeral(text, "\n", into); },
     "ip_local_port_range",
     {"", "\n", "1\n", "1\t2\t3\n", "2\t1\n", "1\t65536\n", "-1\t5\n", "1-5\n"}},
    {[](std::string_view text, Pressure& into) { return add_ephemeral("1 9", text, into); },
     "ip_local_reserved_ports",
     {",", "1,,2", "1-", "-1", "1-2-3", "5-4", "65536", "1-65536", "x", "1,2x", "1 2", "1, 2"}},
};

TEST(Pressure, IsUntouchedByAMalformedTextAndTheErrorNamesIt) {
  for (const MalformedCase& c : kMalformed) {
    for (const char* text : c.texts) {
      Pressure pressure;
      const Status status = c.add(text, pressure);
      ASSERT_FALSE(status) << c.cause << ": '" << text << "'";
      EXPECT_THAT(status.error().text(), HasSubstr(c.cause));
      for (const Figure& figure : {pressure.orphans, pressure.listen_drops, pressure.orphans_limit,
                                   pressure.time_waits_limit, pressure.memory_low})
        EXPECT_EQ(figure, std::nullopt) << c.cause << ": '" << text << "'";
      EXPECT_FALSE(pressure.ephemeral);
    }
  }
}

// Wherever a text ends: an answer, whole or partial, or an error; no read behind the end.
TEST(Pressure, BearsATextThatIsCutAnywhere) {
  const auto cut_everywhere = [](std::string_view whole, auto&& add) {
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      Pressure pressure;
      const std::string text(whole.substr(0, length));
      (void)add(text, pressure);
    }
  };
  cut_everywhere(kNetstat, add_netstat);
  cut_everywhere(kSockstat, [](std::string_view text, Pressure& into) {
    return add_sockstat(text, kPage, into);
  });
  cut_everywhere("1-4,7,9-12\n", [](std::string_view text, Pressure& into) {
    return add_ephemeral("1\t65535\n", text, into);
  });
}

// ---- Percentages ----

struct PercentCase {
  Figure used;
  Figure limit;
  Figure want;
};

constexpr PercentCase kPercentCases[] = {
    {0, 7, 0},  {1, 3, 33},  {2, 3, 66},  {3, 3, 100},  {299, 300, 99}, {7, 2, 350},
    {5, 0, {}}, {{}, 5, {}}, {5, {}, {}}, {{}, {}, {}}, {~0ULL, 1, {}},
};

TEST(Percent, IsRoundedDownAndMayExceedAHundred) {
  for (const PercentCase& c : kPercentCases) {
    EXPECT_EQ(percent_of(c.used, c.limit), c.want) << c.used.value_or(0);
    Pressure pressure;
    pressure.orphans = pressure.time_waits = pressure.memory_used = c.used;
    pressure.orphans_limit = pressure.time_waits_limit = pressure.memory_limit = c.limit;
    EXPECT_EQ(pressure.orphans_percent(), c.want);
    EXPECT_EQ(pressure.time_waits_percent(), c.want);
    EXPECT_EQ(pressure.memory_percent(), c.want);
  }
}

// ---- Ports in TIME_WAIT ----

using Scope = TimeWaitReuse::Scope;

struct ReuseCase {
  const char* why;
  Figure reuse;
  Figure delay_ms;
  Figure timestamps;
  TimeWaitReuse want;
};

const ReuseCase kReuseCases[] = {
    {"Linux's own", 2, 1000, 1, {.scope = Scope::kLoopback}},
    {"everybody's", 1, 1000, 1, {.scope = Scope::kAll}},
    {"without random offsets", 1, 1000, 2, {.scope = Scope::kAll}},
    {"another delay", 1, 250, 1, {.scope = Scope::kAll, .after_ms = 250}},
    {"at once", 2, 0, 1, {.scope = Scope::kLoopback, .after_ms = 0}},
    {"no longer than TIME_WAIT", 2, 0x1'0000'0001, 1, {Scope::kLoopback, 60'000}},
    {"nobody's", 0, 1000, 1, {}},
    {"a value of another kernel", 3, 1000, 1, {}},
    {"timestamps are off", 1, 1000, 0, {}},
    {"no setting is told", {}, 1000, 1, {}},
    {"no delay is told", 1, {}, 1, {}},
    {"whether there are timestamps is not told", 1, 1000, {}, {}},
};

TEST(TimeWaitReuse, IsNoneWhereAnythingSpeaksAgainstIt) {
  for (const ReuseCase& c : kReuseCases) {
    Pressure pressure;
    pressure.time_wait_reuse = c.reuse;
    pressure.time_wait_reuse_delay_ms = c.delay_ms;
    pressure.timestamps = c.timestamps;
    const TimeWaitReuse told = pressure.reuse();
    EXPECT_EQ(told.scope, c.want.scope) << c.why;
    if (told.scope != Scope::kNone) {
      EXPECT_EQ(told.after_ms, c.want.after_ms) << c.why;
    }
  }
}

TEST(TimeWaitReuse, IsTakenFromItsSysctls) {
  Pressure pressure;
  ASSERT_TRUE(add_time_wait_reuse("2\n", "1000\n", pressure));
  ASSERT_TRUE(add_timestamps("1\n", pressure));
  EXPECT_EQ(pressure.time_wait_reuse, 2U);
  EXPECT_EQ(pressure.time_wait_reuse_delay_ms, 1000U);
  EXPECT_EQ(pressure.timestamps, 1U);
}

TEST(TimeWaitReuse, OfATextThatIsNoNumberIsUnknown) {
  for (const char* text : {"", "\n", "x\n", "-1\n", "1 2\n"}) {
    Pressure pressure;
    EXPECT_FALSE(add_time_wait_reuse(text, "1000\n", pressure)) << text;
    EXPECT_FALSE(add_time_wait_reuse("2\n", text, pressure)) << text;
    EXPECT_FALSE(add_timestamps(text, pressure)) << text;
    EXPECT_EQ(pressure.time_wait_reuse, std::nullopt) << text;
    EXPECT_EQ(pressure.time_wait_reuse_delay_ms, std::nullopt) << text;
    EXPECT_EQ(pressure.timestamps, std::nullopt) << text;
  }
}

// ---- Ephemeral ports ----

struct RangeCase {
  const char* why;
  const char* range;
  const char* reserved;
  unsigned total;
  unsigned size;
};

constexpr RangeCase kRangeCases[] = {
    {"Linux's own", "32768\t60999\n", "\n", 28232, 28232},
    {"no text at all", "32768\t60999", "", 28232, 28232},
    {"a single port", "5\t5\n", "\n", 1, 1},
    {"the last of an odd number, which the kernel never chooses", "100\t200\n", "\n", 101, 100},
    {"likewise, reserved", "100\t200\n", "200\n", 101, 100},
    {"a single port, reserved", "5\t5\n", "5\n", 1, 0},
    {"every port", "0\t65535\n", "\n", 65536, 65536},
    {"every port reserved", "0\t65535\n", "0-65535\n", 65536, 0},
    {"reserved below and above", "100\t199\n", "1-99,200-300\n", 100, 100},
    {"reserved across the lower end", "100\t199\n", "90-109\n", 100, 90},
    {"reserved across the upper end", "100\t199\n", "190-210\n", 100, 90},
    {"reserved across both ends", "100\t199\n", "1-65535\n", 100, 0},
    {"single ones and ranges", "100\t199\n", "100,110-119,199\n", 100, 88},
    {"in any order", "100\t199\n", "199,110-119,100\n", 100, 88},
    {"twice", "100\t199\n", "110,110,110-111\n", 100, 98},
    {"overlapping", "100\t199\n", "110-119,115-124\n", 100, 85},
    {"one within the other", "100\t199\n", "110-129,115-116,128-130\n", 100, 79},
    {"side by side", "100\t199\n", "110-119,120-129\n", 100, 80},
};

TEST(EphemeralRange, IsLessByWhatIsReserved) {
  for (const RangeCase& c : kRangeCases) {
    const Result<EphemeralRange> range = EphemeralRange::parse(c.range, c.reserved);
    ASSERT_TRUE(range) << c.why;
    EXPECT_EQ(range->total(), c.total) << c.why;
    EXPECT_EQ(range->size(), c.size) << c.why;
    unsigned contained = 0;
    for (unsigned port = 0; port <= 65535; ++port)
      contained += range->contains(static_cast<std::uint16_t>(port)) ? 1 : 0;
    EXPECT_EQ(contained, c.size) << c.why;
  }
}

TEST(EphemeralRange, ContainsItsEndsAndNotWhatIsReserved) {
  const EphemeralRange range = EphemeralRange::parse("100\t199\n", "100,110-119\n").value();
  EXPECT_EQ(range.first(), 100);
  EXPECT_EQ(range.last(), 199);
  for (const int port : {101, 109, 120, 199})
    EXPECT_TRUE(range.contains(static_cast<std::uint16_t>(port))) << port;
  for (const int port : {0, 99, 100, 110, 115, 119, 200, 65535})
    EXPECT_FALSE(range.contains(static_cast<std::uint16_t>(port))) << port;
}

TEST(EphemeralRange, EverySecondPortFromItsBeginningIsForConnectFirst) {
  for (const char* ends : {"100\t199\n", "101\t200\n"}) {
    const EphemeralRange range = EphemeralRange::parse(ends, "").value();
    EXPECT_FALSE(range.is_bind_first(range.first()));
    EXPECT_TRUE(range.is_bind_first(range.last()));
  }
}

TEST(EphemeralRange, CountsWhatIsForBindFirst) {
  for (const char* reserved : {"", "101", "100-199", "100-109", "101-109", "100-108", "103,99-101",
                               "196-300", "110-119,115-124,7"}) {
    for (const char* ends : {"100\t199\n", "101\t200\n", "100\t200\n", "100\t100\n"}) {
      const EphemeralRange range = EphemeralRange::parse(ends, reserved).value();
      unsigned counted = 0;
      for (unsigned port = range.first(); port <= range.last(); ++port) {
        const auto checked = static_cast<std::uint16_t>(port);
        counted += range.contains(checked) && range.is_bind_first(checked) ? 1 : 0;
      }
      EXPECT_EQ(range.bind_first(), counted) << ends << reserved;
    }
  }
}

TEST(EphemeralRange, TakesTheLongestListTheKernelCanTell) {
  std::string odd = "1";
  for (int port = 3; port <= 65535; port += 2)
    odd += "," + std::to_string(port);
  const EphemeralRange range = EphemeralRange::parse("0\t65535\n", odd + "\n").value();
  EXPECT_EQ(range.size(), 32768U);
  EXPECT_TRUE(range.contains(40000));
  EXPECT_FALSE(range.contains(40001));
}

}  // namespace
}  // namespace tcpmibd::tcp
