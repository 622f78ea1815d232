#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/crowd.h"
#include "support/scenes.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// Managers that state how long a message may be (RFC 3412, 7.2): what they get is not longer, and
// whole all the same.

namespace tcpmibd::lab {
namespace {

using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Oid kConnectionRows = oid_of("1.3.6.1.2.1.6.19.1");
constexpr int kLeast = 484;          // RFC 3412, 6
constexpr int kPerlsNetSnmp = 1472;  // what fits into a frame of Ethernet
constexpr int kDatagram = 65507;

// One for each level of security, and for digests and ciphers of other lengths.
std::vector<User> users() {
  return {
      {.name = "nobody", .authentication = "", .privacy = ""},
      {.name = "signer", .privacy = ""},
      {.name = "operator"},
      {.name = "long", .digest = "SHA-512"},
      {.name = "old", .digest = "MD5", .cipher = "DES"},
  };
}

std::string level_of(const User& user) {
  return user.authentication.empty() ? "noauth" : user.privacy.empty() ? "auth" : "priv";
}

std::string lines_of(const User& user, const std::string& right) {
  std::string line = "createUser " + user.name;
  if (!user.authentication.empty())
    line += ' ' + user.digest + " \"" + user.authentication + '"';
  if (!user.privacy.empty())
    line += ' ' + user.cipher + " \"" + user.privacy + '"';
  return line + '\n' + right + ' ' + user.name + ' ' + level_of(user) + " -V all\n";
}

std::string access_of_all(const TempFolder& folder, const std::string& right = "rouser") {
  std::string lines = "view all included .1.3\nrocommunity public 127.0.0.1 -V all\n";
  for (const User& user : users())
    lines += lines_of(user, right);
  return folder.write("access", lines);
}

class MessageSize : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const auto& reason = Namespace::filter_skip_reason())
      GTEST_SKIP() << *reason;
  }

  // Whoever states `octets` gets nothing longer: it is lost on its way.
  static void lose_what_is_longer_than(int octets, const Namespace& space) {
    constexpr int kUdpHeader = 8;
    space.clear();
    space.drop_output("udp sport 2161 udp length > " + std::to_string(octets + kUdpHeader));
  }

  static Manager as(const Namespace& space, const User& user) {
    return Manager::v3(space, Daemon::kAddress, user);
  }
};

std::vector<Oid> states_of(const Crowd& crowd) {
  std::vector<Oid> cells;
  for (unsigned number = 0; number < crowd.size(); ++number)
    cells.push_back(connection_cell(kStateColumn, crowd.member(number).ends));
  std::ranges::sort(cells);
  return cells;
}

std::vector<Oid> oids_of(const Answer& answer) {
  std::vector<Oid> oids;
  for (const Varbind& varbind : answer.varbinds)
    oids.push_back(varbind.oid);
  return oids;
}

TEST_F(MessageSize, AWalkByBulksOfAnyStatedSizeIsWhole) {
  const Namespace space;
  const TempFolder folder;
  const Crowd crowd(space, 150);
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  const std::vector<Varbind> wanted =
      Manager::v2c(space, Daemon::kAddress).walk(kConnectionRows).varbinds;
  EXPECT_THAT(wanted, SizeIs(2 * crowd.size()));
  for (const int octets : {kLeast, 600, kPerlsNetSnmp, kDatagram}) {
    lose_what_is_longer_than(octets, space);
    for (const User& user : users()) {
      const Answer walk = as(space, user).stating(octets).bulk_walk(kConnectionRows, 40);
      EXPECT_EQ(walk.error, "") << user.name << ", " << octets;
      EXPECT_EQ(walk.varbinds, wanted) << user.name << ", " << octets;
    }
  }
}

TEST_F(MessageSize, TheGroupsOfTheLibraryAreCutAsOursAre) {
  const Namespace space;
  const TempFolder folder;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  const Oid everything = oid_of("1.3");
  const std::vector<Oid> wanted = oids_of(Manager::v2c(space, Daemon::kAddress).walk(everything));
  for (const int octets : {kLeast, kPerlsNetSnmp}) {
    lose_what_is_longer_than(octets, space);
    for (const User& user : users()) {
      const Answer walk = as(space, user).stating(octets).bulk_walk(everything, 25);
      EXPECT_EQ(walk.error, "") << user.name << ", " << octets;
      EXPECT_EQ(oids_of(walk), wanted) << user.name << ", " << octets;
    }
  }
}

TEST_F(MessageSize, AnAnswerIsAsLongAsItMayBe) {
  const Namespace space;
  const TempFolder folder;
  const Crowd crowd(space, 150);
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  // A binding of this crowd has some 30 octets, what is around them at most 200.
  for (const User& user : users()) {
    const Answer answer = as(space, user).stating(kPerlsNetSnmp).bulk(0, 100, {kConnectionState});
    EXPECT_EQ(answer.error, "");
    EXPECT_GE(answer.varbinds.size(), (kPerlsNetSnmp - 200) / 32U) << user.name;
    EXPECT_LT(answer.varbinds.size(), 100U) << user.name;
  }
}

TEST_F(MessageSize, OfManyColumnsTheFirstOnesFit) {
  const Namespace space;
  const TempFolder folder;
  const Crowd crowd(space, 10);
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  lose_what_is_longer_than(kLeast, space);
  std::vector<Oid> columns;
  for (int i = 0; i < 25; ++i)
    columns.insert(columns.end(), {kConnectionState, kConnectionProcess});
  for (const User& user : users()) {
    const Answer answer = as(space, user).stating(kLeast).bulk(0, 5, columns);
    EXPECT_EQ(answer.error, "") << user.name;
    ASSERT_THAT(answer.varbinds, Not(IsEmpty())) << user.name;
    for (std::size_t i = 0; i < answer.varbinds.size(); ++i)
      EXPECT_EQ(answer.varbinds[i], answer.varbinds[i % 2]) << user.name << ", binding " << i;
  }
}

TEST_F(MessageSize, AGetThatDoesNotFitIsTooBig) {
  const Namespace space;
  const TempFolder folder;
  const Crowd crowd(space, 20);
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  const std::vector<Oid> cells = states_of(crowd);
  lose_what_is_longer_than(kLeast, space);
  for (const User& user : users()) {
    const Manager narrow = as(space, user).stating(kLeast);
    EXPECT_EQ(narrow.get(cells).error, "tooBig") << user.name;
    EXPECT_EQ(narrow.next(cells).error, "tooBig") << user.name;
    EXPECT_EQ(told(narrow, cells.front()), kEstablished) << user.name;
  }
  space.clear();
  for (const User& user : users())
    EXPECT_THAT(as(space, user).get(cells).varbinds, SizeIs(cells.size())) << user.name;
}

TEST_F(MessageSize, ASetWhoseAnswerDoesNotFitIsNotDone) {
  const Namespace space;
  const TempFolder folder;
  const Stage stage = on_loopback(space, Family::kV4);
  std::vector<Connection> connections;
  std::vector<SetRequest> deletions;
  for (int i = 0; i < 20; ++i) {
    connections.push_back(connected(stage));
    deletions.push_back({.oid = connection_cell(kStateColumn, connections.back().server.ends()),
                         .type = 'i',
                         .value = "12"});
  }
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder, "rwuser"));
  for (const User& user : users())
    EXPECT_EQ(as(space, user).stating(kLeast).set(deletions).error, "tooBig") << user.name;
  const Manager wide = as(space, users().front());
  for (const SetRequest& deletion : deletions)
    EXPECT_EQ(told(wide, deletion.oid), kEstablished);
  EXPECT_EQ(wide.set(deletions).error, "");
  EXPECT_EQ(told(wide, deletions.back().oid), kGone);
}

}  // namespace
}  // namespace tcpmibd::lab
