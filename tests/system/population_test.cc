#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/scenes.h"
#include "support/ss.h"
#include "support/trouble.h"
#include "system/attached.h"

// A host with one of everything: what it serves is what `ss` lists, cell by cell.

namespace tcpmibd::lab {
namespace {

using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;

const Oid kTcpConnTable{1, 3, 6, 1, 2, 1, 6, 13};
const Oid kTcpConnectionTable{1, 3, 6, 1, 2, 1, 6, 19};
const Oid kTcpConnectionState{1, 3, 6, 1, 2, 1, 6, 19, 1, 7};
const Oid kTcpConnectionProcess{1, 3, 6, 1, 2, 1, 6, 19, 1, 8};
const Oid kTcpListenerTable{1, 3, 6, 1, 2, 1, 6, 20};
const Oid kTcpListenerProcess{1, 3, 6, 1, 2, 1, 6, 20, 1, 4};

// ---- What a population is made of ----

void add_address(const Namespace& space, const std::string& address, const std::string& device) {
  const Output output = run({"ip", "addr", "add", address, "dev", device, "nodad"}, {.in = &space});
  if (output.status != 0)
    throw Trouble(output.err);
}

// `here` has two cables, and at the far end of each a host of the same addresses.
struct Hosts {
  Hosts() {
    veth_pair(here, {"va2", {"10.77.1.1/24", "fe80::a/64"}}, other,
              {"vb", {"10.77.1.2/24", "fe80::b/64"}});
    add_address(here, "fe80::a/64", "va");
    add_address(cable.b, "fe80::b/64", "vb");
  }

  const TwoHosts cable;
  const Namespace& here = cable.a;
  const Namespace& there = cable.b;  // on va
  const Namespace other;             // on va2
};

class People {
 public:
  People() {
    play_every_recipe();
    add_listeners();
    add_listeners_of_other_processes();
    add_accepted_of_both_families();
    add_twins("10.77.1.1", "10.77.1.2", "10.77.1.1", "10.77.1.2");
    add_twins("[fe80::a%va]", "[fe80::b%va]", "[fe80::a%va2]", "[fe80::b%va2]");
  }

  const Namespace& here() const { return hosts_.here; }

 private:
  TcpSocket& keep(TcpSocket socket) { return sockets_.emplace_back(std::move(socket)); }

  // Every state in every way, over every family.
  void play_every_recipe() {
    for (const Family family : {Family::kV4, Family::kV6, Family::kMapped}) {
      for (const Recipe& recipe : recipes()) {
        if (recipe.needs_filter && Namespace::filter_skip_reason())
          continue;
        hosts_.here.set_sysctl("net.ipv4.tcp_fin_timeout", "60");  // One recipe changes it.
        scenes_.push_back(recipe.play(on_cable(hosts_.cable, family)));
      }
    }
  }

  std::string listen(const std::string& at, const ListenOptions& options = {}) {
    const TcpSocket& socket = keep(listen_on(hosts_.here, at, options));
    return std::to_string(socket.port());
  }

  void add_listeners() {
    for (const char* at : {"[::]:0", "0.0.0.0:0", "127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0",
                           "[::ffff:0.0.0.0]:0"})
      listen(at);
    // Pairs on one port. It is below those that the kernel gives to clients: a port that is free
    // for one of a pair could be a client's where the other wants it.
    listen("[::]:2001", {.only_v6 = true});
    listen("0.0.0.0:2001");
    listen("[::]:2002", {.reuse_port = true});
    listen("0.0.0.0:2002", {.reuse_port = true});
    listen("0.0.0.0:2003", {.device = "va"});
    listen("0.0.0.0:2003", {.device = "va2"});
    listen("[::]:2004", {.device = "va"});
    listen("[::]:2004", {.device = "va2"});
    listen("[fe80::a%va]:2005");
    listen("[fe80::a%va2]:2005");
    keep(bind_only(hosts_.here, "10.77.1.1:0"));
  }

  // One that is not ours, and a group that is ours and another's.
  void add_listeners_of_other_processes() {
    TcpSocket theirs = listen_on(hosts_.here, "0.0.0.0:0");
    const std::string group = "[fd77::1]:" + listen("[fd77::1]:0", {.reuse_port = true});
    listen(group, {.reuse_port = true});
    TcpSocket member = listen_on(hosts_.here, group, {.reuse_port = true});
    Holder holder({.keep = {theirs.get(), member.get()}});
    holders_.push_back(std::move(holder.await_ready()));
  }

  // A listener for both families has clients of both, one of each waiting.
  void add_accepted_of_both_families() {
    const TcpSocket& listener = keep(listen_on(hosts_.here, "[::]:0"));
    const std::string port = ":" + std::to_string(listener.port());
    for (const char* address : {"10.77.1.1", "[fd77::1]", "10.77.1.1", "[fd77::1]"})
      keep(connect_to(hosts_.there, address + port));
    for (int accepted = 0; accepted < 2; ++accepted)
      keep(accept_from(listener));
  }

  // Two connections with the same addresses and ports, over one cable each; the second one's
  // peer has closed.
  void add_twins(const std::string& from, const std::string& to, const std::string& second_from,
                 const std::string& second_to) {
    const std::string address = to.substr(0, to.find('%'));
    const std::string at = address.starts_with('[') ? address + "%vb]:" : address + ":";
    const TcpSocket& near = keep(listen_on(hosts_.there, at + "2101"));
    const TcpSocket& far = keep(listen_on(hosts_.other, at + "2101"));
    keep(connect_to(hosts_.here, to + ":2101", {.from = from + ":2102", .device = "va"}));
    const TcpSocket& second = keep(connect_to(hosts_.here, second_to + ":2101",
                                              {.from = second_from + ":2102", .device = "va2"}));
    keep(accept_from(near));
    accept_from(far);
    second.await_fin();
  }

  const Hosts hosts_;
  std::vector<Scene> scenes_;
  std::deque<TcpSocket> sockets_;
  std::vector<Holder> holders_;
};

// ---- What ss says of it, put into cells ----

struct Forms {
  const char* name;
  std::vector<std::string> settings;
  bool zones = true;
  bool unknown = true;
};

std::ostream& operator<<(std::ostream& stream, const Forms& forms) { return stream << forms.name; }

using Cells = std::map<Oid, std::string>;  // "Gauge32 800"

void append_inet(Oid& oid, const End& mapped_or_not, const Forms& forms) {
  End end = unmapped(mapped_or_not);
  const bool zoned = is_link_local(end) && forms.zones;
  if (end.octets.empty() && !forms.unknown)
    end.octets.resize(16);
  const std::size_t size = end.octets.size();
  const std::uint32_t type = size == 0 ? 0 : size == 4 ? 1 : zoned ? 4 : 2;
  oid.insert(oid.end(), {type, static_cast<std::uint32_t>(size) + (zoned ? 4 : 0)});
  oid.insert(oid.end(), end.octets.begin(), end.octets.end());
  if (zoned)  // Its octets; no test has so many devices.
    oid.insert(oid.end(), {0, 0, 0, end.zone});
  oid.push_back(end.port);
}

// The end in the terms of IPv4, where it speaks that.
std::optional<End> ipv4(const End& end) {
  if (end.octets.empty())  // Serves both families, or is the other end of a listener.
    return End{.octets = {0, 0, 0, 0}, .zone = 0, .port = end.port};
  const End plain = unmapped(end);
  return plain.octets.size() == 4 ? std::optional(plain) : std::nullopt;
}

int number_of(const std::string& state) {
  const auto recipe = std::ranges::find(recipes(), state, &Recipe::ss);
  if (recipe == recipes().end())
    throw Trouble("ss knows a state that no recipe makes: " + state);
  return recipe->mib;
}

// The sockets that share a row, as they do when only their devices tell them apart.
struct Row {
  std::vector<const SsRow*> sockets;

  // One that a process holds stands for those that nobody holds, an established one for others.
  int state() const {
    const auto rank = [](const SsRow* socket) {
      return std::tuple(socket->pids.empty(), socket->state != "ESTAB", number_of(socket->state));
    };
    return number_of((*std::ranges::min_element(sockets, {}, rank))->state);
  }

  // The lowest of all.
  int process() const {
    std::set<int> pids;
    for (const SsRow* socket : sockets)
      pids.insert(socket->pids.begin(), socket->pids.end());
    return pids.empty() ? 0 : *pids.begin();
  }
};

std::string integer(int number) { return "INTEGER " + std::to_string(number); }
std::string gauge(int number) { return "Gauge32 " + std::to_string(number); }
std::string ip_address(const End& end) {
  const std::string with_port = text(end);
  return "IpAddress " + with_port.substr(0, with_port.find(':'));
}

// All three tables.
Cells cells_of(const std::vector<SsRow>& sockets, const Forms& forms) {
  std::map<Oid, Row> connections, listeners;
  std::map<Ends, Row> legacy;
  for (const SsRow& socket : sockets) {
    const bool listens = socket.state == "LISTEN";
    Oid index;
    append_inet(index, socket.ends.local, forms);
    if (!listens)
      append_inet(index, socket.ends.remote, forms);
    (listens ? listeners : connections)[index].sockets.push_back(&socket);
    const auto local = ipv4(socket.ends.local), remote = ipv4(socket.ends.remote);
    if (local && remote)
      legacy[{*local, *remote}].sockets.push_back(&socket);
  }

  Cells cells;
  const auto put = [&](Oid cell, const Oid& index, std::string value) {
    cell.insert(cell.end(), index.begin(), index.end());
    cells[std::move(cell)] = std::move(value);
  };
  for (const auto& [index, row] : connections) {
    put(kTcpConnectionState, index, integer(row.state()));
    put(kTcpConnectionProcess, index, gauge(row.process()));
  }
  for (const auto& [index, row] : listeners)
    put(kTcpListenerProcess, index, gauge(row.process()));
  for (const auto& [ends, row] : legacy) {
    cells[legacy_cell(1, ends)] = integer(row.state());
    cells[legacy_cell(2, ends)] = ip_address(ends.local);
    cells[legacy_cell(3, ends)] = integer(ends.local.port);
    cells[legacy_cell(4, ends)] = ip_address(ends.remote);
    cells[legacy_cell(5, ends)] = integer(ends.remote.port);
  }
  return cells;
}

// ---- What is served ----

void add_to(Cells& cells, const Answer& answer) {
  EXPECT_EQ(answer.error, "");
  for (const Varbind& varbind : answer.varbinds)
    cells[varbind.oid] = varbind.type + " " + varbind.value;
}

Cells walked(const Manager& manager) {
  Cells cells;
  for (const Oid& table : {kTcpConnTable, kTcpConnectionTable, kTcpListenerTable})
    add_to(cells, manager.bulk_walk(table));
  return cells;
}

// The same cells, each asked for by its name.
Cells got(const Manager& manager, const Cells& names) {
  constexpr std::size_t kPerRequest = 20;
  Cells cells;
  std::vector<Oid> request;
  for (auto cell = names.begin(); cell != names.end();) {
    request.push_back(cell->first);
    if (++cell == names.end() || request.size() == kPerRequest)
      add_to(cells, manager.get(std::exchange(request, {})));
  }
  return cells;
}

// "- " what is missing, "+ " what should not be there.
std::vector<std::string> difference(const Cells& wanted, const Cells& seen) {
  std::vector<std::string> lines;
  const auto compare = [&](const Cells& some, const Cells& others, const char* sign) {
    for (const auto& [oid, value] : some) {
      const auto other = others.find(oid);
      if (other == others.end() || other->second != value)
        lines.push_back(sign + text(oid) + " = " + value);
    }
  };
  compare(wanted, seen, "- ");
  compare(seen, wanted, "+ ");
  return lines;
}

class Population : public testing::TestWithParam<Forms> {
 protected:
  void SetUp() override {
    if (const auto reason = system_skip_reason())
      GTEST_SKIP() << *reason;
    if (const Output ss = run({"ss", "-V"}); ss.status != 0)
      GTEST_SKIP() << "ss, which judges here, cannot be run";
  }
};

TEST_P(Population, IsServedAsSsListsItAndFoundByGetAsAWalkShowsIt) {
  const People people;
  const Attached agent(people.here(), {}, {.settings = GetParam().settings});
  const Manager manager = agent.manager();

  Cells served, wanted;
  const auto served_as_listed = [&] {
    wanted = cells_of(list_sockets(people.here(), Holders::kYes), GetParam());
    served = walked(manager);
    return served == wanted;
  };
  EXPECT_TRUE(eventually(served_as_listed, kGreatPatience));
  EXPECT_THAT(difference(wanted, served), IsEmpty());
  EXPECT_THAT(difference(served, got(manager, served)), IsEmpty());
}

const Forms kForms[] = {
    {.name = "AsTheRfcSays", .settings = {}},
    {.name = "WithoutZones", .settings = {"mib.link-local=ipv6"}, .zones = false},
    {.name = "WithoutUnknown", .settings = {"mib.dual-stack-listener=ipv6"}, .unknown = false},
};

std::string forms_name(const testing::TestParamInfo<Forms>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(InEveryForm, Population, testing::ValuesIn(kForms), forms_name);

// Without these the test above would mean less than it says.
TEST(PeopleOfTheLab, AreInEveryStateAndShareRowsInEveryWay) {
  if (const auto& reason = Namespace::skip_reason())
    GTEST_SKIP() << *reason;
  if (const auto& reason = Namespace::filter_skip_reason())
    GTEST_SKIP() << *reason;
  const People people;
  const std::vector<SsRow> sockets = list_sockets(people.here(), Holders::kYes);
  std::set<std::string> states, unheld;
  std::map<Ends, std::set<std::string>> devices;
  std::map<Oid, std::set<std::string>> zones;
  for (const SsRow& socket : sockets) {
    states.insert(socket.state);
    if (socket.pids.empty())
      unheld.insert(socket.state);
    devices[socket.ends].insert(socket.device);
    Oid without_zone;
    append_inet(without_zone, socket.ends.local, kForms[1]);
    append_inet(without_zone, socket.ends.remote, kForms[1]);
    if (is_link_local(socket.ends.local))
      zones[without_zone].insert(socket.device);
  }
  EXPECT_THAT(states, SizeIs(10));
  EXPECT_THAT(unheld, IsSupersetOf({"SYN-RECV", "ESTAB", "FIN-WAIT-2", "TIME-WAIT"}));
  const auto twins = [](const auto& found) { return found.second.size() == 2; };
  EXPECT_EQ(std::ranges::count_if(devices, twins), 3);  // One connection, two listeners.
  EXPECT_EQ(std::ranges::count_if(zones, twins), 2);    // One connection, one listener.
}

}  // namespace
}  // namespace tcpmibd::lab
