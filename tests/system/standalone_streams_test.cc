#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/crowd.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The daemon as an agent of its own, over streams: managers that are too many, too silent, or do
// not read.

namespace tcpmibd::lab {
namespace {

using namespace std::string_view_literals;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kStream = "127.0.0.1:2161";

class StandaloneStreams : public SystemTest {};

// GETBULK of SNMPv2c, "public", 50 repetitions of what follows system (1.3.6.1.2.1.1).
constexpr std::string_view kBulk =
    "\x30\x24\x02\x01\x01\x04\x06public\xa5\x17\x02\x01\x01\x02\x01\x00\x02\x01\x32\x30\x0c"
    "\x30\x0a\x06\x06\x2b\x06\x01\x02\x01\x01\x05\x00"sv;

// The same of tcpConnectionTable (1.3.6.1.2.1.6.19), which takes a snapshot.
constexpr std::string_view kBulkOfConnections =
    "\x30\x25\x02\x01\x01\x04\x06public\xa5\x18\x02\x01\x01\x02\x01\x00\x02\x01\x32\x30\x0d"
    "\x30\x0b\x06\x07\x2b\x06\x01\x02\x01\x06\x13\x05\x00"sv;

Daemon serving_streams(const Namespace& space, std::vector<std::string> settings,
                       std::string configuration = {}) {
  return Daemon::standalone(space, {.configuration = std::move(configuration),
                                    .settings = std::move(settings),
                                    .arguments = {"--standalone", "tcp:0.0.0.0:2161"}});
}

// The settings that let `most` connections in, from anywhere.
std::vector<std::string> connections(int most) {
  const std::string number = std::to_string(most);
  return {"standalone.tcp-connections=" + number, "standalone.tcp-connections-each=" + number};
}

TcpSocket manager_at(const Namespace& space, const std::string& from = "127.0.0.1") {
  return connect_to(space, kStream, {.from = from + ":0"});
}

bool is_ended(const TcpSocket& socket) {
  char octet = 0;
  const ssize_t got = ::recv(socket.get(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

bool ends(const TcpSocket& socket) {
  return eventually([&] { return is_ended(socket); });
}

// Whether a request on it is answered.
bool is_served(const TcpSocket& socket) {
  std::vector<char> answer(64 * 1024);
  ssize_t got = ::send(socket.get(), kBulk.data(), kBulk.size(), MSG_NOSIGNAL);
  eventually([&] {
    got = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    return got >= 0 || errno != EAGAIN;
  });
  return got > 0;
}

std::string told_by_datagram(const Namespace& space) {
  return told(Manager::v2c(space, Daemon::kAddress), kTcpRtoMin);
}

// ---- Whom they serve ----

TEST_F(StandaloneStreams, EveryKindOfStreamServesTheSameWalk) {
  const Namespace space;
  const TempFolder folder;
  const std::string path = folder.file("snmp");
  const std::string access = folder.write(
      "access",
      "rocommunity public 127.0.0.1\nrocommunity6 public ::1\ncom2secunix local default public\n"
      "group locals v2c local\nview tcp included .1.3.6.1.2.1.6\n"
      "access locals \"\" any noauth exact tcp none none\n");
  Daemon daemon =
      Daemon::standalone(space,
                         {.arguments = {"--standalone", "tcp:127.0.0.1:2161", "--standalone",
                                        "tcp6:[::1]:2161", "--standalone", "unix:" + path}},
                         access);
  // Nothing changes in them while they are read.
  const Oid parameters = oid_of("1.3.6.1.2.1.6.2"), listeners = oid_of("1.3.6.1.2.1.6.20");
  for (const Oid& root : {parameters, listeners}) {
    const Answer wanted = Manager::v2c(space, Daemon::kAddress).walk(root);
    EXPECT_THAT(wanted.varbinds, Not(IsEmpty()));
    for (const std::string& address :
         {std::string("tcp:127.0.0.1:2161"), std::string("tcp6:[::1]:2161"), "unix:" + path}) {
      const Answer walk = Manager::v2c(space, address).bulk_walk(root);
      EXPECT_EQ(walk.error, "") << address;
      EXPECT_EQ(walk.varbinds, wanted.varbinds) << address;
    }
  }
}

TEST_F(StandaloneStreams, WithoutAnAccessFileWhoOpensTheSocketMayRead) {
  const Namespace space;
  const TempFolder folder;
  const std::string address = "unix:" + folder.file("snmp");
  const Daemon daemon(space, {.arguments = {"--standalone", address}});
  ASSERT_TRUE(daemon.says("serving SNMP on " + address)) << daemon.log();
  const Manager manager = Manager::v2c(space, address);
  EXPECT_THAT(manager.walk(oid_of("1.3.6.1.2.1.6.2")).varbinds, Not(IsEmpty()));
  EXPECT_THAT(manager.walk(oid_of("1.3.6.1.6.3.10")).varbinds, IsEmpty()) << "beyond the view";
}

TEST_F(StandaloneStreams, AnAccessFileThatAdmitsNobodyOverUnixIsNamed) {
  const Namespace space;
  const TempFolder folder;
  const std::string access = folder.write("access", "rocommunity public\n");
  const Daemon daemon(
      space, {.arguments = {"--standalone", "unix:" + folder.file("snmp"), "--access", access}});
  EXPECT_TRUE(daemon.says("nobody can read over unix:")) << daemon.log();
  EXPECT_TRUE(daemon.says(access + " needs")) << daemon.log();
}

TEST_F(StandaloneStreams, ATransportThatWaitsForItsPeersIsRefused) {
  const Namespace space;
  for (const char* address : {"tlstcp:127.0.0.1:2161", "dtlsudp:127.0.0.1:2161"}) {
    Daemon daemon(space, {.arguments = {"--standalone", address}});
    EXPECT_EQ(daemon.process().wait(), 2) << daemon.log();
    EXPECT_TRUE(daemon.says(std::string("cannot listen on ") + address)) << daemon.log();
  }
}

// ---- Limits ----

TEST_F(StandaloneStreams, AnIdleConnectionIsEndedAndOneThatAsksIsNot) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {"standalone.tcp-idle=1s"});
  const TcpSocket idle = manager_at(space);
  const TcpSocket asking = manager_at(space);
  EXPECT_TRUE(eventually([&] { return !is_served(asking) || is_ended(idle); }));
  EXPECT_TRUE(is_ended(idle));
  EXPECT_TRUE(is_served(asking));
}

TEST_F(StandaloneStreams, OctetsThatAreNoRequestDoNotKeepAConnection) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {"standalone.tcp-idle=1s"});
  const TcpSocket trickling = manager_at(space);
  trickling.send("\x30\x82\xf0\x00"sv);  // of a message of 61 440 octets
  EXPECT_TRUE(eventually([&] {
    ::send(trickling.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return is_ended(trickling);
  }));
}

TEST_F(StandaloneStreams, OneMoreThanTheyMayBeIsClosedAsItComes) {
  const Namespace space;
  const Daemon daemon =
      serving_streams(space, {"standalone.tcp-connections=3", "standalone.tcp-connections-each=2"});
  TcpSocket first = manager_at(space);
  const TcpSocket second = manager_at(space);
  EXPECT_TRUE(is_served(first));
  EXPECT_TRUE(is_served(second));
  EXPECT_TRUE(ends(manager_at(space)));
  EXPECT_TRUE(
      daemon.says("a connection from 127.0.0.1 is refused: 2 are open from there "
                  "(standalone.tcp-connections-each)"));
  const TcpSocket elsewhere = manager_at(space, "127.0.0.2");
  EXPECT_TRUE(ends(manager_at(space, "127.0.0.3")));
  EXPECT_FALSE(is_ended(elsewhere));
  EXPECT_EQ(told_by_datagram(space), "200");

  first.close();
  EXPECT_TRUE(eventually([&] { return is_served(manager_at(space)); }));
}

TEST_F(StandaloneStreams, TheLimitsAreAppliedToARunningAgent) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {}, "[standalone]\ntcp-connections = 1\n");
  TcpSocket first = manager_at(space);
  EXPECT_TRUE(is_served(first));
  EXPECT_TRUE(ends(manager_at(space)));
  daemon.configure("[standalone]\ntcp-connections = 2\ntcp-idle = \"1s\"\n");
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(daemon.says("the configuration has been read again"));
  const TcpSocket second = manager_at(space);
  EXPECT_TRUE(is_served(second));
  EXPECT_TRUE(ends(first));
}

// Lets this process have more descriptors than the daemon that it has started.
class ManyDescriptors {
 public:
  ManyDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit many{.rlim_cur = before_.rlim_max, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &many);
  }
  ~ManyDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  ManyDescriptors(const ManyDescriptors&) = delete;
  ManyDescriptors& operator=(const ManyDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(StandaloneStreams, AThousandConnectionsDisturbNobody) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {});
  const ManyDescriptors many;
  std::vector<TcpSocket> crowd;
  for (int i = 0; i < 1'050; ++i)
    crowd.push_back(manager_at(space, "127.0.0." + std::to_string(2 + i % 200)));
  EXPECT_EQ(told_by_datagram(space), "200");
  const auto open = [&] { return std::ranges::count_if(crowd, std::not_fn(is_ended)); };
  EXPECT_EQ(settled(open, 64), 64);
  EXPECT_EQ(told_by_datagram(space), "200");
  EXPECT_EQ(count_of("is refused", daemon.log()), 1) << daemon.log();
}

TEST_F(StandaloneStreams, WithoutADescriptorLeftOneMoreIsTurnedAway) {
  const Namespace space;
  const TempFolder folder;
  const std::string program =
      folder.write("scarce", "#!/bin/sh\nulimit -n 60\nexec " + tcpmibd_binary() + " \"$@\"\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const Daemon daemon =
      Daemon::standalone(space, {.settings = connections(500),
                                 .arguments = {"--standalone", "tcp:0.0.0.0:2161"},
                                 .program = program});
  std::vector<TcpSocket> crowd;
  for (int i = 0; i < 90; ++i)
    crowd.push_back(manager_at(space));
  EXPECT_TRUE(daemon.says("cannot accept a connection: Too many open files"));
  EXPECT_TRUE(ends(crowd.back()));
  crowd.clear();
  EXPECT_EQ(settled([&] { return told_by_datagram(space); }, "200"), "200");
  EXPECT_TRUE(is_served(manager_at(space)));
}

// ---- Who does not read, or goes ----

// Asks for as much as there is room for, and reads nothing; whether the connection has been reset.
bool is_reset_while_asking(const TcpSocket& socket) {
  while (::send(socket.get(), kBulk.data(), kBulk.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  return errno == ECONNRESET || errno == EPIPE;
}

TEST_F(StandaloneStreams, NobodyWaitsForAManagerThatDoesNotRead) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {});
  const TcpSocket reading = manager_at(space);
  EXPECT_TRUE(is_served(reading));
  for (int round = 0; round < 2; ++round) {
    const TcpSocket deaf = manager_at(space);
    EXPECT_TRUE(eventually([&] { return is_reset_while_asking(deaf); }, kGreatPatience));
    EXPECT_EQ(told_by_datagram(space), "200");
    EXPECT_TRUE(is_served(reading));
  }
  EXPECT_EQ(count_of("the connection from 127.0.0.1 is dropped: it does not read its answers",
                     daemon.log()),
            1)
      << daemon.log();
}

// Whose answer has nobody to go to when it is there.
TEST_F(StandaloneStreams, AManagerMayLeaveBeforeItsAnswerComes) {
  const Namespace space;
  const Crowd crowd(space, 2'000);
  std::vector<std::string> settings = connections(500);
  settings.insert(settings.end(), {"snapshot.max-age=10ms", "process.max-age=100ms"});
  Daemon daemon = serving_streams(space, settings);
  for (int round = 0; round < 200; ++round) {
    TcpSocket leaving = manager_at(space);
    for (int requests = 0; requests <= round % 3; ++requests)
      leaving.send(kBulkOfConnections);
    if (round % 2 == 0)
      leaving.reset();
    if (round % 20 == 0) {
      EXPECT_EQ(told_by_datagram(space), "200") << daemon.log();
    }
  }
  EXPECT_TRUE(is_served(manager_at(space)));
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
}

TEST_F(StandaloneStreams, WhatIsNoSnmpEndsItsConnection) {
  const Namespace space;
  const Daemon daemon = serving_streams(space, {});
  for (const std::string_view octets :
       {"GET / HTTP/1.0\r\n\r\n"sv, "\x30\x84\x7f\xff\xff\xff"sv, "\x30\x80"sv, "\x30\xff"sv}) {
    const TcpSocket stranger = manager_at(space);
    stranger.send(octets);
    EXPECT_TRUE(ends(stranger)) << octets;
  }
  EXPECT_TRUE(is_served(manager_at(space)));
}

// ---- Receivers of notifications ----

// Each request by a wrong community is a notification to the one receiver, over a stream.
struct Notifying {
  explicit Notifying(const Namespace& space)
      : listener(listen_on(space, "127.0.0.1:1620", {.receive_buffer = 4096})),
        daemon(Daemon::standalone(space, {},
                                  folder.write("access",
                                               "rocommunity public 127.0.0.1\nauthtrapenable 1\n"
                                               "trapsess -v 2c -c public tcp:127.0.0.1:1620\n"))),
        receiver(accept_from(listener)),
        stranger(space.run([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); })) {}

  void notify() const {
    const sockaddr_in agent{.sin_family = AF_INET,
                            .sin_port = htons(2161),
                            .sin_addr = {htonl(INADDR_LOOPBACK)},
                            .sin_zero = {}};
    std::string request(kBulk);
    request.replace(request.find("public"), 6, "guests");
    ::sendto(stranger.get(), request.data(), request.size(), 0,
             reinterpret_cast<const sockaddr*>(&agent), sizeof agent);
  }

  bool loses_one() const {
    return eventually(
        [&] {
          for (int i = 0; i < 100; ++i)
            notify();
          return daemon.log().find("a notification is lost: its receiver 127.0.0.1") !=
                 std::string::npos;
        },
        kGreatPatience);
  }

  TempFolder folder;
  TcpSocket listener;
  Daemon daemon;
  TcpSocket receiver;
  FileDescriptor stranger;
};

TEST_F(StandaloneStreams, NobodyWaitsForAReceiverThatDoesNotRead) {
  const Namespace space;
  Notifying agent(space);
  EXPECT_TRUE(agent.loses_one());
  EXPECT_EQ(settled([&] { return told_by_datagram(space); }, "200"), "200");
  EXPECT_EQ(agent.daemon.terminate(), 0) << agent.daemon.log();
}

TEST_F(StandaloneStreams, AReceiverMayGoAndOthersAreServed) {
  const Namespace space;
  Notifying agent(space);
  EXPECT_FALSE(agent.receiver.receive().empty());
  agent.receiver.close();
  EXPECT_TRUE(agent.loses_one());
  EXPECT_EQ(settled([&] { return told_by_datagram(space); }, "200"), "200");
  EXPECT_EQ(agent.daemon.terminate(), 0) << agent.daemon.log();
}

// ---- Local sockets ----

// Binds to a name below the current folder, so that it begins as it is written.
FileDescriptor local_client(const std::string& name, const std::string& server) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(name, address.sun_path);
  const bool bound =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  address = {.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(server, address.sun_path);
  EXPECT_TRUE(bound && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                                 sizeof address) == 0)
      << name << ", " << server;
  return socket;
}

// The library takes a part of a peer's name for the path of its own socket, which it deletes.
TEST_F(StandaloneStreams, TheNameOfALocalPeerIsNoFileToDelete) {
  const Namespace space;
  const TempFolder folder;
  const std::string path = folder.file("snmp"), victim = folder.write("victim", "precious");
  const std::string name = "abcd" + victim;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directories(folder.path() / std::filesystem::path(name).parent_path());
  Daemon daemon = Daemon::standalone(space, {.arguments = {"--standalone", "unix:" + path}});
  for (int round = 0; round < 2; ++round) {
    std::filesystem::current_path(folder.path());
    FileDescriptor peer = local_client(name, path);
    std::filesystem::current_path(before);
    EXPECT_EQ(told_by_datagram(space), "200");
    peer = FileDescriptor();
    EXPECT_EQ(told_by_datagram(space), "200");
    std::filesystem::remove(folder.path() / name);
    EXPECT_EQ(read_file(victim), "precious");
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_EQ(daemon.terminate(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(read_file(victim), "precious");
}

}  // namespace
}  // namespace tcpmibd::lab
