#include "kernel/sock_diag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "kernel/every_recipe.h"
#include "kernel/interfaces.h"
#include "kernel/opened.h"
#include "kernel/proc_counters.h"
#include "kernel/proc_names.h"
#include "kernel/proc_processes.h"
#include "support/deadline.h"
#include "support/process.h"
#include "support/scenes.h"
#include "tables/columns.h"
#include "tables/registry.h"
#include "tables/tables.h"

namespace tcpmibd::kernel {
namespace {

using lab::Ends;
using lab::Family;
using lab::Namespace;
using lab::Recipe;
using lab::Scene;
using lab::Stage;
using lab::TwoHosts;
using testing::IsEmpty;
using testing::Not;

constexpr snmp::SubId kStateColumn[] = {1, 3, 6, 1, 2, 1, 6, 19, 1, 7};

std::vector<tcp::Socket> found_by(SockDiag& source, const tcp::Question& question) {
  std::vector<tcp::Socket> found;
  EXPECT_TRUE(source.find(question, found));
  return found;
}

tcp::Snapshot snapshot_of(const std::vector<tcp::Socket>& sockets,
                          const tcp::AddressForms& forms = {}) {
  tcp::SnapshotBuilder builder(forms);
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  return builder.finish();
}

// The table's rows in a snapshot, index by index.
std::vector<snmp::Oid> walk(const tcp::Snapshot& snapshot, snmp::OidView column) {
  const snmp::Table<tcp::Connection, tables::Data> table(tables::kTcpConnectionTable);
  const tables::Data data{.snapshot = &snapshot};
  std::vector<snmp::Oid> names;
  std::optional<snmp::Cell> cell = table.next(data, column, false);
  while (cell && snmp::starts_with(cell->name, column)) {
    names.push_back(cell->name);
    cell = table.next(data, names.back(), false);
  }
  return names;
}

// The answer to a GET, as the agent makes it.
std::optional<snmp::Value> get(SockDiag& source, const snmp::Oid& name,
                               const tcp::AddressForms& forms = {}) {
  const snmp::Table<tcp::Connection, tables::Data> table(tables::kTcpConnectionTable);
  const tcp::Snapshot found = snapshot_of(found_by(source, table.question(name)), forms);
  const std::optional<snmp::Cell> cell = table.get({.snapshot = &found}, name);
  return cell ? cell->value : std::nullopt;
}

snmp::Oid name_of(const Ends& ends) {
  return snmp::Oid(lab::connection_cell(lab::kStateColumn, ends));
}

class KernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

class EveryState : public lab::EveryRecipe {};

// Both ways to the row agree: the walk's dump and the GET's look-up.
void expect_row(const Stage& stage, const Recipe& recipe) {
  const Scene scene = recipe.play(stage);
  const std::unique_ptr<SockDiag> source = opened_in(stage.a);
  const snmp::Oid name = name_of(scene.watched);
  const std::optional<snmp::Value> wanted = snmp::Integer{recipe.mib};
  EXPECT_EQ(lab::settled([&] { return get(*source, name); }, wanted), wanted) << scene.watched;
  EXPECT_THAT(walk(dump(*source), kStateColumn), testing::Contains(name)) << scene.watched;
}

TEST_P(EveryState, IsSeenByWalkAndByGet) {
  if (GetParam().mib == static_cast<int>(tcp::State::kListen))
    return;  // ListenersTest looks at those.
  const TwoHosts hosts;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped})
    expect_row(lab::on_cable(hosts, family), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryState,
                         testing::ValuesIn(lab::recipes().begin(), lab::recipes().end()),
                         lab::name_of_recipe);

TEST_F(KernelTest, AMissingConnectionToAListeningPortIsNotTheListener) {
  const Namespace space;
  const lab::TcpSocket listener = lab::listen_on(space, "127.0.0.1:0");
  const std::unique_ptr<SockDiag> source = opened_in(space);
  const Ends absent{listener.local(), lab::end_of("127.0.0.1:9")};
  EXPECT_EQ(get(*source, name_of(absent)), std::nullopt);
}

TEST_F(KernelTest, ADeviceBoundConnectionIsFoundWithoutNamingItsDevice) {
  const TwoHosts hosts;
  const lab::TcpSocket listener = lab::listen_on(hosts.b, "10.77.1.2:0");
  const lab::TcpSocket client =
      lab::connect_to(hosts.a, lab::text(listener.local()), {.device = "va"});
  const std::unique_ptr<SockDiag> source = opened_in(hosts.a);
  EXPECT_NE(get(*source, name_of(client.ends())), std::nullopt);
}

TEST_F(KernelTest, ADeviceThatComesLaterIsAskedToo) {
  const Namespace a, b;
  const std::unique_ptr<SockDiag> source = opened_in(a);
  EXPECT_EQ(get(*source, name_of({lab::end_of("10.9.9.1:1"), lab::end_of("10.9.9.2:2")})),
            std::nullopt);
  lab::veth_pair(a, {"late", {"10.9.9.1/24"}}, b, {"other", {"10.9.9.2/24"}});
  const lab::TcpSocket listener = lab::listen_on(b, "10.9.9.2:0");
  const lab::TcpSocket client = lab::connect_to(a, lab::text(listener.local()), {.device = "late"});
  EXPECT_NE(get(*source, name_of(client.ends())), std::nullopt);
}

TEST_F(KernelTest, ALinkLocalConnectionCarriesItsZone) {
  const TwoHosts hosts;
  const std::unique_ptr<SockDiag> source = opened_in(hosts.a);
  const lab::TcpSocket listener = lab::listen_on(hosts.b, "[::]:0", {.only_v6 = true});
  // The address of the other end of the cable, as the namespace tells it.
  const lab::Output addresses = lab::run(
      {"ip", "-6", "-o", "address", "show", "dev", "vb", "scope", "link"}, {.in = &hosts.b});
  const std::size_t begin = addresses.out.find("fe80");
  ASSERT_NE(begin, std::string::npos) << addresses.out;
  const std::string address = addresses.out.substr(begin, addresses.out.find('/', begin) - begin);
  const lab::TcpSocket client =
      lab::connect_to(hosts.a, "[" + address + "%va]:" + std::to_string(listener.port()));
  const snmp::Oid name = name_of(client.ends());
  EXPECT_NE(get(*source, name), std::nullopt) << name;
  EXPECT_THAT(walk(dump(*source), kStateColumn), testing::Contains(name));
  // Without zones the same connection has another name, and is found under it.
  const tcp::AddressForms forms{.zones = false};
  const std::vector<snmp::Oid> names = walk(dump(*source, forms), kStateColumn);
  ASSERT_EQ(names.size(), 1u);
  EXPECT_NE(names.front(), name);
  EXPECT_NE(get(*source, names.front(), forms), std::nullopt);
}

TEST_F(KernelTest, ABoundSocketIsNoRow) {
  const Namespace space;
  const lab::TcpSocket bound = lab::bind_only(space, "127.0.0.1:0");
  const tcp::Snapshot snapshot = dump(*opened_in(space));
  EXPECT_EQ(snapshot.rows(), 0u);
}

TEST_F(KernelTest, EveryFormOfListenerIsToldApart) {
  const Namespace space;
  const auto any4 = lab::listen_on(space, "0.0.0.0:0");
  const auto any6 = lab::listen_on(space, "[::]:0", {.only_v6 = true});
  const auto both = lab::listen_on(space, "[::]:0");
  const auto mapped = lab::listen_on(space, "[::ffff:127.0.0.1]:0");
  const auto one6 = lab::listen_on(space, "[::1]:0");
  const tcp::Snapshot snapshot = dump(*opened_in(space));
  const auto type_at = [&](const lab::TcpSocket& socket) {
    const auto rows = snapshot.listeners();
    const auto row = std::ranges::find(rows, socket.port(),
                                       [](const tcp::ListenerRow& r) { return r.key.port; });
    EXPECT_NE(row, rows.end());
    return row->key.address.type;
  };
  EXPECT_EQ(type_at(any4), tcp::AddressType::kIpv4);
  EXPECT_EQ(type_at(any6), tcp::AddressType::kIpv6);
  EXPECT_EQ(type_at(both), tcp::AddressType::kUnknown);
  EXPECT_EQ(type_at(mapped), tcp::AddressType::kIpv4);
  EXPECT_EQ(type_at(one6), tcp::AddressType::kIpv6);
  EXPECT_EQ(snapshot.legacy_listeners().size(), 3u);
}

TEST_F(KernelTest, ReusePortListenersShareARow) {
  const Namespace space;
  const auto first = lab::listen_on(space, "127.0.0.1:0", {.reuse_port = true});
  const std::string address = lab::text(first.local());
  const auto second = lab::listen_on(space, address, {.reuse_port = true});
  const auto third = lab::listen_on(space, address, {.reuse_port = true});
  const tcp::Snapshot snapshot = dump(*opened_in(space));
  ASSERT_EQ(snapshot.listeners().size(), 1u);
  EXPECT_TRUE(snapshot.listeners().front().details.shared);
  EXPECT_EQ(snapshot.siblings(snapshot.listeners().front().details).size(), 2u);
  EXPECT_EQ(snapshot.merged(), 2u);
}

// The rows of some sockets, as the kernel picks them.
std::size_t rows_of(SockDiag& source, const tcp::Selection& selection) {
  tcp::SnapshotBuilder builder({});
  EXPECT_TRUE(source.read_some(selection, builder));
  return builder.finish().rows();
}

TEST_F(KernelTest, TheKernelTellsOfThePortsAndStatesThatAreAskedForAndOfNoOther) {
  using tcp::State;
  const Namespace space;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped}) {
    auto leaked = lab::connected(lab::on_loopback(space, family));
    const auto kept = lab::connected(lab::on_loopback(space, family));
    const std::uint16_t server = leaked.listener.port();
    const std::uint16_t client = leaked.client.port();
    leaked.client = {};
    const std::unique_ptr<SockDiag> source = opened_in(space);
    const std::vector<State> close_wait{State::kCloseWait};
    ASSERT_TRUE(lab::eventually([&] { return rows_of(*source, {close_wait}) == 1; }));
    EXPECT_EQ(rows_of(*source, {close_wait, server}), 1u);
    EXPECT_EQ(rows_of(*source, {close_wait, kept.listener.port()}), 0u);
    EXPECT_EQ(rows_of(*source, {{State::kListen}, server}), 1u);
    EXPECT_EQ(rows_of(*source, {{State::kListen}}), 2u);
    EXPECT_EQ(rows_of(*source, {{State::kEstablished}}), 2u);
    EXPECT_EQ(rows_of(*source, {{}, server}), 3u) << "the listener and both ends";
    EXPECT_EQ(rows_of(*source, {{}, client}), 2u) << "both ends";
    EXPECT_EQ(rows_of(*source, {{State::kClosed}}), 0u);
    EXPECT_EQ(rows_of(*source, {}), dump(*source).rows());
  }
}

TEST_F(KernelTest, TheListenersAloneAreTheListenersOfADump) {
  const Namespace space;
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const std::unique_ptr<SockDiag> source = opened_in(space);
  const tcp::Snapshot listeners = snapshot_of(found_by(*source, tcp::ListenersQuery{}));
  EXPECT_EQ(listeners.listeners().size(), dump(*source).listeners().size());
  EXPECT_EQ(listeners.rows(), 1u);
}

TEST_F(KernelTest, AHolderIsFoundByItsSocket) {
  const Namespace space;
  const auto listener = lab::listen_on(space, "127.0.0.1:0");
  const Result<Holdings> seen = ProcProcesses().read();
  ASSERT_TRUE(seen);
  EXPECT_THAT(seen->holders,
              testing::Contains(tcp::Holder{static_cast<std::uint32_t>(listener.inode()),
                                            static_cast<std::uint32_t>(::getpid())}));
  EXPECT_THAT(ProcNames().identity_of(static_cast<std::uint32_t>(::getpid())).command,
              Not(IsEmpty()));
}

TEST(ProcCountersTest, TheKernelHasEveryScalar) {
  const Result<tcp::Counters> counters = ProcCounters().read();
  ASSERT_TRUE(counters) << counters.error().text();
  const tables::Data data{.counters = &*counters};
  for (const auto& scalar : tables::tcp_scalars())
    EXPECT_TRUE(scalar.read(data)) << scalar.name;
}

}  // namespace
}  // namespace tcpmibd::kernel
