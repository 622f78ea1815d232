#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/crowd.h"
#include "support/scenes.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The whole of TCP-MIB as managers of every version read it, from a subagent and standalone.

namespace tcpmibd::lab {
namespace {

using testing::Contains;
using testing::Field;
using testing::Ge;
using testing::Gt;
using testing::IsEmpty;
using testing::SizeIs;

const Oid kTcp{1, 3, 6, 1, 2, 1, 6};
const Oid kListener{1, 3, 6, 1, 2, 1, 6, 20, 1, 4};
const Oid kLegacyStateColumn{1, 3, 6, 1, 2, 1, 6, 13, 1, 1};
const Oid kRtoMin{1, 3, 6, 1, 2, 1, 6, 2, 0};
const Oid kOrId{1, 3, 6, 1, 2, 1, 1, 9, 1, 2};
constexpr const char* kOurCapabilities = ".1.3.6.1.4.1.8072.9999.9999.4022.2.3.1";
constexpr const char* kTcpMib = ".1.3.6.1.2.1.49";

// Who names this community may see tcpConnectionState and nothing else.
const std::vector<std::string> kNarrowView{"rocommunity narrow default -V states",
                                           "view states included .1.3.6.1.2.1.6.19.1.7"};

enum class Role { kSubagent, kSubagentOfABareMaster, kStandalone };

// Connections and listeners on which nothing happens, so that two walks tell the same.
std::vector<Scene> quiet_scenes(const Namespace& space) {
  std::vector<Scene> scenes;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped}) {
    for (const std::string_view name :
         {"Listen", "Established", "EstablishedUnaccepted", "FinWait2", "CloseWait", "TimeWait"})
      scenes.push_back(
          std::ranges::find(recipes(), name, &Recipe::name)->play(on_loopback(space, family)));
  }
  return scenes;
}

class Walk : public testing::TestWithParam<Role> {
 protected:
  void SetUp() override {
    if (const auto reason = system_skip_reason())
      GTEST_SKIP() << *reason;
    space_.emplace();
    scenes_ = quiet_scenes(*space_);
    if (GetParam() == Role::kStandalone) {
      daemon_.emplace(Daemon::standalone(*space_, Attached::eager({}), access_file()));
      return;
    }
    attached_.emplace(*space_, SnmpdOptions{.built_in_tables = GetParam() == Role::kSubagent,
                                            .lines = kNarrowView});
  }

  Manager v1(const std::string& community = "public") const {
    return Manager::v1(*space_, address(), community).patient(kGreatPatience);
  }
  Manager v2c(const std::string& community = "public") const {
    return Manager::v2c(*space_, address(), community).patient(kGreatPatience);
  }
  Manager v3() const { return Manager::v3(*space_, address()).patient(kGreatPatience); }

  // The whole of TCP-MIB, by GETNEXT.
  static std::vector<Varbind> walk_of(const Manager& manager) {
    Answer answer = manager.walk(kTcp);
    EXPECT_EQ(answer.error, "");
    return std::move(answer.varbinds);
  }

 private:
  static std::string address() {
    return GetParam() == Role::kStandalone ? Daemon::kAddress : Snmpd::kAddress;
  }

  std::string access_file() const {
    const User user;
    std::string text = "rocommunity public\nrwcommunity private\nrwuser " + user.name +
                       " priv\ncreateUser " + user.name + " SHA \"" + user.authentication +
                       "\" AES \"" + user.privacy + "\"\n";
    for (const std::string& line : kNarrowView)
      text += line + "\n";
    return folder_.write("access", text);
  }

  const TempFolder folder_;
  std::optional<Namespace> space_;
  std::vector<Scene> scenes_;
  std::optional<Attached> attached_;
  std::optional<Daemon> daemon_;
};

// ---- One truth, however it is asked for ----

// In requests of a few, the last ones first.
std::vector<Varbind> gets_of(const Manager& manager, const std::vector<Varbind>& names) {
  std::vector<Varbind> varbinds;
  std::vector<Oid> request;
  for (auto name = names.rbegin(); name != names.rend();) {
    request.push_back(name->oid);
    if (++name != names.rend() && request.size() < 16)
      continue;
    const Answer answer = manager.get(std::exchange(request, {}));
    EXPECT_EQ(answer.error, "");
    varbinds.insert(varbinds.end(), answer.varbinds.begin(), answer.varbinds.end());
  }
  std::ranges::sort(varbinds, {}, &Varbind::oid);
  return varbinds;
}

TEST_P(Walk, ByGetNextAndByGetBulkIsWhatSortedGetsTell) {
  const std::vector<Varbind> walk = walk_of(v2c());
  EXPECT_THAT(walk, SizeIs(Gt(100)));
  EXPECT_EQ(gets_of(v2c(), walk), walk);
  for (const int repetitions : {1, 7, 50}) {
    const Answer bulk = v2c().bulk_walk(kTcp, repetitions);
    EXPECT_EQ(bulk.error, "");
    EXPECT_EQ(bulk.varbinds, walk) << repetitions;
  }
}

TEST_P(Walk, TellsEveryVersionTheSameAndVersion1NoCounter64) {
  std::vector<Varbind> walk = walk_of(v2c());
  EXPECT_EQ(walk_of(v3()), walk);
  EXPECT_EQ(v3().bulk_walk(kTcp).varbinds, walk);

  EXPECT_EQ(std::erase_if(walk, [](const Varbind& each) { return each.type == "Counter64"; }), 2U);
  EXPECT_EQ(walk_of(v1()), walk);
  EXPECT_EQ(gets_of(v1(), walk), walk);
}

TEST_P(Walk, GoesUpAtEveryStep) {
  for (const Manager& manager : {v1(), v2c(), v3()}) {
    const std::vector<Varbind> walk = walk_of(manager);
    const auto back = std::ranges::adjacent_find(walk, std::ranges::greater_equal{}, &Varbind::oid);
    EXPECT_EQ(back, walk.end()) << *back;
  }
}

// ---- GETBULK ----

// `walk` is all there is: the n-th successor of each column, repetition by repetition.
void expect_successors(const std::vector<Varbind>& found, const std::vector<Oid>& columns,
                       const std::vector<Varbind>& walk) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Oid& column = columns[i % columns.size()];
    const auto start = std::ranges::upper_bound(walk, column, {}, &Varbind::oid);
    const auto repetition = static_cast<std::ptrdiff_t>(i / columns.size());
    if (repetition < walk.end() - start)
      EXPECT_EQ(found[i], start[repetition]);
    else
      EXPECT_FALSE(walk.back().oid > found[i].oid) << found[i];
  }
}

TEST_P(Walk, ByGetBulkTakesSeveralColumnsAtOnce) {
  const std::vector<Varbind> walk = walk_of(v2c());
  const std::vector<Oid> columns{kConnectionState, kConnectionProcess, kListener,
                                 kLegacyStateColumn};
  for (const int repetitions : {1, 3, 1000}) {
    const Answer answer = v2c().bulk(0, repetitions, columns);
    EXPECT_EQ(answer.error, "");
    EXPECT_GE(answer.varbinds.size(),
              columns.size() * static_cast<unsigned>(std::min(repetitions, 10)));
    expect_successors(answer.varbinds, columns, walk);
  }
}

TEST_P(Walk, ByGetBulkTakesAnyNumberOfRepetitions) {
  const std::vector<Varbind> walk = walk_of(v2c());
  EXPECT_THAT(v2c().bulk(0, 0, {kConnectionState}).varbinds, IsEmpty());
  EXPECT_EQ(v2c().bulk(1, 0, {kConnectionState, kConnectionProcess}).varbinds,
            v2c().next({kConnectionState}).varbinds);
  EXPECT_EQ(v2c().bulk(0, 1, {kConnectionState}).varbinds, v2c().next({kConnectionState}).varbinds);
  EXPECT_EQ(v2c().bulk(1, 1, {kConnectionState, kConnectionProcess}).varbinds,
            v2c().next({kConnectionState, kConnectionProcess}).varbinds);

  const Answer all = v2c().bulk(0, 1000, {kTcp});
  EXPECT_EQ(all.error, "");
  EXPECT_THAT(all.varbinds, SizeIs(Ge(50)));
  expect_successors(all.varbinds, {kTcp}, walk);
}

TEST_P(Walk, ByGetBulkStaysInTheManagersView) {
  const std::vector<Varbind> visible = v2c().walk(kConnectionState).varbinds;
  const Manager narrow = v2c("narrow");
  EXPECT_EQ(narrow.walk(kTcp).varbinds, visible);
  for (const int repetitions : {1, 5, 1000})
    EXPECT_EQ(narrow.bulk_walk(kTcp, repetitions).varbinds, visible) << repetitions;

  const Answer both = narrow.bulk(0, 1000, {kConnectionState, kConnectionProcess});
  // At the end of a view an snmpd of Net-SNMP builds no response, not of its own tables either.
  const bool is_ours = GetParam() == Role::kStandalone;
  EXPECT_EQ(is_ours ? both.error : "", "");
  for (const Varbind& varbind : both.varbinds)
    EXPECT_TRUE(varbind.type == "endOfMibView" || std::ranges::count(visible, varbind) == 1)
        << varbind;
}

// ---- What the objects are ----

// As RFC 4022 says, below `tcp`; Gauge32 and Unsigned32 are one on the wire.
const std::map<Oid, std::string> kTypes{
    {{1}, "INTEGER"},        {{2}, "INTEGER"},          {{3}, "INTEGER"},
    {{4}, "INTEGER"},        {{5}, "Counter32"},        {{6}, "Counter32"},
    {{7}, "Counter32"},      {{8}, "Counter32"},        {{9}, "Gauge32"},
    {{10}, "Counter32"},     {{11}, "Counter32"},       {{12}, "Counter32"},
    {{14}, "Counter32"},     {{15}, "Counter32"},       {{17}, "Counter64"},
    {{18}, "Counter64"},     {{13, 1, 1}, "INTEGER"},   {{13, 1, 2}, "IpAddress"},
    {{13, 1, 3}, "INTEGER"}, {{13, 1, 4}, "IpAddress"}, {{13, 1, 5}, "INTEGER"},
    {{19, 1, 7}, "INTEGER"}, {{19, 1, 8}, "Gauge32"},   {{20, 1, 4}, "Gauge32"},
};

// 1.3.6.1.2.1.6.19.1.7.… -> 19.1.7; of a scalar its one number.
Oid object_of(const Oid& instance) {
  const std::ptrdiff_t length = instance.at(7) == 13 || instance.at(7) > 18 ? 3 : 1;
  return {instance.begin() + 7, instance.begin() + 7 + length};
}

TEST_P(Walk, ShowsEveryObjectInTheTypeOfTheRfc) {
  std::map<Oid, std::string> types;
  for (const Varbind& varbind : walk_of(v2c())) {
    const auto [object, added] = types.try_emplace(object_of(varbind.oid), varbind.type);
    EXPECT_EQ(object->second, varbind.type) << varbind;
  }
  EXPECT_EQ(types, kTypes);
}

TEST_P(Walk, OfSysOrTableNamesOurCapabilitiesOnce) {
  const Answer names = v2c().walk(kOrId);
  EXPECT_EQ(names.error, "");
  EXPECT_THAT(names.varbinds, Contains(Field(&Varbind::value, kOurCapabilities)).Times(1));
  const std::size_t by_the_master = GetParam() == Role::kSubagent ? 1 : 0;
  EXPECT_THAT(names.varbinds, Contains(Field(&Varbind::value, kTcpMib)).Times(by_the_master));
}

TEST_P(Walk, FindsNothingThatCouldBeWritten) {
  const std::vector<Varbind> walk = walk_of(v2c());
  const auto first_of = [&](const Oid& column) {
    return std::ranges::upper_bound(walk, column, {}, &Varbind::oid)->oid;
  };
  const SetRequest requests[] = {{first_of(kListener), 'u', "1"},
                                 {first_of(kConnectionProcess), 'u', "1"},
                                 {kRtoMin, 'i', "1"}};
  for (const SetRequest& request : requests) {
    EXPECT_EQ(v1("private").set({request}).error, "noSuchName") << text(request.oid);
    EXPECT_EQ(v2c("private").set({request}).error, "notWritable") << text(request.oid);
    EXPECT_EQ(v3().set({request}).error, "notWritable") << text(request.oid);
  }
}

// ---- With the MIB's own words ----

std::ptrdiff_t count_of(const std::string& word, const std::string& text) {
  std::istringstream words(text);
  return std::count(std::istream_iterator<std::string>(words), {}, word);
}

// The folder that holds the IETF's text, which is not ours to deliver.
std::optional<std::string> mib_folder() {
  const char* named = std::getenv("TCPMIBD_MIB_DIR");
  const std::filesystem::path beside =
      std::filesystem::path(TCPMIBD_SOURCE_DIR) / ".." / "shared" / "mibs";
  const std::filesystem::path folder = named != nullptr ? named : beside;
  return exists(folder / "TCP-MIB.txt") ? std::optional(folder.string()) : std::nullopt;
}

TEST_P(Walk, FillsATableInWordsOfTheMib) {
  const std::optional<std::string> folder = mib_folder();
  if (!folder)
    GTEST_SKIP() << "TCP-MIB.txt is not at hand; name its folder in TCPMIBD_MIB_DIR";
  const Output table = v2c().run({"snmptable", "-M", *folder, "-m", "TCP-MIB", "-Ci"},
                                 {"TCP-MIB::tcpConnectionTable"});
  EXPECT_EQ(table.status, 0) << table.err;
  const std::vector<Varbind> states = v2c().walk(kConnectionState).varbinds;
  for (const auto& [word, number] : {std::pair("established", "5"), std::pair("finWait2", "7"),
                                     std::pair("closeWait", "8"), std::pair("timeWait", "11")}) {
    EXPECT_GT(count_of(word, table.out), 0) << word;
    EXPECT_EQ(count_of(word, table.out), std::ranges::count(states, number, &Varbind::value));
  }
}

std::string role_name(const testing::TestParamInfo<Role>& info) {
  switch (info.param) {
    case Role::kSubagent:
      return "UnderAMasterWithTablesOfItsOwn";
    case Role::kSubagentOfABareMaster:
      return "UnderAMasterWithout";
    case Role::kStandalone:
      break;
  }
  return "Standalone";
}

INSTANTIATE_TEST_SUITE_P(InEveryRole, Walk,
                         testing::Values(Role::kSubagent, Role::kSubagentOfABareMaster,
                                         Role::kStandalone),
                         role_name);

// ---- What a row costs ----

// How often a process has called write(2) and its like; sending does not count (proc(5), "io").
unsigned long writes_of(const Process& process) {
  const std::string text = read_file("/proc/" + std::to_string(process.pid()) + "/io");
  constexpr std::string_view kWrites = "syscw: ";
  return std::stoul(text.substr(text.find(kWrites) + kWrites.size()));
}

// By the library's own way each of the master's PDUs would go through two pipes of the daemon.
TEST(WalkOverAgentx, NeedsNoPipeForARow) {
  if (const auto reason = system_skip_reason())
    GTEST_SKIP() << *reason;
  constexpr unsigned kRows = 2'000;
  const Namespace space;
  const Crowd crowd(space, kRows);
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  const unsigned long before = writes_of(daemon.process());
  const Answer walk = master.manager().patient(kGreatPatience).bulk_walk(kConnectionState);
  EXPECT_EQ(walk.error, "");
  EXPECT_THAT(walk.varbinds, SizeIs(kRows));
  EXPECT_LT(writes_of(daemon.process()) - before, kRows / 10);
}

}  // namespace
}  // namespace tcpmibd::lab
