#include "survey/alarm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "support/builders.h"
#include "support/random.h"

namespace tcpmibd::tcp {

inline void PrintTo(const Measure& measure, std::ostream* out) { *out << to_text(measure); }

namespace {

using namespace lab;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Measure::Kind;
using Per = Measure::Per;

class NumberedUnits final : public UnitLookup {
 public:
  std::string unit_of(std::uint64_t cgroup) override {
    return "u" + std::to_string(cgroup) + ".service";
  }
};

class NumberedNames final : public ProcessNames {
 public:
  ProcessIdentity identity_of(std::uint32_t pid) override {
    return {.command = "c" + std::to_string(pid)};
  }
};

constexpr Time at(int second) { return Time{} + minutes(10) + seconds(second); }

// What an observation is made of. Sockets that were there before have the age they have by now.
// What listening sockets discard, they have lost since then.
class Scene {
 public:
  explicit Scene(const std::vector<Socket>& sockets, const std::vector<Holder>& holders = {},
                 Time now = at(0), const Scene* before = nullptr, bool is_told_drops = true) {
    SnapshotBuilder builder({}, now);
    for (const Socket& socket : sockets)
      builder.add(socket);
    const Snapshot snapshot = builder.finish(now);
    if (const auto range = EphemeralRange::parse("40000 40009", ""))
      pressure_.ephemeral = *range;
    sightings_ = Sightings::follow(before == nullptr ? Sightings() : before->sightings_, snapshot,
                                   {}, Lifetimes());
    LostConnections lost{.kind = LostConnections::Kind::kKnown};
    for (const ListeningSocket& socket : snapshot.listening())
      lost.by_socket.push_back(socket.discards);
    survey_ = Survey::build({.snapshot = snapshot,
                             .sightings = sightings_,
                             .before = before == nullptr ? nullptr : &before->survey_,
                             .ephemeral = pressure_.ephemeral,
                             .units = units_,
                             .lost = is_told_drops ? &lost : nullptr});
    const auto map = std::make_shared<ProcessMap>(ProcessMap::build(holders, {}, 0, now));
    owners_ = Owners::build(snapshot, sightings_, map, units_);
  }

  Observation with_owners() { return {survey_, pressure_, &owners_, names_}; }
  Observation without_owners() { return {survey_, pressure_, nullptr, names_}; }

  bool is_to_have_owners(const Alarms& alarms, Time now) const {
    return alarms.wants_owners(survey_, pressure_, now);
  }

  Pressure& pressure() { return pressure_; }

 private:
  NumberedUnits units_;
  NumberedNames names_;
  Pressure pressure_;
  Sightings sightings_;
  Survey survey_;
  Owners owners_;
};

// `count` connections that differ by one port, from that of `first` up.
struct Crowd {
  State state;
  const char* local;
  const char* first;
  std::uint16_t count;
  std::uint32_t inode = 0;
  std::uint64_t cgroup = 0;
  bool outgoing = false;  // The local ports are those that differ.
};

void add(const Crowd& crowd, std::vector<Socket>& sockets) {
  for (std::uint16_t i = 0; i < crowd.count; ++i) {
    Socket socket =
        established(crowd.local, crowd.first, {.state = crowd.state, .inode = crowd.inode});
    std::uint16_t& port = crowd.outgoing ? socket.id.local.port : socket.id.remote.port;
    port = static_cast<std::uint16_t>(port + i);
    socket.cgroup = crowd.cgroup;
    sockets.push_back(socket);
  }
}

std::vector<Socket> crowds(const std::vector<Crowd>& crowds) {
  std::vector<Socket> sockets;
  for (const Crowd& crowd : crowds)
    add(crowd, sockets);
  return sockets;
}

Socket queue(const char* local, std::uint32_t waiting, std::uint32_t backlog,
             std::uint32_t inode = 0) {
  Socket socket = listener(local, {.inode = inode});
  socket.receive_queue = waiting;
  socket.send_queue = backlog;
  return socket;
}

Socket losing(const char* local, std::uint32_t count) {
  return listener(local, {.discards = count});
}

Scene close_waits(std::uint32_t count) {
  return Scene(crowds(
      {{State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1", static_cast<std::uint16_t>(count)}}));
}

constexpr Measure kCloseWaits{};
constexpr Measure kDropsPerPort{.kind = Kind::kDrops, .per = Per::kPort};
constexpr Measure kPerProcess{.per = Per::kProcess};

AlarmRule rule(const Measure& measure, std::uint32_t raise_at, std::uint32_t clear_at = 0,
               Duration hold = {}) {
  return {
      .name = "a", .measure = measure, .raise_at = raise_at, .clear_at = clear_at, .hold = hold};
}

// ---- Words ----

TEST(Measure, IsNamedAsTheConfigurationNamesIt) {
  EXPECT_EQ(to_text(Measure()), "closeWait");
  EXPECT_EQ(to_text({.per = Per::kPort}), "closeWait per port");
  EXPECT_EQ(to_text({.state = State::kLastAck, .older_than = 300}), "lastAck older than 5m");
  EXPECT_EQ(to_text({.kind = Kind::kConnections, .per = Per::kRemote}), "connections per remote");
  EXPECT_EQ(to_text({.kind = Kind::kQueuePercent, .per = Per::kPort}), "queue-percent per port");
  EXPECT_EQ(to_text({.kind = Kind::kTimeWaitPercent}), "time-wait-percent");
}

// ---- What makes no sense ----

struct RuleCase {
  Measure measure;
  std::string_view key;  // that is objected to; empty: the rule is sensible
  std::uint32_t raise_at = 10;
  std::uint32_t clear_at = 8;
};

constexpr RuleCase kRuleCases[] = {
    {{}, ""},
    {{.per = Per::kPort}, ""},
    {{.per = Per::kUnit}, ""},
    {{.per = Per::kProcess}, ""},
    {{.per = Per::kRemote}, ""},
    {{.older_than = 3600}, ""},
    {{.state = State::kFinWait2, .older_than = 60}, ""},
    {{.state = State::kTimeWait, .older_than = 10}, ""},
    {{.state = State::kTimeWait, .per = Per::kRemote}, ""},
    {{.state = State::kSynReceived, .per = Per::kPort}, ""},
    {{.state = State::kSynSent, .per = Per::kRemote}, ""},
    {{.state = State::kClosing}, ""},
    {{.kind = Kind::kConnections, .per = Per::kProcess}, ""},
    {{.kind = Kind::kQueuePercent, .per = Per::kPort}, "", 100},
    {{.kind = Kind::kDrops}, "", 1000},
    {{.kind = Kind::kDrops, .per = Per::kPort}, "", 1, 0},
    {{.kind = Kind::kMemoryPercent}, ""},
    {{.state = State::kListen}, "measure"},
    {{.state = State::kClosed}, "measure"},
    {{.kind = Kind::kQueuePercent}, "per"},
    {{.kind = Kind::kQueuePercent, .per = Per::kUnit}, "per"},
    {{.kind = Kind::kDrops, .per = Per::kProcess}, "per"},
    {{.kind = Kind::kDrops, .per = Per::kRemote}, "per"},
    {{.kind = Kind::kEphemeralPercent, .per = Per::kRemote}, "per"},
    {{.kind = Kind::kMemoryPercent, .per = Per::kProcess}, "per"},
    {{.kind = Kind::kOrphansPercent, .per = Per::kPort}, "per"},
    {{.kind = Kind::kTimeWaitPercent, .per = Per::kPort}, "per"},
    {{.state = State::kFinWait1, .per = Per::kPort}, "per"},
    {{.state = State::kTimeWait, .per = Per::kUnit}, "per"},
    {{.state = State::kSynReceived, .per = Per::kProcess}, "per"},
    {{.state = State::kSynSent, .per = Per::kPort}, "per"},
    {{.state = State::kEstablished, .older_than = 60}, "older-than"},
    {{.kind = Kind::kConnections, .older_than = 60}, "older-than"},
    {{.state = State::kTimeWait, .older_than = 60}, "older-than"},
    {{.per = Per::kPort, .older_than = 60}, "older-than"},
    {{.kind = Kind::kOrphansPercent}, "raise", 101},
    {{}, "clear", 10, 10},
};

TEST(AlarmRule, IsObjectedToWhereItMakesNoSense) {
  for (const RuleCase& c : kRuleCases) {
    const auto objection = objection_to(rule(c.measure, c.raise_at, c.clear_at));
    EXPECT_EQ(objection ? objection->key : "", c.key) << to_text(c.measure);
  }
}

TEST(AlarmRule, UsuallyClearsBelowWhereItRaises) {
  EXPECT_EQ(usual_clear_at(100), 80U);
  EXPECT_EQ(usual_clear_at(6), 4U);
  EXPECT_EQ(usual_clear_at(1), 0U);
  EXPECT_EQ(usual_clear_at(4'000'000'000), 3'200'000'000U);
}

// ---- Figures ----

std::vector<Socket> town() {
  std::vector<Socket> sockets = crowds({
      {State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1", 3, 11, 1},
      {State::kCloseWait, "10.0.0.1:80", "10.0.0.8:1", 2, 12, 2},
      {State::kEstablished, "10.0.0.1:80", "10.0.0.8:101", 2, 13, 2},
      {State::kTimeWait, "10.0.0.1:443", "10.0.0.7:1", 4},
      {State::kSynSent, "10.0.0.1:50000", "10.0.0.6:25", 1, 14, 1},
      {State::kFinWait2, "10.0.0.1:443", "10.0.0.5:1", 2},
      {State::kEstablished, "10.0.0.1:40000", "10.0.0.4:5432", 3, 15, 1, /*outgoing=*/true},
      {State::kEstablished, "[2001:db8::1]:40000", "[2001:db8::4]:25", 2, 15, 1, true},
  });
  sockets.push_back(queue("0.0.0.0:443", 3, 10, 1));
  sockets.push_back(queue("10.0.0.1:443", 9, 10, 2));
  sockets.push_back(queue("0.0.0.0:80", 6, 10, 3));
  return sockets;
}

// 10 and 20 listen on 443; 31 does on 80.
const std::vector<Holder> kTownspeople{{1, 20},  {2, 10},  {2, 20},  {3, 31}, {11, 30},
                                       {12, 31}, {13, 31}, {14, 30}, {15, 32}};

struct FigureCase {
  Measure measure;
  std::uint32_t value;
  const char* worst;
  std::uint32_t offenders;  // at 2 or above
  std::uint32_t pid;
};

constexpr FigureCase kFigureCases[] = {
    {{}, 5, "", 1, 30},
    {{.state = State::kSynSent}, 1, "", 0, 30},
    {{.state = State::kTimeWait}, 4, "", 1, 0},
    {{.state = State::kLastAck}, 0, "", 0, 0},
    {{.kind = Kind::kConnections}, 19, "", 1, 32},
    {{.per = Per::kPort}, 3, "port 443", 2, 10},
    {{.state = State::kEstablished, .per = Per::kPort}, 2, "port 80", 1, 31},
    {{.state = State::kTimeWait, .per = Per::kPort}, 4, "port 443", 1, 10},
    {{.state = State::kLastAck, .per = Per::kPort}, 0, "", 0, 0},
    {{.kind = Kind::kConnections, .per = Per::kPort}, 9, "port 443", 2, 10},
    {{.per = Per::kUnit}, 3, "unit u1.service", 2, 0},
    {{.state = State::kEstablished, .per = Per::kUnit}, 5, "unit u1.service", 2, 0},
    {{.per = Per::kProcess}, 3, "process 30", 2, 30},
    {{.kind = Kind::kConnections, .per = Per::kProcess}, 5, "process 32", 3, 32},
    {{.per = Per::kRemote}, 3, "10.0.0.9", 2, 0},
    {{.state = State::kSynSent, .per = Per::kRemote}, 1, "10.0.0.6", 0, 0},
    {{.state = State::kTimeWait, .per = Per::kRemote}, 4, "10.0.0.7", 1, 0},
    {{.kind = Kind::kQueuePercent, .per = Per::kPort}, 90, "port 443", 2, 10},
    {{.kind = Kind::kEphemeralPercent}, 30, "10.0.0.4:5432", 1, 0},
    {{.kind = Kind::kOrphansPercent}, 25, "", 1, 0},
    {{.kind = Kind::kMemoryPercent}, 0, "", 0, 0},  // The kernel tells no limit.
    {{.kind = Kind::kTimeWaitPercent}, 1, "", 0, 0},
};

TEST(Alarm, TellsTheWorstAndWhoIsBehindIt) {
  Scene scene(town(), kTownspeople);
  scene.pressure().orphans = 50;
  scene.pressure().orphans_limit = 200;
  scene.pressure().memory_used = 50;
  scene.pressure().time_waits = 4;
  scene.pressure().time_waits_limit = 400;
  for (const FigureCase& c : kFigureCases) {
    Alarms alarms({rule(c.measure, 2)});
    alarms.judge(scene.with_owners(), at(0));
    const Alarm& alarm = alarms.all()[0];
    EXPECT_EQ(alarm.value, c.value) << to_text(c.measure);
    EXPECT_EQ(alarm.worst, c.worst) << to_text(c.measure);
    EXPECT_EQ(alarm.offenders, c.offenders) << to_text(c.measure);
    EXPECT_EQ(alarm.pid, c.pid) << to_text(c.measure);
    EXPECT_EQ(alarm.command, c.pid == 0 ? "" : "c" + std::to_string(c.pid)) << to_text(c.measure);
    EXPECT_EQ(alarm.state, c.value >= 2 ? AlarmState::kRaised : AlarmState::kClear)
        << to_text(c.measure);
  }
}

TEST(Alarm, NamesAnIpv6EndInBrackets) {
  Scene scene(crowds({{State::kEstablished, "[2001:db8::1]:40000", "[2001:db8::4]:25", 2, 0, 0,
                       /*outgoing=*/true}}));
  Alarms alarms({rule({.kind = Kind::kEphemeralPercent}, 20)});
  alarms.judge(scene.without_owners(), at(0));
  EXPECT_EQ(alarms.all()[0].worst, "[2001:db8::4]:25");
}

TEST(Alarm, NamesTheLocalAddressWhereBoundPortsAreMoreThanThoseOfAnyPair) {
  Scene scene(crowds({{State::kEstablished, "10.0.0.1:40001", "10.0.0.4:25", 2, 0, 0, true},
                      {State::kEstablished, "10.0.0.1:40003", "10.0.0.5:25", 2, 0, 0, true},
                      {State::kEstablished, "10.0.0.1:40005", "10.0.0.6:25", 1, 0, 0, true}}));
  Alarms alarms({rule({.kind = Kind::kEphemeralPercent}, 40)});
  alarms.judge(scene.without_owners(), at(0));
  EXPECT_EQ(alarms.all()[0].worst, "local 10.0.0.1");
  EXPECT_EQ(alarms.all()[0].value, 50U);
}

TEST(Alarm, CountsThoseThatAreOldEnough) {
  const std::vector<Socket> old =
      crowds({{State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1", 2, 11}});
  std::vector<Socket> now = old;
  add({State::kCloseWait, "10.0.0.1:443", "10.0.0.9:100", 5, 12}, now);
  const Scene before(old);
  Scene scene(now, {}, at(300), &before);
  for (const auto& [seconds_old, count] :
       std::map<std::uint32_t, std::uint32_t>{{0, 7}, {10, 2}, {60, 2}, {300, 2}, {3600, 0}}) {
    Alarms alarms({rule({.older_than = seconds_old}, 100)});
    alarms.judge(scene.without_owners(), at(300));
    EXPECT_EQ(alarms.all()[0].value, count) << seconds_old;
  }
}

TEST(Alarm, NeverRaisesByWhatTheKernelDoesNotTell) {
  Scene scene({});
  scene.pressure() = {};
  for (const Kind kind : {Kind::kEphemeralPercent, Kind::kMemoryPercent, Kind::kOrphansPercent,
                          Kind::kTimeWaitPercent}) {
    Alarms alarms({rule({.kind = kind}, 1)});
    EXPECT_THAT(alarms.judge(scene.with_owners(), at(0)), IsEmpty());
    EXPECT_EQ(alarms.all()[0].value, 0U);
  }
}

// ---- Drops ----

struct DropCase {
  const char* why;
  std::vector<std::vector<Socket>> surveys;  // The first and the last are judged by.
  std::uint32_t value;
  const char* worst;
};

const DropCase kDropCases[] = {
    {"nothing is lost", {{losing("0.0.0.0:80", 7)}, {losing("0.0.0.0:80", 0)}}, 0, ""},
    {"what came since counts",
     {{losing("0.0.0.0:80", 7)}, {losing("0.0.0.0:80", 2)}},
     2,
     "port 80"},
    {"and what other surveys found meanwhile",
     {{losing("0.0.0.0:80", 7)}, {losing("0.0.0.0:80", 2)}, {losing("0.0.0.0:80", 3)}},
     5,
     "port 80"},
    {"a new port has lost all it tells since then", {{}, {losing("0.0.0.0:80", 5)}}, 5, "port 80"},
    {"and so has one that nobody listened on meanwhile",
     {{losing("0.0.0.0:80", 4)}, {}, {losing("0.0.0.0:80", 5)}},
     5,
     "port 80"},
    {"what a socket lost that is gone still counts for its port",
     {{losing("0.0.0.0:80", 0)},
      {losing("0.0.0.0:80", 6), losing("10.0.0.1:80", 1)},
      {losing("10.0.0.1:80", 1)}},
     8,
     "port 80"},
    {"sockets of one port are added up",
     {{losing("0.0.0.0:80", 1), losing("10.0.0.1:80", 1), losing("0.0.0.0:443", 0)},
      {losing("0.0.0.0:80", 2), losing("10.0.0.1:80", 2), losing("0.0.0.0:443", 3)}},
     4,
     "port 80"},
    {"nobody listens any more", {{losing("0.0.0.0:80", 7)}, {}}, 0, ""},
};

TEST(Drops, AreThoseSinceTheObservationBefore) {
  for (const DropCase& c : kDropCases) {
    Alarms alarms({rule(kDropsPerPort, 1)});
    std::vector<std::unique_ptr<Scene>> scenes;
    for (const std::vector<Socket>& sockets : c.surveys) {
      const int second = static_cast<int>(scenes.size());
      scenes.push_back(std::make_unique<Scene>(sockets, std::vector<Holder>(), at(second),
                                               scenes.empty() ? nullptr : scenes.back().get()));
    }
    EXPECT_THAT(alarms.judge(scenes.front()->without_owners(), at(0)), IsEmpty()) << c.why;
    alarms.judge(scenes.back()->without_owners(), at(10));
    EXPECT_EQ(alarms.all()[0].value, c.value) << c.why;
    EXPECT_EQ(alarms.all()[0].worst, c.worst) << c.why;
  }
}

TEST(Drops, OfTheHostAreThoseOfAllPorts) {
  Scene before({losing("0.0.0.0:80", 1), losing("0.0.0.0:443", 1)});
  Scene now({losing("0.0.0.0:80", 1), losing("0.0.0.0:443", 3)}, {}, at(10), &before);
  Alarms alarms({rule({.kind = Kind::kDrops}, 4)});
  alarms.judge(before.without_owners(), at(0));
  EXPECT_EQ(alarms.judge(now.without_owners(), at(10)).size(), 1U);
  EXPECT_EQ(alarms.all()[0].value, 4U);
  EXPECT_EQ(alarms.all()[0].worst, "");
}

TEST(Drops, AreCountedAnewAfterATimeWithoutAlarms) {
  Scene before({losing("0.0.0.0:80", 1)});
  Scene now({losing("0.0.0.0:80", 100)}, {}, at(1000), &before);
  Alarms alarms({rule(kDropsPerPort, 1)});
  alarms.judge(before.without_owners(), at(0));
  alarms.configure({});
  alarms.configure({rule(kDropsPerPort, 1)});
  EXPECT_THAT(alarms.judge(now.without_owners(), at(1000)), IsEmpty());
  EXPECT_EQ(alarms.all()[0].value, 0U);
}

TEST(Drops, ThatAreNotKnownLeaveTheAlarmAsItIsAndCountLater) {
  Scene first({losing("0.0.0.0:80", 0)});
  Scene second({losing("0.0.0.0:80", 5)}, {}, at(10), &first);
  Scene unknown({losing("0.0.0.0:80", 0)}, {}, at(20), &second, false);
  Scene last({losing("0.0.0.0:80", 2)}, {}, at(30), &unknown);
  Alarms alarms({rule(kDropsPerPort, 5, 1)});
  alarms.judge(first.without_owners(), at(0));
  EXPECT_EQ(alarms.judge(second.without_owners(), at(10)).size(), 1U);
  EXPECT_THAT(alarms.judge(unknown.without_owners(), at(20)), IsEmpty());
  EXPECT_FALSE(unknown.is_to_have_owners(alarms, at(20)));
  EXPECT_EQ(alarms.all()[0].state, AlarmState::kRaised);
  EXPECT_EQ(alarms.all()[0].value, 5U);
  alarms.judge(last.without_owners(), at(30));
  EXPECT_EQ(alarms.all()[0].value, 2U);
}

// ---- Raised and cleared ----

struct Step {
  int second;
  std::uint32_t value;
  AlarmState state;
};

struct Story {
  const char* why;
  AlarmRule rule;
  std::vector<Step> steps;
};

constexpr AlarmState kClear = AlarmState::kClear;
constexpr AlarmState kPending = AlarmState::kPending;
constexpr AlarmState kRaised = AlarmState::kRaised;

const Story kStories[] = {
    {"at once without a hold",
     rule(kCloseWaits, 5, 3),
     {{0, 4, kClear}, {10, 5, kRaised}, {20, 4, kRaised}, {30, 3, kClear}, {40, 4, kClear}}},
    {"raised by the first observation", rule(kCloseWaits, 5, 3), {{0, 9, kRaised}}},
    {"held first",
     rule(kCloseWaits, 5, 3, seconds(20)),
     {{0, 5, kPending}, {10, 9, kPending}, {20, 5, kRaised}, {30, 4, kRaised}, {40, 0, kClear}}},
    {"any observation below begins anew",
     rule(kCloseWaits, 5, 3, seconds(20)),
     {{0, 5, kPending}, {10, 4, kClear}, {20, 5, kPending}, {30, 5, kPending}, {40, 5, kRaised}}},
    {"a late observation has held long enough",
     rule(kCloseWaits, 5, 3, seconds(20)),
     {{0, 5, kPending}, {500, 5, kRaised}}},
    {"nothing but clear_at clears",
     rule(kCloseWaits, 5, 0),
     {{0, 5, kRaised}, {10, 1, kRaised}, {20, 7, kRaised}, {30, 0, kClear}, {40, 5, kRaised}}},
};

TEST(Alarm, IsRaisedAndClearedOnceEach) {
  for (const Story& story : kStories) {
    Alarms alarms({story.rule});
    AlarmState before = kClear;
    for (const Step& step : story.steps) {
      Scene scene = close_waits(step.value);
      const auto events = alarms.judge(scene.without_owners(), at(step.second));
      EXPECT_EQ(alarms.all()[0].state, step.state) << story.why << ", second " << step.second;
      EXPECT_EQ(alarms.raised(), step.state == kRaised ? 1U : 0U);
      EXPECT_EQ(events.size(), (step.state == kRaised) != (before == kRaised) ? 1U : 0U)
          << story.why << ", second " << step.second;
      before = step.state;
    }
  }
}

TEST(Alarm, TellsHowLongItWasRaised) {
  Alarms alarms({rule(kCloseWaits, 5, 3)});
  Scene many = close_waits(7);
  Scene few = close_waits(2);
  const auto raised = alarms.judge(many.without_owners(), at(0));
  ASSERT_EQ(raised.size(), 1U);
  EXPECT_EQ(raised[0].alarm.state, kRaised);
  EXPECT_EQ(raised[0].alarm.value, 7U);
  EXPECT_EQ(raised[0].alarm.raises, 1U);
  EXPECT_EQ(raised[0].lasted, Duration::zero());
  alarms.judge(many.without_owners(), at(10));
  EXPECT_EQ(alarms.all()[0].since, at(0));
  const auto cleared = alarms.judge(few.without_owners(), at(25));
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ(cleared[0].alarm.state, kClear);
  EXPECT_EQ(cleared[0].alarm.value, 2U);
  EXPECT_EQ(cleared[0].lasted, seconds(25));
  EXPECT_EQ(alarms.all()[0].since, at(25));
}

TEST(Alarm, IsClearSinceItWasFirstObserved) {
  Alarms alarms({rule(kCloseWaits, 5, 3)});
  Scene scene = close_waits(1);
  EXPECT_EQ(alarms.all()[0].since, Time{});
  alarms.judge(scene.without_owners(), at(5));
  alarms.judge(scene.without_owners(), at(10));
  EXPECT_EQ(alarms.all()[0].since, at(5));
}

// ---- Owners ----

struct OwnersCase {
  const char* why;
  AlarmRule rule;
  std::uint32_t before;  // CLOSE_WAIT connections at the observation before
  std::uint32_t now;
  bool wanted;
};

const OwnersCase kOwnersCases[] = {
    {"nothing is about to be raised", rule(kCloseWaits, 5), 0, 4, false},
    {"one is about to be raised", rule(kCloseWaits, 5), 0, 5, true},
    {"it will only be pending", rule(kCloseWaits, 5, 0, seconds(60)), 0, 5, false},
    {"it has been pending long enough", rule(kCloseWaits, 5, 0, seconds(10)), 5, 5, true},
    {"it is raised already", rule(kCloseWaits, 5), 5, 9, false},
    {"a port is about to be raised", rule({.per = Per::kPort}, 5), 0, 5, true},
    {"a remote is no process", rule({.per = Per::kRemote}, 5), 0, 5, false},
    {"a unit is no process", rule({.per = Per::kUnit}, 5), 0, 5, false},
    {"the host has too few for any process", rule(kPerProcess, 5), 0, 4, false},
    {"a process may have enough", rule(kPerProcess, 5), 0, 5, true},
    {"a process may be pending", rule(kPerProcess, 5, 0, seconds(60)), 0, 5, true},
};

TEST(Alarms, WantOwnersOnlyWhereTheyMatter) {
  for (const OwnersCase& c : kOwnersCases) {
    const auto scene_of = [](std::uint32_t count) {
      std::vector<Socket> sockets = crowds({{State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1",
                                             static_cast<std::uint16_t>(count), 11, 1}});
      sockets.push_back(listener("10.0.0.1:443"));
      return Scene(sockets, {{11, 4711}});
    };
    Scene before = scene_of(c.before);
    const Scene now = scene_of(c.now);
    Alarms alarms({c.rule});
    alarms.judge(before.with_owners(), at(0));
    EXPECT_EQ(now.is_to_have_owners(alarms, at(10)), c.wanted) << c.why;
  }
}

TEST(Alarms, WantOwnersOfARaisedProcessUntilItMustBeClear) {
  const auto scene_of = [](std::uint16_t count) {
    return Scene(crowds({{State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1", count, 11}}),
                 {{11, 4711}});
  };
  Alarms alarms({rule(kPerProcess, 5, 2)});
  Scene many = scene_of(5);
  Scene less = scene_of(3);
  Scene few = scene_of(2);
  alarms.judge(many.with_owners(), at(0));
  EXPECT_EQ(alarms.all()[0].worst, "process 4711");
  EXPECT_TRUE(less.is_to_have_owners(alarms, at(10)));
  EXPECT_FALSE(few.is_to_have_owners(alarms, at(10)));
  EXPECT_EQ(alarms.judge(few.without_owners(), at(10)).size(), 1U);
}

TEST(Alarm, OfAProcessStaysAsItIsWhereNobodyHasLooked) {
  Scene scene(crowds({{State::kCloseWait, "10.0.0.1:443", "10.0.0.9:1", 5, 11}}), {{11, 4711}});
  Alarms alarms({rule(kPerProcess, 5, 2)});
  EXPECT_THAT(alarms.judge(scene.without_owners(), at(0)), IsEmpty());
  EXPECT_EQ(alarms.judge(scene.with_owners(), at(10)).size(), 1U);
  EXPECT_THAT(alarms.judge(scene.without_owners(), at(20)), IsEmpty());
  EXPECT_EQ(alarms.all()[0].state, kRaised);
  EXPECT_EQ(alarms.all()[0].worst, "process 4711");
}

TEST(Alarm, RemembersWhoWasBehindTheSameWorst) {
  std::vector<Socket> sockets = town();
  Scene first(sockets, kTownspeople);
  Alarms alarms({rule({.per = Per::kPort}, 2)});
  alarms.judge(first.with_owners(), at(0));
  alarms.judge(first.without_owners(), at(10));
  EXPECT_EQ(alarms.all()[0].pid, 10U);
  EXPECT_EQ(alarms.all()[0].command, "c10");
  add({State::kCloseWait, "10.0.0.1:80", "10.0.0.8:201", 5}, sockets);
  Scene second(sockets, kTownspeople);
  alarms.judge(second.without_owners(), at(20));
  EXPECT_EQ(alarms.all()[0].worst, "port 80");
  EXPECT_EQ(alarms.all()[0].pid, 0U);
  EXPECT_EQ(alarms.all()[0].command, "");
}

// ---- Configuration ----

AlarmRule named(std::string name, std::uint32_t raise_at, std::uint32_t clear_at = 0) {
  AlarmRule named = rule(kCloseWaits, raise_at, clear_at);
  named.name = std::move(name);
  return named;
}

TEST(Alarms, AreSortedAsAnIndexSortsThem) {
  const Alarms alarms({named("bb", 1), named("c", 1), named("aaa", 1), named("B", 1)});
  std::vector<std::string> names;
  for (const Alarm& alarm : alarms.all())
    names.push_back(alarm.rule.name);
  EXPECT_THAT(names, ElementsAre("B", "c", "bb", "aaa"));
}

TEST(Alarms, KeepTheirStateWhileTheyMeasureTheSame) {
  Scene scene = close_waits(7);
  Alarms alarms({named("a", 5), named("b", 5), named("c", 5), named("d", 5)});
  EXPECT_EQ(alarms.judge(scene.without_owners(), at(0)).size(), 4U);
  AlarmRule other = named("c", 5);
  other.measure.state = State::kLastAck;
  alarms.configure({named("a", 5), named("b", 100, 50), other, named("e", 5)});
  EXPECT_EQ(alarms.raised(), 2U);
  const auto events = alarms.judge(scene.without_owners(), at(10));
  std::map<std::string, AlarmState> told;
  for (const AlarmEvent& event : events)
    told[event.alarm.rule.name] = event.alarm.state;
  EXPECT_THAT(told, ElementsAre(std::pair("b", kClear), std::pair("e", kRaised)));
  EXPECT_EQ(alarms.all()[1].raises, 1U);
  EXPECT_EQ(alarms.all()[2].raises, 1U) << "a counter does not fall";
  EXPECT_EQ(alarms.all()[2].state, kClear);
}

// ---- Against a model ----

// What an alarm does, told the other way round: from all that was observed.
class Model {
 public:
  explicit Model(const AlarmRule& rule) : rule_(rule) {}

  bool is_raised_after(std::uint32_t value, Time now) {
    if (value < rule_.raise_at)
      high_since_.reset();
    else if (!high_since_)
      high_since_ = now;
    if (raised_)
      raised_ = value > rule_.clear_at;
    else
      raised_ = high_since_ && *high_since_ + rule_.hold <= now;
    return raised_;
  }

 private:
  AlarmRule rule_;
  std::optional<Time> high_since_;
  bool raised_ = false;
};

TEST(Alarms, AgreeWithAModelAndAlternateWhateverIsObserved) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 50; ++round) {
    std::vector<AlarmRule> rules;
    std::vector<Model> models;
    for (char name = 'a'; name <= 'f'; ++name) {
      AlarmRule each = named(std::string(1, name), 1 + random.below(8));
      each.clear_at = random.below(each.raise_at);
      each.hold = seconds(random.below(4) * 10);
      rules.push_back(each);
      models.emplace_back(each);
    }
    Alarms alarms(rules);
    std::map<std::string, AlarmState> last;
    int second = 0;
    for (int step = 0; step < 40; ++step) {
      second += static_cast<int>(1 + random.below(20));
      const std::uint32_t value = random.below(10);
      Scene scene = close_waits(value);
      for (const AlarmEvent& event : alarms.judge(scene.without_owners(), at(second))) {
        AlarmState& told = last.try_emplace(event.alarm.rule.name, kClear).first->second;
        ASSERT_NE(event.alarm.state, told) << "told twice";
        ASSERT_NE(event.alarm.state, kPending);
        told = event.alarm.state;
      }
      for (std::size_t i = 0; i < models.size(); ++i) {
        const Alarm& alarm = alarms.all()[i];
        const bool raised = models[i].is_raised_after(value, at(second));
        ASSERT_EQ(alarm.state == kRaised, raised) << alarm.rule.name << ", second " << second;
        ASSERT_EQ(last[alarm.rule.name] == kRaised, raised) << "told what became of it";
      }
    }
  }
}

}  // namespace
}  // namespace tcpmibd::tcp
