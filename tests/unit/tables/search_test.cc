#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/builders.h"
#include "support/fakes.h"

// GETNEXT and GET of names as managers and attackers may send them, over one small host.

namespace tcpmibd::tables {
namespace {

using namespace lab;
using snmp::Cell;
using snmp::Counter64;
using snmp::Gauge32;
using snmp::Integer;
using snmp::Oid;
using tcp::State;

// clang-format off
const std::vector<tcp::Socket> kSockets = {
    listener("[::]:22", {.inode = 800}),                                                     // L1
    listener("[::]:443", {.inode = 800, .cookie = 1}),                                       // L2
    listener("0.0.0.0:80", {.inode = 802}),                                                  // L3
    listener("127.0.0.1:25", {.inode = 805}),                                                // L4
    listener("[::]:8080", {.v6only = true, .inode = 801}),                                   // L5
    listener("[::1]:631", {.inode = 806}),                                                   // L6
    established("9.9.9.9:22", "10.0.0.5:50000", {.inode = 1}),                               // C1
    established("10.0.0.1:80", "10.0.0.5:50001", {.inode = 2}),                              // C2
    established("10.0.0.1:443", "10.0.0.5:50002", {.state = State::kTimeWait}),              // C3
    established("10.0.0.1:8080", "10.0.0.5:50003", {.state = State::kCloseWait, .inode = 3}),// C4
    established("192.168.1.10:22", "10.0.0.5:50004", {.inode = 1}),                          // C5
    established("[2001:db8::1]:443", "[2001:db8::5]:50005", {.inode = 2}),                   // C6
    established("[fe80::1%2]:22", "[fe80::5%2]:50006", {.inode = 1}),                        // C7
};
// clang-format on

struct Row {
  const char* index;
  std::int32_t state;  // of a connection
  std::uint32_t process;
};

const std::map<std::string, Row> kRows = {
    {"L1", {"0.0.22", 0, 800}},
    {"L2", {"0.0.443", 0, 800}},
    {"L3", {"1.4.0.0.0.0.80", 0, 802}},
    {"C1", {"1.4.9.9.9.9.22.1.4.10.0.0.5.50000", 5, 1}},
    {"C2", {"1.4.10.0.0.1.80.1.4.10.0.0.5.50001", 5, 2}},
    {"C3", {"1.4.10.0.0.1.443.1.4.10.0.0.5.50002", 11, 0}},
    {"C5", {"1.4.192.168.1.10.22.1.4.10.0.0.5.50004", 5, 1}},
    {"C6",
     {"2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.443."
      "2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.5.50005",
      5, 2}},
    {"C7",
     {"4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22."
      "4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.2.50006",
      5, 1}},
};

// "C1.state" as name and value.
Cell cell_called(const std::string& called) {
  const Row& row = kRows.at(called.substr(0, 2));
  if (called.ends_with(".state"))
    return {tcp_oid(std::string("19.1.7.") + row.index), Integer{row.state}};
  const char* column = called.starts_with("C") ? "19.1.8." : "20.1.4.";
  return {tcp_oid(std::string(column) + row.index), Gauge32{row.process}};
}

const Host& host() {
  static const Host kHost(kSockets, {},
                          snmp_file({"1", "200", "120000", "-1", "1", "2", "3", "4", "5",
                                     "4294967306", "7", "8", "9", "10", "11"}));
  return kHost;
}

// One session's two tables; what a master's search range gives them to search.
std::array<const Managed*, 2> served() {
  return {&managed("tcpConnectionTable"), &managed("tcpListenerTable")};
}

// The first instance of the session after `start`.
std::optional<Cell> next(const Oid& start, bool inclusive) {
  for (const Managed* table : served()) {
    if (std::optional<Cell> cell = table->next(host().data(), start.view(), inclusive))
      return cell;
  }
  return std::nullopt;
}

constexpr bool kAfter = false;
constexpr bool kAt = true;  // the search range's include flag

struct NextCase {
  const char* number;
  const char* why;
  const char* start;
  bool inclusive;
  const char* end;   // exclusive; empty: the null OID, no limit
  const char* want;  // "C1.state"; empty: endOfMibView
};

const NextCase kNextCases[] = {
    {"G1", "table OID", "19", kAfter, "20", "C1.state"},
    {"G2", "entry OID", "19.1", kAfter, "20", "C1.state"},
    {"G3", "sub-id 0 instead of entry", "19.0", kAfter, "20", "C1.state"},
    {"G4", "sub-id 0 with tail", "19.0.999.5", kAfter, "20", "C1.state"},
    {"G5", "column 0", "19.1.0", kAfter, "20", "C1.state"},
    {"G6", "not-accessible column 1", "19.1.1", kAfter, "20", "C1.state"},
    {"G7", "not-accessible column 6 with an index", "19.1.6.1.4.10.0.0.1.80.1.4.10.0.0.5.50001",
     kAfter, "20", "C1.state"},
    {"G8", "column 7 alone", "19.1.7", kAfter, "20", "C1.state"},
    {"G9", "column 7, type only", "19.1.7.1", kAfter, "20", "C1.state"},
    {"G10", "type 1, length 0: shorter length sorts first", "19.1.7.1.0", kAfter, "20", "C1.state"},
    {"G11", "type 1, length 3", "19.1.7.1.3.255.255.255", kAfter, "20", "C1.state"},
    {"G12", "type 1, length 5: past every ipv4 row", "19.1.7.1.5", kAfter, "20", "C6.state"},
    {"G13", "type 1, length 4, truncated address", "19.1.7.1.4.10", kAfter, "20", "C2.state"},
    {"G14", "address octet 256 (must not wrap to 0)", "19.1.7.1.4.10.256", kAfter, "20",
     "C5.state"},
    {"G15", "address octet 4294967295", "19.1.7.1.4.9.4294967295", kAfter, "20", "C2.state"},
    {"G16", "9.9.9.300: after C1, before 10.x", "19.1.7.1.4.9.9.9.300", kAfter, "20", "C2.state"},
    {"G17", "local port 65536", "19.1.7.1.4.10.0.0.1.65536", kAfter, "20", "C5.state"},
    {"G18", "local port 4294967295", "19.1.7.1.4.10.0.0.1.4294967295", kAfter, "20", "C5.state"},
    {"G19", "index cut before remote type", "19.1.7.1.4.10.0.0.1.80", kAfter, "20", "C2.state"},
    {"G20", "remote type 0 with zero length", "19.1.7.1.4.10.0.0.1.80.0.0.5", kAfter, "20",
     "C2.state"},
    {"G21", "remote type 2 on an ipv4 local", "19.1.7.1.4.10.0.0.1.80.2", kAfter, "20", "C3.state"},
    {"G22", "exact C2", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kAfter, "20", "C3.state"},
    {"G23", "exact C2 with include=1", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kAt, "20",
     "C2.state"},
    {"G24", "C2 plus trailing sub-id 0", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001.0", kAfter,
     "20", "C3.state"},
    {"G25", "C2 plus trailing sub-ids", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001.1.2.3", kAfter,
     "20", "C3.state"},
    {"G26", "C2 with last sub-id minus 1", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50000", kAfter,
     "20", "C2.state"},
    {"G27", "type 3 (ipv4z)", "19.1.7.3", kAfter, "20", "C7.state"},
    {"G28", "type 16 (dns), name \"a\"", "19.1.7.16.1.97", kAfter, "20", "C1.process"},
    {"G29", "exact C7: column roll-over",
     "19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22.4.20.254.128.0.0.0.0.0.0.0.0.0.0."
     "0.0.0.5.0.0.0.2.50006",
     kAfter, "20", "C1.process"},
    {"G30", "column 8 exact C7: end of table",
     "19.1.8.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22.4.20.254.128.0.0.0.0.0.0.0.0.0.0."
     "0.0.0.5.0.0.0.2.50006",
     kAfter, "20", ""},
    {"G31", "column 9", "19.1.9", kAfter, "20", ""},
    {"G32", "column 4294967295", "19.1.4294967295", kAfter, "20", ""},
    {"G33", "entry 2", "19.2", kAfter, "20", ""},
    {"G34", "listener table OID", "20", kAfter, "21", "L1.process"},
    {"G35", "listener column 3 (port, not-accessible)", "20.1.3.0.0.22", kAfter, "21",
     "L1.process"},
    {"G36", "listener column 4", "20.1.4", kAfter, "21", "L1.process"},
    {"G37", "listener 0.0 (no port)", "20.1.4.0.0", kAfter, "21", "L1.process"},
    {"G38", "listener unknown port 22 exact", "20.1.4.0.0.22", kAfter, "21", "L2.process"},
    {"G39", "listener unknown port 443 exact", "20.1.4.0.0.443", kAfter, "21", "L3.process"},
    {"G40", "listener unknown, length 1 (illegal)", "20.1.4.0.1.7", kAfter, "21", "L3.process"},
    {"G41", "listener ipv4 length 0 (illegal pair)", "20.1.4.1.0.80", kAfter, "21", "L3.process"},
    {"G42", "listener ipv6 exact ::1 :631: end of table",
     "20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.631", kAfter, "21", ""},
    {"G43", "listener column 5", "20.1.5", kAfter, "21", ""},
    {"G44", "same as column 9 but end OID null and one session owns both tables", "19.1.9", kAfter,
     "", "L1.process"},
    {"G45", "end OID equals the next instance: the end is exclusive",
     "19.1.7.1.4.9.9.9.9.22.1.4.10.0.0.5.50000", kAfter,
     "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", ""},
};

std::ostream& operator<<(std::ostream& out, const NextCase& c) {
  return out << c.number << " " << c.why;
}

class GetNext : public testing::TestWithParam<NextCase> {};

// next() searches without an end: which part of its answer lies in the range is for the caller to
// tell (the AgentX library does it before it sends). The comparison is made here, so that the
// vectors with an end are covered whole.
TEST_P(GetNext, GivesTheFirstInstanceAfterTheStart) {
  const NextCase& c = GetParam();
  std::optional<Cell> found = next(tcp_oid(c.start), c.inclusive);
  if (*c.end != '\0' && found && found->name >= tcp_oid(c.end))
    found.reset();
  const auto want = *c.want == '\0' ? std::nullopt : std::optional(cell_called(c.want));
  EXPECT_EQ(found, want);
}

INSTANTIATE_TEST_SUITE_P(OfTheMib, GetNext, testing::ValuesIn(kNextCases),
                         [](const auto& c) { return c.param.number; });

TEST(GetNext, ATableNeverAnswersWithWhatIsOutsideOfIt) {
  for (const NextCase& c : kNextCases) {
    for (const Managed* table : served()) {
      const auto found = table->next(host().data(), tcp_oid(c.start).view(), c.inclusive);
      EXPECT_TRUE(!found || snmp::starts_with(found->name.view(), table->root().view())) << c;
    }
  }
}

constexpr auto kNoSuchObject = snmp::Absence::kNoSuchObject;
constexpr auto kNoSuchInstance = snmp::Absence::kNoSuchInstance;

struct GetCase {
  const char* number;
  const char* why;
  const char* name;
  std::variant<snmp::Absence, Integer, Gauge32, Counter64> want;
};

const GetCase kGetCases[] = {
    {"E1", "exists", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", Integer{5}},
    {"E2", "truncated index", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5", kNoSuchInstance},
    {"E3", "trailing sub-id", "19.1.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001.0", kNoSuchInstance},
    {"E4", "octet 266 would alias 10 if masked", "19.1.7.1.4.266.0.0.1.80.1.4.10.0.0.5.50001",
     kNoSuchInstance},
    {"E5", "port 65616 would alias 80 if masked", "19.1.7.1.4.10.0.0.1.65616.1.4.10.0.0.5.50001",
     kNoSuchInstance},
    {"E6", "type 2 with length 4", "19.1.7.2.4.10.0.0.1.80.1.4.10.0.0.5.50001", kNoSuchInstance},
    {"E7", "C2 written as v4-mapped ipv6(2)",
     "19.1.7.2.16.0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.1.80.2.16.0.0.0.0.0.0.0.0.0.0.255.255.10.0.0."
     "5.50001",
     kNoSuchInstance},
    {"E8", "not-accessible column", "19.1.1.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kNoSuchObject},
    {"E9", "column past the end", "19.1.9.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kNoSuchObject},
    {"E10", "column 0", "19.1.0.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kNoSuchObject},
    {"E11", "entry 2", "19.2.7.1.4.10.0.0.1.80.1.4.10.0.0.5.50001", kNoSuchObject},
    {"E12", "table OID itself", "19", kNoSuchObject},
    {"E13", "column OID without index", "19.1.7", kNoSuchInstance},
    {"E14", "dual-stack port 22 asked for as ipv6 ::",
     "20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.22", kNoSuchInstance},
    {"E15", "dual-stack port 22 asked for as 0.0.0.0", "20.1.4.1.4.0.0.0.0.22", kNoSuchInstance},
    {"E16", "dual-stack port 22", "20.1.4.0.0.22", Gauge32{800}},
    {"E17", "tcpHCInSegs.0", "17.0", Counter64{4294967306}},
    {"E18", "scalar without .0", "17", kNoSuchInstance},
    {"E19", "scalar with trailing sub-id", "17.0.0", kNoSuchInstance},
    {"E20", "retired ipv6TcpConnTable arc", "16.1.1", kNoSuchObject},
};

std::ostream& operator<<(std::ostream& out, const GetCase& c) {
  return out << c.number << " " << c.why;
}

const Managed* owner_of(const Oid& name) {
  for (const Entry& entry : registry()) {
    if (snmp::starts_with(name.view(), entry.object->root().view()))
      return entry.object;
  }
  return nullptr;
}

using Got = std::variant<snmp::Absence, Integer, Gauge32, Counter64>;

// What a GET of `name` says when it is read from `data`.
Got got(const tables::Data& data, const Oid& name) {
  const Managed* object = owner_of(name);
  if (object == nullptr)
    return kNoSuchObject;  // The master says so: no session has registered the name.
  const std::optional<Cell> cell = object->get(data, name.view());
  if (!cell)
    return object->absence(name.view());
  return std::visit(
      [](const auto& value) -> Got {
        if constexpr (std::is_constructible_v<Got, decltype(value)>)
          return value;
        throw std::logic_error("a syntax that no vector asks for");
      },
      cell->value.value());
}

class Get : public testing::TestWithParam<GetCase> {};

TEST_P(Get, SaysTheValueOrWhatIsMissing) {
  EXPECT_EQ(got(host().data(), tcp_oid(GetParam().name)), GetParam().want);
}

// As the agent does it: the kernel is asked for what the name stands for, and the answer is read.
TEST_P(Get, SaysTheSameWhenOnlyTheRowIsAskedFor) {
  const Oid name = tcp_oid(GetParam().name);
  FakeSocketSource kernel(kSockets);
  tcp::SnapshotBuilder builder{tcp::AddressForms{}};
  const Managed* object = owner_of(name);
  const tcp::Question question =
      object == nullptr ? tcp::Question() : object->question(name.view());
  std::vector<tcp::Socket> sockets;
  ASSERT_TRUE(kernel.find(question, sockets));
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  const tcp::Snapshot found = builder.finish();
  tables::Data data = host().data();
  data.snapshot = &found;
  EXPECT_EQ(got(data, name), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(OfTheMib, Get, testing::ValuesIn(kGetCases),
                         [](const auto& c) { return c.param.number; });

TEST(Get, OfTheRetiredTableAndTheGapsOfTheArcFindsNoOwner) {
  for (const char* name : {"16", "16.1.1", "16.0", "21", "0", "4294967295"})
    EXPECT_EQ(owner_of(tcp_oid(name)), nullptr) << name;
}

}  // namespace
}  // namespace tcpmibd::tables
