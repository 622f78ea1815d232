#include "survey/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/builders.h"

namespace tcpmibd::tcp {

void PrintTo(const Tally& tally, std::ostream* out) {
  *out << "synSent " << tally.syn_sent << " synReceived " << tally.syn_received << " established "
       << tally.established << " finWait " << tally.fin_wait << " closeWait " << tally.close_wait
       << " lastAck " << tally.last_ack << " timeWait " << tally.time_wait << " total "
       << tally.total << " oldest " << tally.oldest_close_wait;
}

namespace {

using namespace lab;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kStart{1'000'000s};

// Looks at one host again and again, as the worker does.
class Surveyor {
 public:
  const Survey& look(const std::vector<Socket>& sockets, const std::vector<Quiet>& quiet = {}) {
    SnapshotBuilder builder(forms, now);
    for (const Socket& socket : sockets)
      builder.add(socket);
    for (const Socket& connection : mptcp)
      builder.add_mptcp(connection);
    const Snapshot snapshot = builder.finish(now + 1ms);
    sightings_ = Sightings::follow(sightings_, snapshot, quiet, {});
    survey_ = Survey::build({.snapshot = snapshot,
                             .sightings = sightings_,
                             .before = survey_ ? &*survey_ : nullptr,
                             .ephemeral = ephemeral,
                             .reuse = reuse,
                             .units = units,
                             .lost = lost ? &*lost : nullptr});
    return *survey_;
  }

  // Public: each test turns its own screws.
  Time now = kStart;
  AddressForms forms;
  std::vector<Socket> mptcp;  // connections of it
  std::optional<EphemeralRange> ephemeral = EphemeralRange::parse("32768\t60999", "").value();
  TimeWaitReuse reuse;
  FakeUnitLookup units;
  std::optional<LostConnections> lost;

 private:
  Sightings sightings_;
  std::optional<Survey> survey_;
};

Survey survey_of(const std::vector<Socket>& sockets) { return Surveyor().look(sockets); }

std::string port_text(std::uint32_t port) { return ":" + std::to_string(port); }

const Tally& tally_of_port(const Survey& survey, std::uint16_t port) {
  const auto found = std::ranges::find(survey.ports(), port, &PortFigures::port);
  if (found == survey.ports().end())
    throw std::invalid_argument("no port " + std::to_string(port));
  return found->tally;
}

// "10.0.0.1:80" and the number of its connections, for every listener.
std::vector<std::string> totals(const Survey& survey) {
  std::vector<std::string> texts;
  for (const ListenerFigures& listener : survey.listeners())
    texts.push_back(to_text(listener.key.address, listener.key.port) + " " +
                    std::to_string(listener.tally.total));
  return texts;
}

// ---------------------------------------------------------------------------------------- Tallies

TEST(Tally, CountsEveryStateInItsPlace) {
  Tally tally;
  for (const StateNames& names : kStates)
    tally.add(names.state, 9);
  EXPECT_EQ(tally, (Tally{.syn_sent = 1,
                          .syn_received = 1,
                          .established = 1,
                          .fin_wait = 3,
                          .close_wait = 1,
                          .last_ack = 1,
                          .time_wait = 1,
                          .total = 9,
                          .oldest_close_wait = 9}));
}

TEST(Tally, KnowsTheOldestCloseWaitOnly) {
  Tally tally;
  tally.add(State::kCloseWait, 5);
  tally.add(State::kCloseWait, 3);
  tally.add(State::kTimeWait, 60);
  EXPECT_EQ(tally.oldest_close_wait, 5u);
}

TEST(Tally, AddedToAnotherIsBoth) {
  Tally one, other, both;
  std::uint32_t age = 0;
  for (const StateNames& names : kStates) {
    ++age;
    (age % 2 == 0 ? one : other).add(names.state, age);
    both.add(names.state, age);
  }
  EXPECT_EQ(Tally(one) += other, both);
  EXPECT_EQ(Tally(other) += one, both);
}

// ------------------------------------------------------------------------------ Ports, listeners

TEST(Ports, AreThoseThatSomebodyListensOn) {
  const Survey survey = survey_of({listener("0.0.0.0:443"), listener("10.0.0.1:22"),
                                   listener("[::]:443", {.v6only = true}), listener("[::]:80"),
                                   established("10.0.0.1:9", "10.0.0.9:1")});
  std::vector<std::uint16_t> ports;
  for (const PortFigures& port : survey.ports())
    ports.push_back(port.port);
  EXPECT_THAT(ports, ElementsAre(22, 80, 443));
  EXPECT_EQ(survey.ports()[2].accepting.sockets, 2u);
}

TEST(Ports, CountTheirConnectionsByState) {
  const Survey survey = survey_of({
      listener("0.0.0.0:22"),
      established("10.0.0.1:22", "10.0.0.9:1"),
      established("10.0.0.1:22", "10.0.0.9:2", {.state = State::kCloseWait}),
      established("10.0.0.2:22", "10.0.0.9:3", {.state = State::kTimeWait}),
      established("10.0.0.1:23", "10.0.0.9:4"),
      established("10.0.0.1:5000", "10.0.0.9:22"),
  });
  EXPECT_EQ(tally_of_port(survey, 22),
            (Tally{.established = 1, .close_wait = 1, .time_wait = 1, .total = 3}));
}

TEST(Ports, CountConnectionsToAddressesThatNobodyListensOn) {
  const Survey survey =
      survey_of({listener("10.0.0.1:22"), established("10.0.0.2:22", "10.0.0.9:1")});
  EXPECT_EQ(tally_of_port(survey, 22).total, 1u);
  EXPECT_THAT(totals(survey), ElementsAre("10.0.0.1:22 0"));
}

TEST(Ports, CountTwins) {
  const Survey survey =
      survey_of({listener("0.0.0.0:22"), established("10.0.0.1:22", "10.0.0.9:1", {.interface = 2}),
                 established("10.0.0.1:22", "10.0.0.9:1", {.interface = 3})});
  EXPECT_EQ(tally_of_port(survey, 22).established, 2u);
}

TEST(Listeners, AreAscendingByIndexWithTheirPortsApart) {
  const Survey survey =
      survey_of({listener("[::1]:22"), listener("10.0.0.1:443"), listener("0.0.0.0:443"),
                 listener("[::]:22"), listener("10.0.0.1:22"), listener("[fe80::1%2]:22")});
  EXPECT_THAT(totals(survey), ElementsAre("*:22 0", "0.0.0.0:443 0", "10.0.0.1:22 0",
                                          "10.0.0.1:443 0", "[::1]:22 0", "[fe80::1%2]:22 0"));
  for (const ListenerFigures& figures : survey.listeners()) {
    ASSERT_THAT(survey.sockets_of(figures), SizeIs(1));
    EXPECT_EQ(survey.sockets_of(figures).front().key, figures.key);
  }
}

TEST(Listeners, OfBothFamiliesCountBoth) {
  const Survey survey = survey_of({listener("[::]:22"), established("10.0.0.1:22", "10.0.0.9:1"),
                                   established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:2"),
                                   established("[2001:db8::1]:22", "[2001:db8::9]:3"),
                                   established("[fe80::1%2]:22", "[fe80::9%2]:4")});
  EXPECT_THAT(totals(survey), ElementsAre("*:22 4"));
}

TEST(Listeners, OfOneFamilyComeBeforeOneOfBoth) {
  const Survey survey = survey_of(
      {listener("0.0.0.0:22"), listener("[::]:22"), established("10.0.0.1:22", "10.0.0.9:1"),
       established("10.0.0.1:22", "10.0.0.9:2"), established("[::1]:22", "[::1]:3")});
  EXPECT_THAT(totals(survey), ElementsAre("*:22 1", "0.0.0.0:22 2"));
}

TEST(Listeners, OfIpv6OnlyCountNoIpv4) {
  const Survey survey =
      survey_of({listener("[::]:22", {.v6only = true}), established("10.0.0.1:22", "10.0.0.9:1"),
                 established("[fe80::1%2]:22", "[fe80::9%2]:4")});
  EXPECT_THAT(totals(survey), ElementsAre("[::]:22 1"));
  EXPECT_EQ(tally_of_port(survey, 22).total, 2u);
}

TEST(Listeners, WithTheAddressItselfComeBeforeAnyWildcard) {
  const Survey survey = survey_of(
      {listener("0.0.0.0:22"), listener("10.0.0.1:22"), listener("[::]:22", {.v6only = true}),
       listener("[::1]:22"), established("10.0.0.1:22", "10.0.0.9:1"),
       established("10.0.0.2:22", "10.0.0.9:1"), established("10.0.0.3:22", "10.0.0.9:1"),
       established("[::1]:22", "[::1]:1"), established("[2001:db8::1]:22", "[::1]:1")});
  EXPECT_THAT(totals(survey),
              ElementsAre("0.0.0.0:22 2", "10.0.0.1:22 1", "[::]:22 1", "[::1]:22 1"));
}

TEST(Listeners, OfLinkLocalAddressesAreToldApartByTheirZones) {
  const Survey survey = survey_of({listener("[fe80::1%2]:22"), listener("[fe80::1%3]:22"),
                                   established("[fe80::1%2]:22", "[fe80::9%2]:1"),
                                   established("[fe80::1%3]:22", "[fe80::9%3]:1"),
                                   established("[fe80::1%3]:22", "[fe80::9%3]:2"),
                                   established("[fe80::1%4]:22", "[fe80::9%4]:2")});
  EXPECT_THAT(totals(survey), ElementsAre("[fe80::1%2]:22 1", "[fe80::1%3]:22 2"));
}

TEST(Listeners, OfLinkLocalAddressesCountAlsoWhereZonesAreLeftOut) {
  Surveyor surveyor;
  surveyor.forms = {.zones = false};
  const Survey& survey = surveyor.look({listener("[fe80::1%2]:22"), listener("[::]:22"),
                                        established("[fe80::1%2]:22", "[fe80::9%2]:1"),
                                        established("[fe80::2%2]:22", "[fe80::9%2]:1")});
  EXPECT_THAT(totals(survey), ElementsAre("*:22 1", "[fe80::1%2]:22 1"));
}

TEST(Listeners, HaveTheFormsOfTheRfcWhateverTheRowsHave) {
  Surveyor surveyor;
  surveyor.forms = {.dual_stack_as_unknown = false};
  const Survey& survey =
      surveyor.look({listener("[::]:22"), established("10.0.0.1:22", "10.0.0.9:1")});
  EXPECT_THAT(totals(survey), ElementsAre("*:22 1"));
}

TEST(Listeners, ThatShareAnIndexAreOneAndCountConnectionsOnce) {
  const Survey survey = survey_of({listener("0.0.0.0:80", {.inode = 31, .queue = 1, .backlog = 4}),
                                   listener("0.0.0.0:80", {.inode = 32, .queue = 3, .backlog = 4}),
                                   listener("0.0.0.0:80", {.inode = 33, .queue = 0, .backlog = 4}),
                                   established("10.0.0.1:80", "10.0.0.9:1")});
  ASSERT_THAT(survey.listeners(), SizeIs(1));
  const ListenerFigures& group = survey.listeners()[0];
  EXPECT_EQ(group.tally.total, 1u);
  EXPECT_EQ(group.accepting.sockets, 3u);
  EXPECT_EQ(group.accepting.queue, 4u);
  EXPECT_EQ(group.accepting.backlog, 12u);
  EXPECT_EQ(group.accepting.percent, 75u) << "of the fullest, not of all";
  EXPECT_THAT(survey.sockets_of(group), SizeIs(3));
}

TEST(Listeners, OfSeveralIndexesMakeUpTheirPort) {
  const Survey survey = survey_of({
      listener("[::1]:443", {.inode = 4, .queue = 1, .backlog = 2, .discards = 1}),
      listener("10.0.0.1:443", {.inode = 3, .queue = 2, .backlog = 8, .discards = 20}),
      listener("10.0.0.1:80", {.inode = 1, .queue = 9, .backlog = 10, .discards = 300}),
      listener("10.0.0.1:443", {.inode = 2, .queue = 4, .backlog = 64, .discards = 4000}),
  });
  ASSERT_THAT(survey.ports(), SizeIs(2));
  const PortFigures& port = survey.ports()[1];
  EXPECT_EQ(port.accepting.sockets, 3u);
  EXPECT_EQ(port.accepting.queue, 7u);
  EXPECT_EQ(port.accepting.backlog, 74u);
  EXPECT_EQ(port.accepting.percent, 50u);
  EXPECT_EQ(port.accepting.discards, 4021u);
  std::vector<std::uint32_t> inodes;
  for (const ListeningSocket& socket : survey.sockets_of(port))
    inodes.push_back(socket.inode);
  EXPECT_THAT(inodes, testing::UnorderedElementsAre(2, 3, 4));
}

// ------------------------------------------------------------------------------------ The queues

struct QueueCase {
  const char* why;
  std::uint32_t queue, backlog, percent;
};

constexpr QueueCase kQueueCases[] = {
    {"empty", 0, 128, 0},
    {"rounded down", 1, 128, 0},
    {"nearly full", 127, 128, 99},
    {"full", 128, 128, 100},
    {"the kernel lets one more in", 129, 128, 100},
    {"a backlog of none, and nobody waits", 0, 0, 0},
    {"a backlog of none, and one waits", 1, 0, 100},
    {"beyond 32 bits on the way", 3'000'000'000, 4'000'000'000, 75},
};

TEST(AcceptQueues, AreFullByTheirBacklog) {
  for (const QueueCase& c : kQueueCases) {
    const Survey survey =
        survey_of({listener("0.0.0.0:80", {.queue = c.queue, .backlog = c.backlog})});
    EXPECT_EQ(survey.ports()[0].accepting.percent, c.percent) << c.why;
    EXPECT_EQ(survey.listeners()[0].accepting.percent, c.percent) << c.why;
  }
}

TEST(AcceptQueues, OfTheSameSocketsCountOn) {
  Surveyor surveyor;
  surveyor.look({listener("0.0.0.0:80", {.cookie = 1, .discards = 5})});
  surveyor.now += 10s;
  surveyor.look({listener("0.0.0.0:80", {.cookie = 1, .discards = 7})});
  surveyor.now += 10s;
  const Survey& survey = surveyor.look({listener("0.0.0.0:80", {.cookie = 1, .discards = 9})});
  EXPECT_EQ(survey.ports()[0].accepting.unchanged_since, kStart);
  EXPECT_EQ(survey.listeners()[0].accepting.unchanged_since, kStart);
  EXPECT_EQ(survey.ports()[0].accepting.discards, 9u);
}

using Lost = LostConnections::Kind;

TEST(LostConnections, AddUpByPortAndByAddressFromSurveyToSurvey) {
  Surveyor surveyor;
  const std::vector<Socket> sockets{
      listener("10.0.0.1:80", {.cookie = 1}), listener("10.0.0.1:80", {.cookie = 2}),
      listener("10.0.0.2:80", {.cookie = 3}), listener("10.0.0.1:22", {.cookie = 4})};
  for (const auto& lost : std::vector<LostConnections>{{Lost::kBaseline, {0, 0, 0, 0}},
                                                       {Lost::kKnown, {1000, 1, 10, 100}},
                                                       {Lost::kUnknown, {0, 0, 0, 0}},
                                                       {Lost::kKnown, {1000, 1, 10, 100}}}) {
    surveyor.lost = lost;
    surveyor.now += 10s;
    EXPECT_EQ(surveyor.look(sockets).knows_drops(), lost.kind != Lost::kUnknown);
  }
  const Survey& survey = surveyor.look(sockets);  // The same once more.
  ASSERT_THAT(survey.ports(), SizeIs(2));
  EXPECT_EQ(survey.ports()[0].accepting.drops, 3000u) << "22: the first in the order of sockets";
  EXPECT_EQ(survey.ports()[1].accepting.drops, 3u * 111);
  ASSERT_THAT(survey.listeners(), SizeIs(3));
  std::vector<std::uint32_t> by_address;
  for (const ListenerFigures& each : survey.listeners())
    by_address.push_back(each.accepting.drops);
  EXPECT_THAT(by_address, ElementsAre(3000u, 3u * 11, 3u * 100));
  EXPECT_EQ(survey.ports()[0].accepting.counted_since, kStart + 10s);
  EXPECT_EQ(survey.ports()[0].accepting.unchanged_since, kStart + 10s);
}

TEST(LostConnections, OfAPortOutliveItsSockets) {
  Surveyor surveyor;
  surveyor.lost = LostConnections{Lost::kKnown, {5}};
  surveyor.look({listener("0.0.0.0:80", {.cookie = 1})});
  surveyor.now += 10s;
  const AcceptQueues& anew =
      surveyor.look({listener("0.0.0.0:80", {.cookie = 2})}).ports()[0].accepting;
  EXPECT_EQ(anew.drops, 10u);
  EXPECT_EQ(anew.counted_since, kStart);
  EXPECT_EQ(anew.unchanged_since, kStart + 10s);
}

TEST(LostConnections, OfAPortThatNobodyListenedOnMeanwhileBeginAnew) {
  Surveyor surveyor;
  surveyor.lost = LostConnections{Lost::kKnown, {5}};
  surveyor.look({listener("0.0.0.0:80", {.cookie = 1})});
  surveyor.now += 10s;
  surveyor.look({listener("0.0.0.0:81", {.cookie = 2})});
  surveyor.now += 10s;
  const AcceptQueues& anew =
      surveyor.look({listener("0.0.0.0:80", {.cookie = 1})}).ports()[0].accepting;
  EXPECT_EQ(anew.drops, 5u);
  EXPECT_EQ(anew.counted_since, kStart + 20s);
}

TEST(LostConnections, ThatCannotBeComparedAreADiscontinuity) {
  Surveyor surveyor;
  const std::vector<Socket> sockets{listener("0.0.0.0:80", {.cookie = 1})};
  surveyor.lost = LostConnections{Lost::kKnown, {5}};
  surveyor.look(sockets);
  surveyor.now += 10s;
  surveyor.lost = LostConnections{Lost::kBaseline, {0}};
  const AcceptQueues& after = surveyor.look(sockets).ports()[0].accepting;
  EXPECT_EQ(after.drops, 5u);
  EXPECT_EQ(after.unchanged_since, kStart + 10s);
}

TEST(LostConnections, AreNotKnownWhereNobodyTellsThem) {
  EXPECT_FALSE(survey_of({listener("0.0.0.0:80")}).knows_drops());
}

TEST(AcceptQueues, OfOtherSocketsBeginAnew) {
  const std::vector<std::vector<Socket>> others = {
      {listener("0.0.0.0:80", {.cookie = 3})},
      {listener("0.0.0.0:80", {.cookie = 1})},
      {listener("0.0.0.0:80", {.cookie = 1}), listener("0.0.0.0:80", {.cookie = 3})},
      {listener("0.0.0.0:80", {.cookie = 1}), listener("0.0.0.0:80", {.cookie = 2}),
       listener("0.0.0.0:80", {.cookie = 3})},
  };
  for (const std::vector<Socket>& other : others) {
    Surveyor surveyor;
    surveyor.look({listener("0.0.0.0:80", {.cookie = 1}), listener("0.0.0.0:80", {.cookie = 2})});
    surveyor.now += 10s;
    const Survey& survey = surveyor.look(other);
    EXPECT_EQ(survey.ports()[0].accepting.unchanged_since, kStart + 10s);
    EXPECT_EQ(survey.listeners()[0].accepting.unchanged_since, kStart + 10s);
  }
}

TEST(AcceptQueues, BeginAnewAloneWhereOneAddressOfAPortChanges) {
  Surveyor surveyor;
  surveyor.look({listener("10.0.0.1:80", {.cookie = 1}), listener("10.0.0.2:80", {.cookie = 2}),
                 listener("10.0.0.1:22", {.cookie = 4})});
  surveyor.now += 10s;
  const Survey& survey =
      surveyor.look({listener("10.0.0.1:80", {.cookie = 1}), listener("10.0.0.2:80", {.cookie = 3}),
                     listener("10.0.0.1:22", {.cookie = 4})});
  EXPECT_EQ(survey.ports()[0].accepting.unchanged_since, kStart);
  EXPECT_EQ(survey.ports()[1].accepting.unchanged_since, kStart + 10s);
  EXPECT_EQ(survey.listeners()[0].accepting.unchanged_since, kStart);
  EXPECT_EQ(survey.listeners()[1].accepting.unchanged_since, kStart);
  EXPECT_EQ(survey.listeners()[2].accepting.unchanged_since, kStart + 10s);
}

TEST(AcceptQueues, ThatWereGoneMeanwhileBeginAnew) {
  Surveyor surveyor;
  const std::vector<Socket> sockets = {listener("10.0.0.1:80", {.cookie = 1})};
  surveyor.look(sockets);
  surveyor.look({});
  surveyor.now += 10s;
  EXPECT_EQ(surveyor.look(sockets).ports()[0].accepting.unchanged_since, kStart + 10s);
}

// ----------------------------------------------------------------------------------------- Units

std::vector<std::string> unit_names(const Survey& survey) {
  std::vector<std::string> names;
  std::ranges::transform(survey.units(), std::back_inserter(names), &UnitFigures::name);
  return names;
}

TEST(Units, CountTheirConnectionsAndListeners) {
  const Survey survey = survey_of(
      {listener("0.0.0.0:22", {.cgroup = 7}), listener("[::]:22", {.cgroup = 7}),
       established("10.0.0.1:22", "10.0.0.9:1", {.cgroup = 7}),
       established("10.0.0.1:22", "10.0.0.9:2",
                   {.state = State::kCloseWait, .cookie = 5, .cgroup = 7}),
       established("10.0.0.1:5000", "10.0.0.9:3", {.state = State::kSynSent, .cgroup = 8})});
  ASSERT_THAT(unit_names(survey), ElementsAre("u7.service", "u8.service"));
  EXPECT_EQ(survey.units()[0].listeners, 2u);
  EXPECT_EQ(survey.units()[0].tally, (Tally{.established = 1, .close_wait = 1, .total = 2}));
  EXPECT_EQ(survey.units()[1].listeners, 0u);
  EXPECT_EQ(survey.units()[1].tally, (Tally{.syn_sent = 1, .total = 1}));
}

TEST(Units, DoNotCountWhatHasNoCgroup) {
  const Survey survey =
      survey_of({listener("0.0.0.0:22"), established("10.0.0.1:22", "10.0.0.9:1", {.cgroup = 7}),
                 established("10.0.0.1:22", "10.0.0.9:2", {.state = State::kTimeWait}),
                 established("10.0.0.1:22", "10.0.0.9:3", {.state = State::kSynReceived})});
  ASSERT_THAT(unit_names(survey), ElementsAre("u7.service"));
  EXPECT_EQ(survey.units()[0].tally.total, 1u);
  EXPECT_EQ(survey.ports()[0].unit, "");
}

TEST(Units, OfSeveralCgroupsAreOne) {
  Surveyor surveyor;
  surveyor.units.set(7, "user.slice");
  surveyor.units.set(8, "user.slice");
  const Survey& survey = surveyor.look({established("10.0.0.1:22", "10.0.0.9:1", {.cgroup = 7}),
                                        established("10.0.0.1:22", "10.0.0.9:2", {.cgroup = 8}),
                                        listener("0.0.0.0:22", {.cgroup = 8})});
  ASSERT_THAT(unit_names(survey), ElementsAre("user.slice"));
  EXPECT_EQ(survey.units()[0].tally.established, 2u);
  EXPECT_EQ(survey.units()[0].listeners, 1u);
}

TEST(Units, WhoseCgroupHasOnlyClosedConnectionsLeftAreNone) {
  EXPECT_THAT(unit_names(survey_of({established("10.0.0.1:22", "10.0.0.9:1",
                                                {.state = State::kClosed, .cgroup = 7})})),
              IsEmpty());
}

TEST(Units, OfAPortAreThoseOfItsFirstSocket) {
  const Survey survey = survey_of({listener("10.0.0.2:80", {.cgroup = 8}),
                                   listener("10.0.0.1:80", {.cgroup = 7}), listener("[::]:22")});
  EXPECT_EQ(survey.ports()[0].unit, "");
  EXPECT_EQ(survey.ports()[1].unit, "u7.service");
}

TEST(Units, SortByLengthAndThenOctets) {
  Surveyor surveyor;
  const std::string names[] = {"b", "aa", "\xff", "ab", "a", "-unit"};
  std::vector<Socket> sockets;
  for (std::uint32_t i = 0; i < std::size(names); ++i) {
    surveyor.units.set(i + 1, names[i]);
    sockets.push_back(established("10.0.0.1" + port_text(i + 1), "10.0.0.9:1", {.cgroup = i + 1}));
  }
  EXPECT_THAT(unit_names(surveyor.look(sockets)),
              ElementsAre("a", "b", "\xff", "aa", "ab", "-unit"));
}

TEST(Units, BeyondTheBusiestAreLeftOut) {
  std::vector<Socket> sockets;
  const auto add = [&](std::uint64_t unit) {
    const auto port = static_cast<std::uint32_t>(sockets.size() + 1);
    sockets.push_back(established("10.0.0.1" + port_text(port), "10.0.0.9:1", {.cgroup = unit}));
  };
  constexpr std::uint64_t kFirst = 100;  // names of one length
  constexpr std::uint64_t kUnits = kMostUnits + 6;
  for (std::uint64_t unit = kFirst; unit < kFirst + kUnits; ++unit)
    add(unit);
  add(kFirst + kUnits - 1);
  sockets.push_back(listener("0.0.0.0:9999", {.cgroup = kFirst + kUnits - 2}));
  const Survey survey = survey_of(sockets);
  EXPECT_EQ(survey.units_left_out(), 6u);
  std::vector<std::string> want;
  for (std::uint64_t unit = kFirst; unit < kFirst + kMostUnits - 2; ++unit)
    want.push_back("u" + std::to_string(unit) + ".service");
  want.push_back("u" + std::to_string(kFirst + kUnits - 2) + ".service");
  want.push_back("u" + std::to_string(kFirst + kUnits - 1) + ".service");
  EXPECT_EQ(unit_names(survey), want);
}

TEST(Units, AsManyAsFitAreAllKept) {
  std::vector<Socket> sockets;
  for (std::uint32_t i = 1; i <= kMostUnits; ++i)
    sockets.push_back(established("10.0.0.1" + port_text(i), "10.0.0.9:1", {.cgroup = i}));
  const Survey survey = survey_of(sockets);
  EXPECT_THAT(survey.units(), SizeIs(kMostUnits));
  EXPECT_EQ(survey.units_left_out(), 0u);
}

// --------------------------------------------------------------------------------------- Remotes

std::vector<std::string> remote_texts(const Survey& survey) {
  std::vector<std::string> texts;
  for (const RemoteFigures& remote : survey.remotes())
    texts.push_back(to_text(remote.address) + " " + std::to_string(remote.tally.total));
  return texts;
}

TEST(Remotes, AreRankedByTheirConnectionsAndThenByAddress) {
  const Survey survey = survey_of({
      established("10.0.0.1:22", "10.0.0.9:1"),
      established("10.0.0.1:22", "10.0.0.9:2", {.state = State::kTimeWait}),
      established("[2001:db8::1]:22", "[2001:db8::9]:2"),
      established("10.0.0.1:22", "10.0.0.8:2"),
      established("[fe80::1%2]:22", "[fe80::9%2]:2"),
      established("[fe80::1%3]:22", "[fe80::9%3]:2"),
      listener("0.0.0.0:22"),
  });
  EXPECT_THAT(remote_texts(survey), ElementsAre("10.0.0.9 2", "10.0.0.8 1", "2001:db8::9 1",
                                                "fe80::9%2 1", "fe80::9%3 1"));
  EXPECT_EQ(survey.remotes()[0].tally, (Tally{.established = 1, .time_wait = 1, .total = 2}));
  EXPECT_EQ(survey.remotes_left_out(), 0u);
}

TEST(Remotes, OfMappedAddressesAreThoseOfIpv4) {
  const Survey survey = survey_of({established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1"),
                                   established("10.0.0.1:22", "10.0.0.9:2")});
  EXPECT_THAT(remote_texts(survey), ElementsAre("10.0.0.9 2"));
}

TEST(Remotes, BeyondTheBusiestAreLeftOut) {
  std::vector<Socket> sockets;
  const auto address = [](std::uint32_t i) {
    return "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256);
  };
  constexpr std::uint32_t kRemotes = kMostRemotes + 5;
  for (std::uint32_t i = 0; i < kRemotes; ++i)
    sockets.push_back(established("10.9.0.1:22", address(i) + ":1"));
  sockets.push_back(established("10.9.0.1:22", address(kRemotes - 1) + ":2"));
  const Survey survey = survey_of(sockets);
  ASSERT_THAT(survey.remotes(), SizeIs(kMostRemotes));
  EXPECT_EQ(survey.remotes_left_out(), 5u);
  const std::vector<std::string> texts = remote_texts(survey);
  EXPECT_EQ(texts.front(), address(kRemotes - 1) + " 2");
  EXPECT_EQ(texts[1], address(0) + " 1");
  EXPECT_EQ(texts.back(), address(kMostRemotes - 2) + " 1");
}

// ------------------------------------------------------------------------------- Ephemeral ports

TEST(EphemeralPorts, OfTheFullestRouteAreTold) {
  const Survey survey = survey_of({
      established("10.0.0.1:40000", "10.0.0.9:5432"),
      established("10.0.0.1:40001", "10.0.0.9:5432"),
      established("10.0.0.1:40002", "10.0.0.9:5432", {.state = State::kTimeWait}),
      established("10.0.0.1:40003", "10.0.0.9:5433"),
      established("10.0.0.1:40004", "10.0.0.9:5433"),
      established("10.0.0.2:40005", "10.0.0.9:5432"),
      established("10.0.0.1:40006", "10.0.0.8:5432"),
  });
  EXPECT_EQ(survey.ephemeral().used, 3u);
  EXPECT_EQ(to_text(survey.ephemeral().local), "10.0.0.1");
  EXPECT_EQ(to_text(survey.ephemeral().remote), "10.0.0.9");
  EXPECT_EQ(survey.ephemeral().remote_port, 5432);
}

TEST(EphemeralPorts, AreThoseOfTheRangeThatAreNotReserved) {
  Surveyor surveyor;
  surveyor.ephemeral = EphemeralRange::parse("32768\t60999", "40000-40001").value();
  const auto used = [&](std::uint32_t port) {
    return surveyor.look({established("10.0.0.1" + port_text(port), "10.0.0.9:1")})
        .ephemeral()
        .used;
  };
  for (const std::uint32_t port : {32768u, 39999u, 40002u, 60999u})
    EXPECT_EQ(used(port), 1u) << port;
  for (const std::uint32_t port : {1u, 32767u, 40000u, 40001u, 61000u, 65535u})
    EXPECT_EQ(used(port), 0u) << port;
}

TEST(EphemeralPorts, ThatSomebodyListensOnWereNotChosenByTheKernel) {
  const Survey survey =
      survey_of({listener("0.0.0.0:40000"), established("10.0.0.1:40000", "10.0.0.9:1"),
                 established("10.0.0.1:40001", "10.0.0.9:2")});
  EXPECT_EQ(survey.ephemeral().used, 1u);
  EXPECT_EQ(survey.ephemeral().remote_port, 2);
}

TEST(EphemeralPorts, OfARangeThatIsUnknownAreNone) {
  Surveyor surveyor;
  surveyor.ephemeral.reset();
  EXPECT_EQ(surveyor.look({established("10.0.0.1:40000", "10.0.0.9:1")}).ephemeral().used, 0u);
}

TEST(EphemeralPorts, OfEqualRoutesAreAlwaysThoseOfTheSame) {
  std::vector<Socket> sockets;
  for (std::uint32_t port = 1; port <= 20; ++port)
    sockets.push_back(
        established("10.0.0.1" + port_text(40000 + port), "10.0.0.9" + port_text(port)));
  for (int i = 0; i < 20; ++i) {
    std::ranges::rotate(sockets, sockets.begin() + 7);
    EXPECT_EQ(survey_of(sockets).ephemeral().remote_port, 20);
  }
}

// Sixty seconds less what the timer has left is how long it has waited.
Socket in_time_wait(const char* local, const char* remote, std::uint32_t left_ms,
                    const SocketOptions& options = {}) {
  SocketOptions with = options;
  with.state = options.state == State::kEstablished ? State::kTimeWait : options.state;
  with.timer = Timer::kTimeWait;
  with.expires_ms = left_ms;
  return established(local, remote, with);
}

using Scope = TimeWaitReuse::Scope;

struct TakeOverCase {
  const char* why;
  TimeWaitReuse reuse;
  Socket socket;
  bool is_used;
};

const TakeOverCase kTakeOverCases[] = {
    {"over the loopback, for more than a second",
     {.scope = Scope::kLoopback},
     in_time_wait("127.0.0.1:40000", "127.0.0.1:80", 58'999),
     false},
    {"for a second, and no more",
     {.scope = Scope::kLoopback},
     in_time_wait("127.0.0.1:40000", "127.0.0.1:80", 59'000),
     true},
    {"for longer than is set",
     {.scope = Scope::kLoopback, .after_ms = 100},
     in_time_wait("127.0.0.1:40000", "127.0.0.1:80", 59'899),
     false},
    {"the kernel takes none over", {}, in_time_wait("127.0.0.1:40000", "127.0.0.1:80", 1), true},
    {"only one end is of the loopback",
     {.scope = Scope::kLoopback},
     in_time_wait("10.0.0.1:40000", "127.9.9.9:80", 1),
     false},
    {"the other end is",
     {.scope = Scope::kLoopback},
     in_time_wait("127.9.9.9:40000", "10.0.0.1:80", 1),
     false},
    {"neither end is",
     {.scope = Scope::kLoopback},
     in_time_wait("10.0.0.1:40000", "10.0.0.1:80", 1),
     true},
    {"bound to lo",
     {.scope = Scope::kLoopback},
     in_time_wait("10.0.0.1:40000", "10.0.0.1:80", 1, {.interface = 1}),
     false},
    {"bound to another device",
     {.scope = Scope::kLoopback},
     in_time_wait("10.0.0.1:40000", "10.0.0.1:80", 1, {.interface = 2}),
     true},
    {"over the loopback of IPv6",
     {.scope = Scope::kLoopback},
     in_time_wait("[::1]:40000", "[::1]:80", 1),
     false},
    {"of IPv6, one end",
     {.scope = Scope::kLoopback},
     in_time_wait("[2001:db8::1]:40000", "[::1]:80", 1),
     false},
    {"of IPv6, none",
     {.scope = Scope::kLoopback},
     in_time_wait("[2001:db8::1]:40000", "[2001:db8::1]:80", 1),
     true},
    {"v4-mapped",
     {.scope = Scope::kLoopback},
     in_time_wait("[::ffff:127.0.0.1]:40000", "[::ffff:127.0.0.1]:80", 1),
     false},
    {"anywhere, where that is set",
     {.scope = Scope::kAll},
     in_time_wait("10.0.0.1:40000", "10.0.0.9:80", 1),
     false},
    {"FIN_WAIT2 without an owner",
     {.scope = Scope::kAll},
     in_time_wait("10.0.0.1:40000", "10.0.0.9:80", 1, {.state = State::kFinWait2}),
     true},
    {"established", {.scope = Scope::kAll}, established("10.0.0.1:40000", "10.0.0.9:80"), true},
};

TEST(EphemeralPorts, InTimeWaitThatTheKernelTakesOverAreNotUsed) {
  for (const TakeOverCase& c : kTakeOverCases) {
    Surveyor surveyor;
    surveyor.reuse = c.reuse;
    EXPECT_EQ(surveyor.look({c.socket}).ephemeral().used, c.is_used ? 1U : 0U) << c.why;
  }
}

// `count` connections from `first` on, each `step` ports further, each to another remote address.
void add_calls(std::vector<Socket>& sockets, const char* local, std::uint32_t first,
               std::uint32_t step, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i)
    sockets.push_back(established(local + port_text(first + step * i),
                                  "10.9.0." + std::to_string(i + 1) + ":80"));
}

TEST(EphemeralPorts, ThatAreBoundAreGoneForAllRemoteEnds) {
  std::vector<Socket> sockets;
  add_calls(sockets, "10.0.0.1", 32769, 2, 50);  // bind() tries odd ones first,
  add_calls(sockets, "10.0.0.1", 32768, 2, 20);  // and takes the others, too.
  add_calls(sockets, "10.0.0.2", 32769, 2, 60);
  const Survey survey = survey_of(sockets);
  EXPECT_EQ(survey.ephemeral().used, 2u);
  EXPECT_EQ(survey.ephemeral().bound, 70u);
  EXPECT_EQ(to_text(survey.ephemeral().bound_local), "10.0.0.1");
  EXPECT_EQ(survey.ephemeral().most(), 70u);
}

TEST(EphemeralPorts, ThatConnectChoseAreNotTakenForBound) {
  std::vector<Socket> sockets;
  add_calls(sockets, "10.0.0.1", 32768, 2, 100);
  EXPECT_EQ(survey_of(sockets).ephemeral().bound, 0u);
  add_calls(sockets, "10.0.0.1", 32769, 2, 30);
  EXPECT_EQ(survey_of(sockets).ephemeral().bound, 60u) << "as far as bind() has its share";
}

TEST(EphemeralPorts, OfManyRemoteEndsAreOneEach) {
  std::vector<Socket> sockets;
  for (const char* remote : {"10.9.0.1:80", "10.9.0.2:80", "10.9.0.2:81"})
    sockets.push_back(established("10.0.0.1:32769", remote));
  sockets.push_back(established("[2001:db8::1]:32769", "[2001:db8::2]:80"));
  sockets.push_back(established("[2001:db8::1]:32771", "[2001:db8::2]:80"));
  const Survey survey = survey_of(sockets);
  EXPECT_EQ(survey.ephemeral().bound, 2u);
  EXPECT_EQ(to_text(survey.ephemeral().bound_local), "2001:db8::1");
}

// Bound to two devices, they have one index; the second one comes after all other rows.
TEST(EphemeralPorts, OfTwinsAreOne) {
  std::vector<Socket> sockets;
  add_calls(sockets, "10.0.0.1", 32769, 2, 3);
  for (Socket socket : std::vector(sockets)) {
    socket.id.interface = 7;
    socket.id.cookie += 1'000'000;
    sockets.push_back(socket);
  }
  EXPECT_EQ(survey_of(sockets).ephemeral().bound, 3u);
  EXPECT_EQ(survey_of(sockets).ephemeral().used, 2u) << "the kernel has two of them";
}

// `count` ports from 40001 on, each second one, then those between them, towards `remotes` ends.
std::vector<Socket> waiting_calls(std::uint32_t count, std::uint32_t remotes) {
  std::vector<Socket> sockets;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t port = i < 50 ? 40'001 + 2 * i : 40'000 + 2 * (i - 50);
    const std::string remote = "127.0.1." + std::to_string(i % remotes + 1) + ":80";
    sockets.push_back(
        in_time_wait(("127.0.0.1" + port_text(port)).c_str(), remote.c_str(), 30'000));
  }
  return sockets;
}

// Nobody takes over what bind() chose; connect() chooses of bind()'s parity only when its own is
// used up.
TEST(EphemeralPorts, ThatWereBoundAreGoneAsLongAsTheyWait) {
  Surveyor surveyor;
  surveyor.reuse = {.scope = Scope::kLoopback};
  surveyor.ephemeral = EphemeralRange::parse("40000\t40099", "").value();
  EXPECT_EQ(surveyor.look(waiting_calls(30, 5)).ephemeral().bound, 30u);
  EXPECT_EQ(surveyor.look(waiting_calls(80, 5)).ephemeral().bound, 80u);
  EXPECT_EQ(surveyor.look(waiting_calls(100, 5)).ephemeral().bound, 100u);
  EXPECT_EQ(surveyor.look(waiting_calls(100, 5)).ephemeral().used, 0u);
  for (const std::uint32_t count : {49u, 50u, 60u, 99u})
    EXPECT_EQ(surveyor.look(waiting_calls(count, 1)).ephemeral().bound, count);
  EXPECT_EQ(surveyor.look(waiting_calls(100, 1)).ephemeral().bound, 0u) << "connect() may have";
}

// It has used them up then, though some of its parity are not to be had.
TEST(EphemeralPorts, OfConnectsParityAreUsedUpWithoutThoseThatNobodyMayChoose) {
  Surveyor surveyor;
  surveyor.reuse = {.scope = Scope::kLoopback};
  std::vector<Socket> sockets;
  for (const std::uint32_t port : {40'000u, 40'001u, 40'002u, 40'003u})
    sockets.push_back(
        in_time_wait(("127.0.0.1" + port_text(port)).c_str(), "127.0.0.9:80", 30'000));
  const auto bound = [&](const char* range, const char* reserved) {
    surveyor.ephemeral = EphemeralRange::parse(range, reserved).value();
    return surveyor.look(sockets).ephemeral().bound;
  };
  EXPECT_EQ(bound("40000\t40003", ""), 0u);
  EXPECT_EQ(bound("40000\t40004", ""), 0u) << "the last one of an odd number is never chosen";
  EXPECT_EQ(bound("40000\t40005", ""), 4u);
  EXPECT_EQ(bound("40000\t40005", "40004"), 0u) << "it is reserved";
  sockets.push_back(listener("0.0.0.0:40004"));
  EXPECT_EQ(bound("40000\t40005", ""), 0u) << "somebody listens there";
}

struct UnevenCase {
  const char* why;
  const char* range;
  const char* reserved;
  std::uint32_t by_bind;     // ports in use, of the parity that bind() tries first
  std::uint32_t by_connect;  // of the other one
  std::uint32_t bound;
};

constexpr const char* kTwentyOfBind =
    "40061,40063,40065,40067,40069,40071,40073,40075,40077,40079,"
    "40081,40083,40085,40087,40089,40091,40093,40095,40097,40099";
constexpr const char* kTwentyOfConnect =
    "40060,40062,40064,40066,40068,40070,40072,40074,40076,40078,"
    "40080,40082,40084,40086,40088,40090,40092,40094,40096,40098";

const UnevenCase kUnevenCases[] = {
    {"a range of one port", "40000\t40000", "", 0, 1, 1},
    {"bind() has used up its parity", "40000\t40099", kTwentyOfBind, 30, 40, 70},
    {"and all the rest", "40000\t40099", kTwentyOfBind, 30, 50, 80},
    {"it has one left", "40000\t40099", kTwentyOfBind, 29, 50, 58},
    {"connect() has fewer", "40000\t40099", kTwentyOfConnect, 49, 30, 79},
    {"and so nothing is left", "40000\t40099", kTwentyOfConnect, 50, 30, 80},
    {"all of bind()'s are reserved", "40000\t40003", "40001,40003", 0, 2, 2},
};

TEST(EphemeralPorts, AreAllCountedWhenNothingIsLeftForBindThoughTheParitiesAreUneven) {
  for (const UnevenCase& c : kUnevenCases) {
    Surveyor surveyor;
    surveyor.ephemeral = EphemeralRange::parse(c.range, c.reserved).value();
    std::vector<Socket> sockets;
    add_calls(sockets, "10.0.0.1", 40'001, 2, c.by_bind);
    add_calls(sockets, "10.0.0.1", 40'000, 2, c.by_connect);
    EXPECT_EQ(surveyor.look(sockets).ephemeral().bound, c.bound) << c.why;
  }
}

TEST(EphemeralPorts, ThatSomebodyListensOnAreNotLeftForBind) {
  Surveyor surveyor;
  surveyor.ephemeral = EphemeralRange::parse("40000\t40009", "").value();
  std::vector<Socket> sockets;
  add_calls(sockets, "10.0.0.1", 40'001, 2, 4);
  add_calls(sockets, "10.0.0.1", 40'000, 2, 5);
  EXPECT_EQ(surveyor.look(sockets).ephemeral().bound, 8u);
  sockets.push_back(listener("0.0.0.0:40009"));
  EXPECT_EQ(surveyor.look(sockets).ephemeral().bound, 9u);
}

TEST(EphemeralPorts, ThatSomebodyUsesBesideOneThatWaitsAreUsed) {
  Surveyor surveyor;
  surveyor.reuse = {.scope = Scope::kAll};
  surveyor.ephemeral = EphemeralRange::parse("40000\t40099", "").value();
  for (const bool first : {true, false}) {
    const Survey& survey =
        surveyor.look({in_time_wait("10.0.0.1:40001", first ? "10.0.0.8:1" : "10.0.0.9:1", 1),
                       in_time_wait("10.0.0.1:40001", "10.0.0.7:1", 1),
                       established("10.0.0.1:40001", first ? "10.0.0.9:1" : "10.0.0.8:1")});
    EXPECT_EQ(survey.ephemeral().bound, 1u);
    EXPECT_EQ(survey.ephemeral().used, 1u);
  }
}

TEST(EphemeralPorts, ThatAreNotChosenAreNotBound) {
  Surveyor surveyor;
  surveyor.reuse = {.scope = Scope::kLoopback};
  surveyor.ephemeral = EphemeralRange::parse("32768\t60999", "32771").value();
  const Survey& survey = surveyor.look({
      established("127.0.0.1:32767", "10.0.0.9:1"),  // out of the range
      established("127.0.0.1:32771", "10.0.0.9:1"),  // reserved
      listener("0.0.0.0:32773"), established("127.0.0.1:32773", "10.0.0.9:1"),
      in_time_wait("127.0.0.1:32776", "127.0.0.1:80", 1),  // taken over
  });
  EXPECT_EQ(survey.ephemeral().bound, 0u);
  EXPECT_EQ(to_text(survey.ephemeral().bound_local), "*");
}

// ------------------------------------------------------------------------------------------ Ages

TEST(Ages, AreCountedInEveryBoundTheyPassed) {
  struct AgeCase {
    std::uint32_t age, over_10s, over_1m, over_5m, over_1h;
  };
  constexpr AgeCase kCases[] = {{9, 0, 0, 0, 0},    {10, 1, 0, 0, 0},  {59, 1, 0, 0, 0},
                                {60, 1, 1, 0, 0},   {299, 1, 1, 0, 0}, {300, 1, 1, 1, 0},
                                {3599, 1, 1, 1, 0}, {3600, 1, 1, 1, 1}};
  for (const AgeCase& c : kCases) {
    AgeFigures figures;
    figures.add(c.age);
    EXPECT_EQ(figures.over_10s, c.over_10s) << c.age;
    EXPECT_EQ(figures.over_1m, c.over_1m) << c.age;
    EXPECT_EQ(figures.over_5m, c.over_5m) << c.age;
    EXPECT_EQ(figures.over_1h, c.over_1h) << c.age;
    EXPECT_EQ(figures.oldest, c.age);
  }
}

TEST(Ages, AreThoseOfTheSightings) {
  Surveyor surveyor;
  const std::vector<Socket> sockets = {
      established("10.0.0.1:1", "10.0.0.9:1", {.state = State::kSynSent, .cookie = 1}),
      established("10.0.0.1:2", "10.0.0.9:1", {.state = State::kFinWait2, .cookie = 2}),
      established("10.0.0.1:3", "10.0.0.9:1", {.state = State::kCloseWait, .cookie = 3}),
      established("10.0.0.1:4", "10.0.0.9:1", {.state = State::kLastAck, .cookie = 4}),
      established("10.0.0.1:5", "10.0.0.9:1",
                  {.state = State::kTimeWait, .cookie = 5, .expires_ms = 40'000}),
      established("10.0.0.1:6", "10.0.0.9:1", {.cookie = 6}),
      listener("0.0.0.0:3", {.cgroup = 9})};
  surveyor.look(sockets, {{.cookie = 3, .ms = 350'000}});
  surveyor.now += 15s;
  const Survey& survey = surveyor.look(sockets);
  for (const State state : {State::kSynSent, State::kFinWait2, State::kLastAck}) {
    EXPECT_EQ(survey.ages(state).oldest, 15u) << names_of(state).mib;
    EXPECT_EQ(survey.ages(state).over_10s, 1u) << names_of(state).mib;
    EXPECT_EQ(survey.ages(state).over_1m, 0u) << names_of(state).mib;
  }
  EXPECT_EQ(survey.ages(State::kCloseWait).oldest, 365u);
  EXPECT_EQ(survey.ages(State::kCloseWait).over_5m, 1u);
  EXPECT_EQ(survey.ages(State::kTimeWait).oldest, 20u);
  EXPECT_EQ(survey.ports()[0].tally.oldest_close_wait, 365u);
  EXPECT_EQ(survey.listeners()[0].tally.oldest_close_wait, 365u);
  EXPECT_EQ(survey.remotes()[0].tally.oldest_close_wait, 365u);
}

TEST(Ages, OfStatesThatDoNotAgeAreNone) {
  const Survey survey = survey_of({established("10.0.0.1:1", "10.0.0.9:1")});
  EXPECT_EQ(survey.ages(State::kEstablished).oldest, 0u);
  EXPECT_EQ(survey.ages(State::kEstablished).over_10s, 0u);
}

// ----------------------------------------------------------------------------------------- MPTCP

// Three connections of a leaking server, which have a subflow each, of which the last has two.
const std::vector<Socket> kSubflows{
    listener("0.0.0.0:443", {.inode = 1, .cgroup = 7}),
    established("10.0.0.1:443", "10.0.0.9:40001", {.inode = 5, .cgroup = 7}),
    established("10.0.0.1:443", "10.0.0.9:40002", {.inode = 6, .cgroup = 7}),
    established("10.0.0.1:443", "10.0.0.9:40003", {.inode = 7, .cgroup = 7}),
    established("10.0.1.1:443", "10.0.1.9:40004", {.inode = 7, .cgroup = 7}),
};

std::vector<Socket> leaked_by_mptcp() {
  std::vector<Socket> leaks;
  for (std::uint32_t i = 0; i < 3; ++i)
    leaks.push_back(
        established("10.0.0.1:443", "10.0.0.9:" + std::to_string(40001 + i),
                    {.state = State::kCloseWait, .inode = 5 + i, .cookie = 50 + i, .cgroup = 7}));
  return leaks;
}

void expect_leaks(const Tally& tally) {
  EXPECT_EQ(tally.close_wait, 3u);
  EXPECT_EQ(tally.established, 0u);
  EXPECT_EQ(tally.total, 3u);
  EXPECT_EQ(tally.oldest_close_wait, 320u);
}

TEST(MptcpSurvey, CountsALeakWhereverOneLooks) {
  for (const bool subflows_are_left : {true, false}) {
    Surveyor surveyor;
    std::vector<Socket> sockets = kSubflows;
    if (!subflows_are_left)
      sockets.resize(1);
    surveyor.mptcp = leaked_by_mptcp();
    surveyor.look(sockets, {{.cookie = 50, .ms = 300'000}});
    surveyor.now += 20s;
    const Survey& survey = surveyor.look(sockets);
    ASSERT_THAT(survey.ports(), SizeIs(1));
    expect_leaks(survey.ports()[0].tally);
    expect_leaks(survey.listeners()[0].tally);
    ASSERT_THAT(survey.units(), SizeIs(1));
    expect_leaks(survey.units()[0].tally);
    ASSERT_THAT(survey.remotes(), SizeIs(1));
    expect_leaks(survey.remotes()[0].tally);
    EXPECT_EQ(survey.ages(State::kCloseWait).over_10s, 3u);
    EXPECT_EQ(survey.ages(State::kCloseWait).over_5m, 1u);
    EXPECT_EQ(survey.count(State::kCloseWait), 3u);
    EXPECT_EQ(survey.count(State::kEstablished), 0u);
  }
}

TEST(MptcpSurvey, EachSubflowOfAClientUsesAPortUpAndTheConnectionNone) {
  Surveyor surveyor;
  surveyor.mptcp = {established("10.0.0.1:40001", "10.0.0.9:443", {.inode = 5})};
  const std::vector<Socket> subflows{
      established("10.0.0.1:40001", "10.0.0.9:443", {.inode = 5}),
      established("10.0.0.1:40002", "10.0.0.9:443", {.inode = 5}),
  };
  EXPECT_EQ(surveyor.look(subflows).ephemeral().used, 2u);
  EXPECT_EQ(surveyor.look(subflows).remotes()[0].tally.total, 1u);
  EXPECT_EQ(surveyor.look({}).ephemeral().used, 0u);
}

// ---------------------------------------------------------------------------------- The snapshot

TEST(Survey, IsOfTheSnapshotItWasCountedFrom) {
  Surveyor surveyor;
  const Survey& survey =
      surveyor.look({listener("0.0.0.0:22"), established("10.0.0.1:22", "10.0.0.9:1"),
                     established("[::1]:22", "[::1]:1"),
                     established("10.0.0.1:22", "10.0.0.9:2", {.state = State::kTimeWait})});
  EXPECT_EQ(survey.taken_at(), kStart);
  EXPECT_EQ(survey.took(), 1ms);
  EXPECT_EQ(survey.count(State::kListen), 1u);
  EXPECT_EQ(survey.count(State::kEstablished), 2u);
  EXPECT_EQ(survey.count(State::kTimeWait), 1u);
  EXPECT_EQ(survey.count(State::kCloseWait), 0u);
}

TEST(Survey, OfNothingIsEmpty) {
  for (const Survey& survey : {Survey(), survey_of({})}) {
    EXPECT_THAT(survey.ports(), IsEmpty());
    EXPECT_THAT(survey.listeners(), IsEmpty());
    EXPECT_THAT(survey.units(), IsEmpty());
    EXPECT_THAT(survey.remotes(), IsEmpty());
    EXPECT_EQ(survey.ephemeral().used, 0u);
  }
}

}  // namespace
}  // namespace tcpmibd::tcp
