#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "base/handle.h"
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
  // Ends of the rest of the host would come between.
  const Daemon daemon =
      Daemon::standalone(space, {.settings = {"ends.watch=off"}}, access_of_all(folder));
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
  for (int i = 0; i < 9; ++i)
    columns.insert(columns.end(), {kConnectionState, kConnectionProcess});
  for (const User& user : users()) {
    const Answer answer = as(space, user).stating(kLeast).bulk(0, 5, columns);
    EXPECT_EQ(answer.error, "") << user.name;
    ASSERT_THAT(answer.varbinds, Not(IsEmpty())) << user.name;
    EXPECT_LT(answer.varbinds.size(), columns.size()) << user.name;
    for (std::size_t i = 0; i < answer.varbinds.size(); ++i)
      EXPECT_EQ(answer.varbinds[i], answer.varbinds[i % 2]) << user.name << ", binding " << i;
  }
}

// The tools send nothing longer than what they state; the answer has values, and the request none.
TEST_F(MessageSize, AGetThatDoesNotFitIsTooBig) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder));
  const std::vector<Oid> many(14, kSysDescr);
  const std::vector<Oid> many_before(14, oid_of("1.3.6.1.2.1.1"));
  lose_what_is_longer_than(kLeast, space);
  for (const User& user : users()) {
    const Manager narrow = as(space, user).stating(kLeast);
    EXPECT_EQ(narrow.get(many).error, "tooBig") << user.name;
    EXPECT_EQ(narrow.next(many_before).error, "tooBig") << user.name;
    EXPECT_TRUE(narrow.get({kSysDescr}).ok()) << user.name;
  }
  space.clear();
  for (const User& user : users())
    EXPECT_THAT(as(space, user).get(many).varbinds, SizeIs(many.size())) << user.name;
}

// ---- A Set longer than what its manager states ----

std::string with_tag(char tag, const std::string& content) {
  const auto length = static_cast<unsigned>(content.size());
  std::string text(1, tag);
  if (length > 127)
    text += {'\x82', static_cast<char>(length >> 8)};
  return text + static_cast<char>(length) + content;
}

std::string encoded_integer(int value) {
  return with_tag('\x02', {static_cast<char>(value >> 8), static_cast<char>(value)});
}

std::string encoded_name(const Oid& oid) {
  std::string content(1, static_cast<char>(oid[0] * 40 + oid[1]));
  for (std::size_t i = 2; i < oid.size(); ++i) {
    std::string octets(1, static_cast<char>(oid[i] & 0x7f));
    for (std::uint32_t rest = oid[i] >> 7; rest != 0; rest >>= 7)
      octets.insert(octets.begin(), static_cast<char>(0x80 | (rest & 0x7f)));
    content += octets;
  }
  return with_tag('\x06', content);
}

// "80 00 1F 88" -> the octets
std::string octets_of(const std::string& hexadecimal) {
  std::istringstream text(hexadecimal);
  std::string octets;
  for (unsigned octet = 0; text >> std::hex >> octet;)
    octets += static_cast<char>(octet);
  return octets;
}

// A Set of deleteTCB(12) by a user without phrases, of RFC 3412, 6.
std::string deletion_of(const std::vector<Oid>& cells, const std::string& user,
                        const std::string& engine, int stated) {
  std::string bindings;
  for (const Oid& cell : cells)
    bindings += with_tag('\x30', encoded_name(cell) + with_tag('\x02', "\x0c"));
  const std::string pdu = with_tag('\xa3', encoded_integer(4711) + encoded_integer(0) +
                                               encoded_integer(0) + with_tag('\x30', bindings));
  const std::string security =
      with_tag('\x30', with_tag('\x04', engine) + encoded_integer(0) + encoded_integer(0) +
                           with_tag('\x04', user) + with_tag('\x04', {}) + with_tag('\x04', {}));
  const std::string global = with_tag('\x30', encoded_integer(4711) + encoded_integer(stated) +
                                                  with_tag('\x04', {'\0'}) + encoded_integer(3));
  const std::string scoped =
      with_tag('\x30', with_tag('\x04', engine) + with_tag('\x04', {}) + pdu);
  return with_tag('\x30', encoded_integer(3) + global + with_tag('\x04', security) + scoped);
}

std::string asked_by_datagram(const Namespace& space, const std::string& message) {
  const FileDescriptor socket(
      space.run([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }));
  const sockaddr_in agent{.sin_family = AF_INET,
                          .sin_port = htons(2161),
                          .sin_addr = {htonl(INADDR_LOOPBACK)},
                          .sin_zero = {}};
  ::sendto(socket.get(), message.data(), message.size(), 0,
           reinterpret_cast<const sockaddr*>(&agent), sizeof agent);
  std::string answer(64 * 1024, '\0');
  ssize_t got = -1;
  eventually([&] {
    return (got = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT)) >= 0;
  });
  answer.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return answer;
}

TEST_F(MessageSize, ASetWhoseAnswerDoesNotFitIsNotDone) {
  const Namespace space;
  const TempFolder folder;
  const Stage stage = on_loopback(space, Family::kV4);
  std::vector<Connection> made;
  std::vector<Oid> cells;
  for (int i = 0; i < 20; ++i) {
    made.push_back(connected(stage));
    cells.push_back(connection_cell(kStateColumn, made.back().server.ends()));
  }
  const Daemon daemon = Daemon::standalone(space, {}, access_of_all(folder, "rwuser"));
  const Manager reader = Manager::v2c(space, Daemon::kAddress);
  const std::string user = users().front().name;
  const std::string engine = octets_of(told(reader, oid_of("1.3.6.1.6.3.10.2.1.1.0")));

  const std::string refused = asked_by_datagram(space, deletion_of(cells, user, engine, kLeast));
  const std::string too_big =
      std::string("\x02\x01\x01", 3) + std::string("\x02\x01\0", 3) + std::string("\x30\0", 2);
  EXPECT_LE(refused.size(), static_cast<std::size_t>(kLeast));
  EXPECT_TRUE(refused.ends_with(too_big)) << testing::PrintToString(refused);
  for (const Oid& cell : cells)
    EXPECT_EQ(told(reader, cell), kEstablished);

  const std::string done =
      asked_by_datagram(space, deletion_of(cells, user, engine, kPerlsNetSnmp));
  EXPECT_GT(done.size(), static_cast<std::size_t>(kLeast));
  EXPECT_EQ(told(reader, cells.front()), kGone);
  EXPECT_EQ(told(reader, cells.back()), kGone);
}

}  // namespace
}  // namespace tcpmibd::lab
