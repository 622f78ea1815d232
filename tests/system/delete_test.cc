#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "support/scenes.h"
#include "support/ss.h"
#include "support/temp_folder.h"
#include "system/attached.h"
#include "system/deleting.h"

// A manager sets deleteTCB(12), through a real snmpd or at an agent of its own: exactly that
// connection ends, or it is said exactly why not.

namespace tcpmibd::lab {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Oid kSysContact = oid_of("1.3.6.1.2.1.1.4.0");
const Oid kConnections = oid_of("1.3.6.1.2.1.6.19");
const Oid kConnectionStates = oid_of("1.3.6.1.2.1.6.19.1.7");
const Oid kLegacyConnections = oid_of("1.3.6.1.2.1.6.13");
const Oid kCurrEstab = oid_of("1.3.6.1.2.1.6.9.0");

// ---- The scene ----

// A host whose snmpd has tcpmibd as its subagent.
struct Host {
  explicit Host(const Namespace& space, DaemonOptions options = {}, SnmpdOptions of_master = {})
      : master(space, std::move(of_master)), daemon(Daemon::under(master, std::move(options))) {}

  Manager reader() const { return master.manager().patient(kDeletingPatience); }
  Manager writer() const { return master.writer().patient(kDeletingPatience); }

  std::string error_of_deleting(const Oid& cell) const {
    return writer().set({deletion(cell)}).error;
  }

  Snmpd master;
  Daemon daemon;
};

enum class Version { kV1, kV2c, kV3 };

Manager writer_of(const Host& host, Version version) {
  switch (version) {
    case Version::kV1:
      return Manager::v1(host.master.space(), Snmpd::kAddress, "private");
    case Version::kV2c:
      return host.master.writer();
    case Version::kV3:
      break;
  }
  return host.master.v3_manager();
}

std::string version_name(Version version) {
  constexpr std::array kNames{"V1", "V2c", "V3"};
  return kNames.at(static_cast<std::size_t>(version));
}

std::ostream& operator<<(std::ostream& stream, Version version) {
  return stream << version_name(version);
}

// RFC 3584, 4.4. The manager's tool writes genErr as genError.
std::string in_v1(const std::string& error) {
  if (error == "wrongType" || error == "wrongValue" || error == "inconsistentValue")
    return "badValue";
  if (error == "noCreation" || error == "notWritable" || error == "noAccess")
    return "noSuchName";
  if (error == "undoFailed" || error == "commitFailed")
    return "genError";
  return error;
}

std::string in(Version version, const std::string& error) {
  return version == Version::kV1 ? in_v1(error) : error;
}

void expect_gone(const Manager& manager, const Ends& ends) {
  for (const Oid& cell : state_cells(ends)) {
    EXPECT_EQ(state_told(manager, cell), kGone);
    EXPECT_NE(manager.next({Oid(cell.begin(), cell.end() - 1)}).varbinds.at(0).oid, cell);
  }
  for (const Oid& table : {kConnections, kLegacyConnections}) {
    for (const Varbind& varbind : manager.walk(table).varbinds)
      EXPECT_THAT(state_cells(ends), Not(Contains(varbind.oid)));
  }
}

// ---- One of many ----

struct Place {
  const char* name;
  std::string listen_at;
  std::string connect_to;
  std::string device{};
};

std::ostream& operator<<(std::ostream& stream, const Place& place) { return stream << place.name; }

class DeleteTcbAt : public DeletingTest, public testing::WithParamInterface<Place> {};

std::string link_local_of(const Namespace& space, const std::string& device) {
  const Output addresses =
      run({"ip", "-6", "-o", "address", "show", "dev", device, "scope", "link"}, {.in = &space});
  const std::size_t begin = addresses.out.find("fe80");
  return addresses.out.substr(begin, addresses.out.find('/') - begin);
}

Way way_of(const TwoHosts& hosts, const Place& place) {
  const std::string to =
      place.connect_to.empty() ? "[" + link_local_of(hosts.a, "va") + "%vb]" : place.connect_to;
  return {hosts.a, hosts.b, place.listen_at, to, place.device};
}

TEST_P(DeleteTcbAt, TheChosenOneOfManyEndsAndNothingElse) {
  const TwoHosts hosts;
  const Host host(hosts.a);
  const Ends any = Service(way_of(hosts, GetParam()), 1).ends();
  for (std::size_t table = 0; table < state_cells(any).size(); ++table) {
    Service service(way_of(hosts, GetParam()));
    const Ends ends = service.ends();
    const Oid cell = state_cells(ends).at(table);
    SCOPED_TRACE(text(cell));
    ASSERT_EQ(state_told(host.reader(), cell), kEstablished);

    const Answer answer = host.writer().set({deletion(cell)});
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer.only(), (Varbind{cell, "INTEGER", "12"}));

    expect_gone(host.reader(), ends);
    service.expect_only_chosen_ended();
    EXPECT_THAT(audit_line(host.daemon, ends, "ended"),
                HasSubstr("(established, pid " + std::to_string(::getpid()) + " system_tests): "));
  }
}

const Place kPlaces[] = {
    {"Ipv4", "10.77.1.1", "10.77.1.1"},
    {"Ipv6", "[fd77::1]", "[fd77::1]"},
    {"Mapped", "[::]", "10.77.1.1"},
    {"LinkLocal", "[::]", ""},
    {"BoundToADevice", "10.77.1.1", "10.77.1.1", "va"},
    {"Ipv6BoundToADevice", "[fd77::1]", "[fd77::1]", "va"},
    {"LinkLocalBoundToADevice", "[::]", "", "va"},
};

INSTANTIATE_TEST_SUITE_P(Places, DeleteTcbAt, testing::ValuesIn(kPlaces),
                         [](const auto& of) { return of.param.name; });

class DeleteTcbIn : public DeletingTest, public testing::WithParamInterface<Recipe> {};

TEST_P(DeleteTcbIn, ThisStateEndsAConnectionAndIsRefusedForAListener) {
  const TwoHosts hosts;
  if (GetParam().needs_filter && Namespace::filter_skip_reason())
    GTEST_SKIP() << *Namespace::filter_skip_reason();
  const Host host(hosts.a);
  const Scene scene = GetParam().play(on_cable(hosts, lab::Family::kV4));
  const bool listens = GetParam().mib == 2;
  Ends row = scene.watched;
  if (listens)
    row.remote = end_of("0.0.0.0:0");
  const Oid cell = legacy_cell(kLegacyStateColumn, row);
  const std::string state = std::to_string(GetParam().mib);
  ASSERT_EQ(settled([&] { return state_told(host.reader(), cell); }, state), state);
  EXPECT_EQ(host.error_of_deleting(cell), listens ? "notWritable" : "");
  EXPECT_EQ(state_told(host.reader(), cell), listens ? "2" : kGone);
}

INSTANTIATE_TEST_SUITE_P(Recipes, DeleteTcbIn,
                         testing::ValuesIn(recipes().begin(), recipes().end()),
                         [](const auto& of) { return std::string(of.param.name); });

class DeleteTcb : public DeletingTest {};

// Not even one that was taken for the walk just before, and is as good as new.
TEST_F(DeleteTcb, NoSnapshotShowsARowThatWasEnded) {
  const Namespace space;
  const Host host(space, {.settings = {"snapshot.max-age=10m"}});
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  EXPECT_THAT(host.reader().walk(kConnectionStates).varbinds, SizeIs(10));
  const int established = std::stoi(state_told(host.reader(), kCurrEstab));
  EXPECT_EQ(host.error_of_deleting(connection_cell(kStateColumn, ends)), "");
  expect_gone(host.reader(), ends);
  // The other end of it was on this host too.
  EXPECT_EQ(state_told(host.reader(), kCurrEstab), std::to_string(established - 2));
}

TEST_F(DeleteTcb, TheSameInstanceTwiceInOneSetIsEndedOnce) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  const SetRequest request = deletion(connection_cell(kStateColumn, ends));
  EXPECT_EQ(host.writer().set({request, request}).error, "");
  service.expect_only_chosen_ended();
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"), HasSubstr("established"));
}

TEST_F(DeleteTcb, TheSameConnectionInBothTablesInOneSetIsEndedOnce) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  const std::vector<Oid> cells = state_cells(ends);
  EXPECT_EQ(host.writer().set({deletion(cells[0]), deletion(cells[1])}).error, "");
  service.expect_only_chosen_ended();
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"), HasSubstr("established"));
}

TEST_F(DeleteTcb, SeveralRowsInOneSetAllEnd) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space), 6);
  std::vector<SetRequest> requests;
  std::vector<const Pair*> ended;
  for (const std::size_t number : {0U, 2U, 5U}) {
    ended.push_back(&service.pairs()[number]);
    requests.push_back(deletion(state_cells(ended.back()->server.ends())[number % 2]));
  }
  EXPECT_EQ(host.writer().set(requests).error, "");
  for (const Pair* pair : ended)
    EXPECT_EQ(fault_of(pair->server), ECONNABORTED);
  service.expect_alive(ended);
}

TEST_F(DeleteTcb, OneBadRowInASetSavesAllTheOthers) {
  const Namespace space;
  const Host host(space, {.settings = {"delete-tcb.protect-remote-ports=[7]"}});
  Service service(over_loopback(space));
  const TcpSocket listener = listen_on(space, "127.0.0.1:7");
  const TcpSocket guarded = connect_to(space, "127.0.0.1:7");
  const SetRequest good = deletion(connection_cell(kStateColumn, service.ends()));
  const Oid gone = connection_cell(kStateColumn, {service.ends().remote, end_of("10.9.9.9:9")});
  struct Bad {
    SetRequest request;
    const char* error;
  };
  const Bad bads[] = {
      {deletion(gone), "noCreation"},
      {deletion(connection_cell(kStateColumn, guarded.ends())), "notWritable"},
      {{good.oid, 'i', "5"}, "wrongValue"},
      {{good.oid, 's', "12"}, "wrongType"},
      {deletion(legacy_cell(kLegacyStateColumn, guarded.ends())), "notWritable"},
      {{kSysContact, 'i', "12"}, "wrongType"},
  };
  for (const Bad& bad : bads) {
    EXPECT_EQ(host.writer().set({good, bad.request}).error, bad.error) << text(bad.request.oid);
    EXPECT_EQ(host.writer().set({bad.request, good}).error, bad.error) << text(bad.request.oid);
  }
  service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("): ended")));
}

TEST_F(DeleteTcb, TheManagerIsToldWhichRowWasRefused) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const Oid gone = connection_cell(kStateColumn, {service.ends().remote, end_of("10.9.9.9:9")});
  const Oid good = connection_cell(kStateColumn, service.ends());
  const Output output = host.writer().run(
      {"snmpset", "-On"}, {"." + text(good), "i", "12", "." + text(gone), "i", "12"});
  EXPECT_THAT(output.err, HasSubstr("Failed object: ." + text(gone)));
}

TEST_F(DeleteTcb, ASetTogetherWithAnObjectOfTheMasterDoesBoth) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const SetRequest contact{.oid = kSysContact, .type = 's', .value = "somebody"};
  EXPECT_EQ(host.writer().set({contact, deletion(state_cells(service.ends())[0])}).error, "");
  service.expect_only_chosen_ended();
  EXPECT_EQ(state_told(host.reader(), kSysContact), "somebody");
}

// ---- Every mistake, in every version ----

struct Mistake {
  std::string name;
  SetRequest request;
  std::string error;
};

Oid column_of(const Oid& cell, std::uint32_t column, std::uint32_t entry = 1) {
  Oid other = cell;
  other[8] = entry;
  other[9] = column;
  return other;
}

Oid longer(Oid cell, std::uint32_t by) {
  cell.push_back(by);
  return cell;
}

Oid with(Oid cell, std::size_t place, std::uint32_t number) {
  cell.at(place) = number;
  return cell;
}

// The type is looked at before the row, and so is the value.
void add_bad_values(std::vector<Mistake>& mistakes, const Oid& there, const Oid& gone) {
  struct Value {
    char type;
    const char* text;
  };
  for (const Value& value : {Value{'u', "12"}, Value{'t', "12"}, Value{'s', "12"},
                             Value{'a', "0.0.0.12"}, Value{'o', ".1.12"}}) {
    for (const Oid& cell : {there, gone})
      mistakes.push_back(
          {std::string("type ") + value.type, {cell, value.type, value.text}, "wrongType"});
  }
  for (const char* value : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "13",
                            "-1", "-12", "1200", "2147483647", "-2147483648"}) {
    for (const Oid& cell : {there, gone})
      mistakes.push_back({std::string("value ") + value, {cell, 'i', value}, "wrongValue"});
  }
}

// Indexes of an IPv4 connection begin at number 10: type, length, four octets, port, and again.
void add_bad_indexes(std::vector<Mistake>& mistakes, const Oid& there, const Oid& gone) {
  const auto add = [&](const char* name, const Oid& cell) {
    mistakes.push_back({name, deletion(cell), "noCreation"});
  };
  add("no such row", gone);
  add("no index", Oid(there.begin(), there.begin() + 10));
  add("a truncated index", Oid(there.begin(), there.end() - 1));
  add("an index with one number too many", longer(there, 0));
  add("an octet above 255", with(there, 12, 256));
  add("a port above 65535", with(there, 16, 65536));
  add("a length that is not the type's", with(there, 11, 16));
  add("an address type of IPv6", with(there, 10, 2));
  add("an address type that does not exist", with(there, 10, 99));
  add("a row of the other end's port 0", with(there, there.size() - 1, 0));
}

void add_what_nobody_may_write(std::vector<Mistake>& mistakes, const Oid& there,
                               const TcpSocket& listener) {
  const auto add = [&](const std::string& name, const Oid& cell, const char* value = "12") {
    mistakes.push_back({name, {cell, 'i', value}, "notWritable"});
  };
  for (const std::uint32_t column : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 8U, 9U})
    add("column " + std::to_string(column), column_of(there, column));
  add("a column, and a bad value", column_of(there, kProcessColumn), "5");
  add("another entry", column_of(there, kStateColumn, 2));
  add("the table", kConnections);
  add("the entry", Oid(there.begin(), there.begin() + 9));
  add("a listener's process", listener_cell(listener.local()));
  add("a scalar", oid_of("1.3.6.1.2.1.6.2.0"));
  add("a counter", oid_of("1.3.6.1.2.1.6.17.0"));
  add("what TCP-MIB does not have", oid_of("1.3.6.1.2.1.6.16.0"));
}

void add_legacy_mistakes(std::vector<Mistake>& mistakes, const Ends& ends,
                         const TcpSocket& listener) {
  const Oid there = legacy_cell(kLegacyStateColumn, ends);
  const Oid listening = legacy_cell(kLegacyStateColumn, {listener.local(), end_of("0.0.0.0:0")});
  const Oid gone = with(there, there.size() - 1, 9);
  mistakes.push_back({"the old table's type", {there, 'u', "12"}, "wrongType"});
  mistakes.push_back({"the old table's value", {gone, 'i', "5"}, "wrongValue"});
  mistakes.push_back({"no such old row", deletion(gone), "noCreation"});
  mistakes.push_back({"an old octet above 255", deletion(with(there, 10, 256)), "noCreation"});
  for (const std::uint32_t column : {2U, 3U, 4U, 5U, 6U})
    mistakes.push_back({"an old column", deletion(column_of(there, column)), "notWritable"});
  mistakes.push_back({"a listener", deletion(listening), "notWritable"});
}

std::vector<Mistake> mistakes_about(Service& service) {
  const Oid there = connection_cell(kStateColumn, service.ends());
  const Oid gone = with(there, there.size() - 1, 9);
  std::vector<Mistake> mistakes;
  add_bad_values(mistakes, there, gone);
  add_bad_indexes(mistakes, there, gone);
  add_what_nobody_may_write(mistakes, there, service.listener());
  add_legacy_mistakes(mistakes, service.ends(), service.listener());
  return mistakes;
}

class DeleteTcbMistakes : public DeletingTest, public testing::WithParamInterface<Version> {};

TEST_P(DeleteTcbMistakes, EachIsToldByItsNameAndNothingHappens) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const Manager writer = writer_of(host, GetParam()).patient(kDeletingPatience);
  for (const Mistake& mistake : mistakes_about(service)) {
    EXPECT_EQ(writer.set({mistake.request}).error, in(GetParam(), mistake.error))
        << mistake.name << ": " << text(mistake.request.oid);
  }
  service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("): ended")));
  // After all that, what is right still works.
  EXPECT_EQ(writer.set({deletion(connection_cell(kStateColumn, service.ends()))}).error, "");
  service.expect_only_chosen_ended();
}

// Two devices, two connections with the same ends: one row.
struct Twins {
  explicit Twins(const TwoHosts& hosts) {
    veth_pair(hosts.a, {"va2", {"10.77.1.1/24"}}, elsewhere, {"vb2", {"10.77.1.2/24"}});
    join(hosts.b, hosts.a, "va");
    join(elsewhere, hosts.a, "va2");
  }

  void join(const Namespace& server, const Namespace& client, const std::string& device) {
    listeners.push_back(listen_on(server, "10.77.1.2:7000"));
    TcpSocket end =
        connect_to(client, "10.77.1.2:7000", {.from = "10.77.1.1:5000", .device = device});
    pairs.push_back({std::move(end), accept_from(listeners.back())});
  }

  const Namespace elsewhere{};
  std::vector<TcpSocket> listeners{};
  std::vector<Pair> pairs{};
};

TEST_P(DeleteTcbMistakes, ARowOfSeveralSocketsIsInconsistentValue) {
  const TwoHosts hosts;
  const Host host(hosts.a);
  const Twins twins(hosts);
  const Ends ends = twins.pairs.front().client.ends();
  const Manager writer = writer_of(host, GetParam());
  for (const Oid& cell : state_cells(ends))
    EXPECT_EQ(writer.set({deletion(cell)}).error, in(GetParam(), "inconsistentValue"));
  for (const Pair& pair : twins.pairs)
    EXPECT_TRUE(talks(pair));
  EXPECT_TRUE(eventually(
      [&] { return audited(host.daemon, ends, "refused, inconsistentValue").size() == 4; },
      kDeletingPatience))
      << host.daemon.log();
}

TEST_P(DeleteTcbMistakes, EvenWherePolicyIsAllADualStackListenerIsInconsistentValue) {
  const Namespace space;
  const Host host(space, {.settings = {"delete-tcb.policy=all"}});
  const TcpSocket listener = listen_on(space, "[::]:0");
  const Ends row{end_of("0.0.0.0:" + std::to_string(listener.port())), end_of("0.0.0.0:0")};
  EXPECT_EQ(writer_of(host, GetParam()).set({deletion(legacy_cell(kLegacyStateColumn, row))}).error,
            in(GetParam(), "inconsistentValue"));
  EXPECT_EQ(listener_by_ss(space, listener.local()), "LISTEN");
}

INSTANTIATE_TEST_SUITE_P(Versions, DeleteTcbMistakes,
                         testing::Values(Version::kV1, Version::kV2c, Version::kV3),
                         [](const auto& of) { return version_name(of.param); });

// ---- Who may ----

class DeleteTcbAccess : public DeletingTest {};

const User kReader{
    .name = "reader", .authentication = "another phrase", .privacy = "a third phrase"};

std::vector<std::string> lines_of_reader() {
  return {"createUser " + kReader.name + " SHA \"" + kReader.authentication + "\" AES \"" +
              kReader.privacy + "\"",
          "rouser " + kReader.name + " priv"};
}

TEST_F(DeleteTcbAccess, TheMasterTurnsReadersAwayAndWeHearNothing) {
  const Namespace space;
  const Host host(space, {}, {.lines = lines_of_reader()});
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  for (const Oid& cell : state_cells(ends)) {
    EXPECT_EQ(host.reader().set({deletion(cell)}).error, "noAccess");
    EXPECT_EQ(host.master.v1_manager().set({deletion(cell)}).error, "noSuchName");
    EXPECT_EQ(Manager::v3(space, Snmpd::kAddress, kReader).set({deletion(cell)}).error, "noAccess");
  }
  service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("deleteTCB")));
}

TEST_F(DeleteTcbAccess, AUserWhoMayWriteInPrivateMayNotInTheClear) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const User user;
  const Oid cell = connection_cell(kStateColumn, service.ends());
  const Output output =
      run({"snmpset", "-v3", "-l", "authNoPriv", "-u", user.name, "-a", "SHA", "-A",
           user.authentication, Snmpd::kAddress, "." + text(cell), "i", "12"},
          {.in = &space, .environment = isolated_snmp_environment("/nowhere")});
  EXPECT_THAT(output.err, HasSubstr("authorizationError"));
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("deleteTCB")));
  EXPECT_EQ(host.master.v3_manager().set({deletion(cell)}).error, "");
  service.expect_only_chosen_ended();
}

// The block that docs/deletion.md gives to copy.
std::string lines_of_closer() {
  const std::string page = read_file(TCPMIBD_SOURCE_DIR "/docs/deletion.md");
  const std::size_t begin = page.find("createUser closer ");
  if (begin == std::string::npos)
    throw Trouble("docs/deletion.md does not make the user closer");
  return page.substr(begin, page.find("```", begin) - begin);
}

Output set_as_closer(const Namespace& space, const char* address, const Oid& oid,
                     const std::string& type, const std::string& value) {
  return run({"snmpset", "-v3", "-u", "closer", "-l", "authPriv", "-a", "SHA-256", "-A",
              "a long authentication phrase", "-x", "AES", "-X", "a long privacy phrase", address,
              "." + text(oid), type, value},
             {.in = &space, .environment = isolated_snmp_environment("/nowhere")});
}

void expect_closer_to_write_two_columns_only(const Namespace& space, const char* address) {
  Service service(over_loopback(space));
  const auto set = [&](const Oid& oid, const char* type, const char* value) {
    return set_as_closer(space, address, oid, type, value);
  };
  const std::vector<Oid> cells = state_cells(service.ends());
  EXPECT_THAT(set(kSysContact, "s", "me").err, HasSubstr("noAccess"));
  EXPECT_THAT(set(column_of(cells[0], kProcessColumn), "u", "12").err, HasSubstr("noAccess"));
  EXPECT_THAT(set(column_of(cells[1], 2), "i", "12").err, HasSubstr("noAccess"));
  service.expect_alive();
  EXPECT_EQ(set(cells[0], "i", "12").err, "");
  service.expect_only_chosen_ended();
  Service other(over_loopback(space));
  EXPECT_EQ(set(state_cells(other.ends())[1], "i", "12").err, "");
  other.expect_only_chosen_ended();
}

TEST_F(DeleteTcbAccess, TheLinesInTheManualLetOneUserWriteExactlyTwoColumns) {
  const Namespace space;
  const Host host(space, {}, {.lines = {lines_of_closer()}});
  expect_closer_to_write_two_columns_only(space, Snmpd::kAddress);
}

TEST_F(DeleteTcbAccess, TheSameLinesDoInAnAccessFile) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(
      space, {}, folder.write("access", "rocommunity public 127.0.0.1\n" + lines_of_closer()));
  expect_closer_to_write_two_columns_only(space, Daemon::kAddress);
}

// ---- Policy and guard ----

class DeleteTcbPolicy : public DeletingTest {};

TEST_F(DeleteTcbPolicy, OffIsNotWritableBeforeAnythingElse) {
  const Namespace space;
  const Host host(space, {.configuration = "[delete-tcb]\npolicy = \"off\"\n"});
  Service service(over_loopback(space));
  const Oid cell = connection_cell(kStateColumn, service.ends());
  const std::vector<SetRequest> requests{
      deletion(cell), {cell, 'i', "5"}, {cell, 's', "12"}, deletion(longer(cell, 1))};
  for (const SetRequest& request : requests)
    EXPECT_EQ(host.writer().set({request}).error, "notWritable") << request.value;
  service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("deleteTCB")));
}

TEST_F(DeleteTcbPolicy, AllLetsAListenerEndAndItsConnectionsLive) {
  const Namespace space;
  const Host host(space, {.configuration = "[delete-tcb]\npolicy = \"all\"\n"});
  Service service(over_loopback(space));
  const End at = service.listener().local();
  EXPECT_EQ(host.error_of_deleting(legacy_cell(kLegacyStateColumn, {at, end_of("0.0.0.0:0")})), "");
  EXPECT_EQ(listener_by_ss(space, at), "gone");
  EXPECT_EQ(fault_of(service.listener()), ECONNABORTED);
  for (const Pair& pair : service.pairs())
    EXPECT_TRUE(talks(pair));
  EXPECT_EQ(state_told(host.reader(), listener_cell(at)), kGone);
  EXPECT_TRUE(eventually(
      [&] {
        return lines_with("deleteTCB " + text(at) + " * (listen, pid ", host.daemon.log()).size() ==
               1;
      },
      kDeletingPatience))
      << host.daemon.log();
}

TEST_F(DeleteTcbPolicy, AProtectedPortIsNotWritableInBothTables) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:2200");
  const Host host(space, {.configuration = "[delete-tcb]\nprotect-ports = [2200]\n"});
  const Pair pair{connect_to(space, "127.0.0.1:2200"), accept_from(listener)};
  for (const Oid& cell : state_cells(pair.server.ends()))
    EXPECT_EQ(host.error_of_deleting(cell), "notWritable");
  EXPECT_TRUE(talks(pair));
  EXPECT_TRUE(eventually(
      [&] {
        return audited(host.daemon, pair.server.ends(), "refused, notWritable: delete-tcb.protect-")
                   .size() == 2;
      },
      kDeletingPatience))
      << host.daemon.log();
  // The other end has another local port.
  EXPECT_EQ(host.error_of_deleting(connection_cell(kStateColumn, pair.client.ends())), "");
}

TEST_F(DeleteTcbPolicy, AProtectedRemotePortIsNotWritableInBothTables) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:2200");
  const Host host(space, {.configuration = "[delete-tcb]\nprotect-remote-ports = [2200]\n"});
  const Pair pair{connect_to(space, "127.0.0.1:2200"), accept_from(listener)};
  for (const Oid& cell : state_cells(pair.client.ends()))
    EXPECT_EQ(host.error_of_deleting(cell), "notWritable");
  EXPECT_TRUE(talks(pair));
  EXPECT_EQ(host.error_of_deleting(connection_cell(kStateColumn, pair.server.ends())), "");
}

TEST_F(DeleteTcbPolicy, AProtectedListenerStaysWherePolicyIsAll) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:2200");
  const Host host(space,
                  {.configuration = "[delete-tcb]\npolicy = \"all\"\nprotect-ports = [2200]\n"});
  const Ends row{listener.local(), end_of("0.0.0.0:0")};
  EXPECT_EQ(host.error_of_deleting(legacy_cell(kLegacyStateColumn, row)), "notWritable");
  EXPECT_EQ(listener_by_ss(space, listener.local()), "LISTEN");
}

TEST_F(DeleteTcbPolicy, ASignalChangesItWhileConnectionsLive) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  const Oid cell = connection_cell(kStateColumn, service.ends());
  const std::string port = std::to_string(service.listener().port());
  for (const std::string& rules :
       {std::string("policy = \"off\""), "protect-ports = [" + port + "]",
        "policy = \"all\"\nprotect-ports = [1, " + port + "]"}) {
    reload(host.daemon, "[delete-tcb]\n" + rules + "\n");
    EXPECT_EQ(host.error_of_deleting(cell), "notWritable") << rules;
  }
  service.expect_alive();
  reload(host.daemon, "[delete-tcb]\nprotect-remote-ports = [" + port + "]\n");
  EXPECT_EQ(host.error_of_deleting(cell), "");
  service.expect_only_chosen_ended();
}

TEST_F(DeleteTcbPolicy, WithoutTheCapabilityItIsNotWritableAndOneLineSaysSo) {
  const Namespace space;
  const Host host(
      space, {.process = {.capabilities = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH |
                                          1ULL << CAP_SYS_ADMIN}});
  Service service(over_loopback(space));
  const Oid cell = connection_cell(kStateColumn, service.ends());
  for (const SetRequest& request : {deletion(cell), SetRequest{cell, 'i', "5"},
                                    SetRequest{cell, 's', "12"}, deletion(longer(cell, 1))})
    EXPECT_EQ(host.writer().set({request}).error, "notWritable") << request.value;
  service.expect_alive();
  const std::vector<std::string> lines = lines_with("deleteTCB", host.daemon.log());
  ASSERT_THAT(lines, SizeIs(1)) << host.daemon.log();
  EXPECT_THAT(lines.front(), HasSubstr("CAP_NET_ADMIN"));
}

// Why no plain user can run the program where it was built; none where one can.
std::optional<std::string> plain_user_skip_reason(uid_t user) {
  try {
    run({tcpmibd_binary(), "--version"}, {.user = user});
    return std::nullopt;
  } catch (const Trouble& trouble) {
    return trouble.what();
  }
}

TEST_F(DeleteTcbPolicy, APlainUserNeedsThisCapabilityAndNoOther) {
  constexpr uid_t kNobody = 65534;
  if (const auto reason = plain_user_skip_reason(kNobody))
    GTEST_SKIP() << *reason;
  const Namespace space;
  const Host host(space, {.process = {.user = kNobody, .capabilities = 1ULL << CAP_NET_ADMIN}},
                  {.lines = {"agentXPerms 0777 0755"}});
  Service service(over_loopback(space));
  EXPECT_EQ(host.error_of_deleting(connection_cell(kStateColumn, service.ends())), "");
  service.expect_only_chosen_ended();
}

// ---- Ourselves ----

class DeleteTcbOurselves : public DeletingTest {};

TEST_F(DeleteTcbOurselves, TheSessionWithTheMasterIsProtectedAtBothEnds) {
  const Namespace space;
  const Host host(space, {.settings = {"delete-tcb.policy=all"}}, {.agentx = "tcp:127.0.0.1:1705"});
  int rows = 0;
  for (const SsRow& row : list_sockets(space)) {
    if (row.state != "ESTAB" || (row.ends.local.port != 1705 && row.ends.remote.port != 1705))
      continue;
    ++rows;
    for (const Oid& cell : state_cells(row.ends))
      EXPECT_EQ(host.error_of_deleting(cell), "notWritable") << row.ends;
    EXPECT_TRUE(eventually(
        [&] {
          return audited(host.daemon, row.ends, "refused, notWritable: it carries the session")
                     .size() == 2;
        },
        kDeletingPatience))
        << host.daemon.log();
  }
  EXPECT_EQ(rows, 2);
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("lost the AgentX master")));
  EXPECT_TRUE(is_served_by_us(host.reader()));
}

TEST_F(DeleteTcbOurselves, AManagersConnectionToAnAgentOfItsOwnIsProtectedAtBothEnds) {
  const Namespace space;
  const TempFolder folder;
  const std::string access =
      folder.write("access", "rocommunity public 127.0.0.1\nrwcommunity private 127.0.0.1\n");
  const Daemon daemon =
      Daemon::standalone(space, {.arguments = {"--standalone", "tcp:127.0.0.1:2162"}}, access);
  const TcpSocket session = connect_to(space, "127.0.0.1:2162");
  const Manager writer = Manager::v2c(space, Daemon::kAddress, "private");
  const Ends ends = session.ends();
  // Its other end is there when the daemon has taken it.
  ASSERT_TRUE(
      eventually([&] { return Manager::v2c(space, "tcp:127.0.0.1:2162").get({kCurrEstab}).ok(); }));
  for (const Ends& end : {ends, Ends{ends.remote, ends.local}}) {
    for (const Oid& cell : state_cells(end))
      EXPECT_EQ(writer.set({deletion(cell)}).error, "notWritable") << end;
  }
  EXPECT_EQ(fault_of(session), 0);
}

// ---- An agent of its own ----

class DeleteTcbStandalone : public DeletingTest {};

TEST_F(DeleteTcbStandalone, WithoutAnAccessFileNobodyWrites) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  Service service(over_loopback(space));
  for (const Oid& cell : state_cells(service.ends())) {
    EXPECT_EQ(Manager::v2c(space, Daemon::kAddress).set({deletion(cell)}).error, "noAccess");
    EXPECT_EQ(Manager::v1(space, Daemon::kAddress).set({deletion(cell)}).error, "noSuchName");
    EXPECT_EQ(Manager::v2c(space, Daemon::kAddress, "private")
                  .patient(std::chrono::milliseconds(500))
                  .set({deletion(cell)})
                  .error,
              "timeout");
  }
  service.expect_alive();
  EXPECT_THAT(daemon.log(), Not(HasSubstr("deleteTCB")));
}

TEST_F(DeleteTcbStandalone, AnAccessFileSaysWhoWrites) {
  const Namespace space;
  const TempFolder folder;
  const User user;
  std::string access = "rocommunity public 127.0.0.1\n";
  for (const User* each : {&user, &kReader})
    access += "createUser " + each->name + " SHA \"" + each->authentication + "\" AES \"" +
              each->privacy + "\"\n";
  access += "rwuser " + user.name + " priv\nrouser " + kReader.name + " priv\n";
  const Daemon daemon = Daemon::standalone(space, {}, folder.write("access", access));
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  const Oid cell = connection_cell(kStateColumn, ends);
  EXPECT_EQ(Manager::v2c(space, Daemon::kAddress).set({deletion(cell)}).error, "noAccess");
  EXPECT_EQ(Manager::v3(space, Daemon::kAddress, kReader).set({deletion(cell)}).error, "noAccess");
  service.expect_alive();

  const Manager writer = Manager::v3(space, Daemon::kAddress);
  EXPECT_EQ(writer.set({{cell, 'i', "5"}}).error, "wrongValue");
  EXPECT_EQ(writer.set({{cell, 's', "12"}}).error, "wrongType");
  EXPECT_EQ(writer.set({deletion(longer(cell, 1))}).error, "noCreation");
  EXPECT_EQ(writer.set({deletion(column_of(cell, kProcessColumn))}).error, "notWritable");
  EXPECT_EQ(writer.set({deletion(cell), deletion(cell)}).error, "");
  service.expect_only_chosen_ended();
  EXPECT_THAT(audit_line(daemon, ends, "ended"), HasSubstr("(established, pid "));
  expect_gone(writer, ends);
}

// ---- The audit line ----

class DeleteTcbAudit : public DeletingTest {};

TEST_F(DeleteTcbAudit, NamesTheOwnerThatLeaksAConnection) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  Pair& leaking = service.chosen();
  leaking.client.close();
  leaking.server.await_fin();
  const Ends ends = leaking.server.ends();
  const Oid cell = connection_cell(kStateColumn, ends);
  EXPECT_EQ(state_told(host.reader(), cell), "8");
  EXPECT_EQ(host.error_of_deleting(cell), "");
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"),
              HasSubstr("(closeWait, pid " + std::to_string(::getpid()) + " "));
}

TEST_F(DeleteTcbAudit, SaysThatNobodyHoldsWhatNobodyHolds) {
  const Namespace space;
  const Host host(space);
  Service service(over_loopback(space));
  Pair& closed = service.chosen();
  const Ends ends = closed.server.ends();
  closed.server.close();
  closed.client.close();
  const Oid cell = connection_cell(kStateColumn, ends);
  ASSERT_EQ(settled([&] { return state_told(host.reader(), cell); }, "11"), "11");
  EXPECT_EQ(host.error_of_deleting(cell), "");
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"), HasSubstr("(timeWait, no process): ended"));
}

}  // namespace
}  // namespace tcpmibd::lab
