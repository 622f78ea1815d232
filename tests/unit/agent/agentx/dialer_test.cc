#include "agent/agentx/dialer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "agent/agentx/name_lookup.h"
#include "support/deadline.h"
#include "unit/agent/agentx/listening.h"

namespace tcpmibd::agent::agentx {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class DialerTo : public ListeningMaster {
 protected:
  static Result<FileDescriptor> reach(const std::string& address) {
    return connect_to(MasterAddress(address), seconds(30));
  }

  Result<FileDescriptor> reach() const { return reach(path_); }
};

// A port of the loopback where somebody listens, or did.
std::uint16_t some_port(const FileDescriptor& socket) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

FileDescriptor tcp_socket() {
  return FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

TEST_F(DialerTo, AMasterThatListensHasASocketThatDoesNotBlock) {
  const FileDescriptor master = listen_at(path_);
  const Result<FileDescriptor> socket = reach();
  ASSERT_TRUE(socket);
  char byte = 0;
  EXPECT_EQ(::recv(socket->get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(DialerTo, APathFromHereIsThatSocket) {
  const FileDescriptor master = listen_at(path_);
  const std::string from_here = std::filesystem::relative(path_);
  ASSERT_FALSE(from_here.starts_with('/'));
  EXPECT_TRUE(reach(from_here));
  EXPECT_EQ(MasterAddress(from_here).identity(), address().identity());
}

TEST(MasterAddresses, WithASlashAreNoHosts) {
  EXPECT_TRUE(MasterAddress("./master").path());
  EXPECT_TRUE(MasterAddress("run/master:1").path());
  EXPECT_FALSE(MasterAddress("tcp:host/705").path());
  EXPECT_FALSE(MasterAddress("tcp:host/705").check());
}

TEST_F(DialerTo, AnAbsentMasterNamesTheCauseAndTheLineItMayLack) {
  const Result<FileDescriptor> absent = reach();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ENOENT);
  EXPECT_THAT(absent.error().text(), HasSubstr("master agentx"));
}

TEST_F(DialerTo, ASocketThatNobodyListensOnIsToldFromNone) {
  listen_at(path_);  // and gone again; the file stays
  const Result<FileDescriptor> refused = reach();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
}

TEST_F(DialerTo, AClosedSocketNamesTheLineThatOpensIt) {
  if (::geteuid() == 0)
    GTEST_SKIP() << "nothing is closed to root";
  const FileDescriptor master = listen_at(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::none);
  const Result<FileDescriptor> closed = reach();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, EACCES);
  EXPECT_THAT(closed.error().text(), HasSubstr("agentXPerms"));
}

TEST_F(DialerTo, AFullQueueIsAMasterThatIsStopped) {
  const FileDescriptor master = listen_at(path_);
  std::vector<FileDescriptor> queued;
  Result<FileDescriptor> socket = reach();
  while (socket && queued.size() < 100) {
    queued.push_back(*std::move(socket));
    socket = reach();
  }
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, EAGAIN);
}

TEST_F(DialerTo, APortOfAnAddressIsReached) {
  const FileDescriptor master = tcp_socket();
  const std::string port = std::to_string(some_port(master));
  ASSERT_EQ(::listen(master.get(), 1), 0);
  EXPECT_TRUE(reach("tcp:127.0.0.1:" + port));
}

// A system that is made of its packages alone has no /etc/hosts.
bool localhost_is_known() {
  addrinfo* found = nullptr;
  const bool is_known = ::getaddrinfo("localhost", nullptr, nullptr, &found) == 0 &&
                        (found->ai_family == AF_INET6 ||
                         reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr.s_addr ==
                             htonl(INADDR_LOOPBACK));
  if (found != nullptr)
    ::freeaddrinfo(found);
  return is_known;
}

class DialerToAName : public DialerTo {
 protected:
  void SetUp() override {
    if (!kNamesCanBeLookedUp)
      GTEST_SKIP() << kNoNames;
    if (!localhost_is_known())
      GTEST_SKIP() << "localhost is not known here";
    DialerTo::SetUp();
  }
};

// "localhost" may have two addresses; that of IPv6, where nobody listens, comes first then.
TEST_F(DialerToAName, IsToEachOfItsAddresses) {
  const FileDescriptor master = tcp_socket();
  const std::string port = std::to_string(some_port(master));
  ASSERT_EQ(::listen(master.get(), 1), 0);
  EXPECT_TRUE(reach("tcp:localhost:" + port));
}

TEST_F(DialerToAName, IsRefusedWhereNobodyListens) {
  const FileDescriptor nobody = tcp_socket();
  const Result<FileDescriptor> refused =
      reach("tcp:localhost:" + std::to_string(some_port(nobody)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
}

TEST_F(DialerTo, APortWhereNobodyListensRefuses) {
  const FileDescriptor nobody = tcp_socket();
  const Result<FileDescriptor> refused =
      reach("tcp:127.0.0.1:" + std::to_string(some_port(nobody)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
}

TEST_F(DialerTo, AnAttemptEndsWhenItsTimeIsUp) {
  if (!kNamesCanBeLookedUp)
    GTEST_SKIP() << kNoNames;
  Dialer dialer(MasterAddress("tcp:some.name.invalid:705"), seconds(3));
  const Time begun = Clock::now();
  dialer.begin(begun);
  EXPECT_TRUE(dialer.is_under_way());
  EXPECT_LE(dialer.wake(), begun + seconds(3));
  const auto outcome = dialer.turn(begun + seconds(3));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, ETIMEDOUT);
  EXPECT_FALSE(dialer.is_under_way());
}

TEST(NameLookupOf, AnAddressIsThatAddress) {
  if (!kNamesCanBeLookedUp)
    GTEST_SKIP() << kNoNames;
  const NameLookup lookup("127.0.0.1", "705");
  EXPECT_TRUE(lab::eventually([&] { return lookup.addresses().has_value(); }));
  ASSERT_EQ(lookup.addresses()->size(), 1U);
  EXPECT_EQ(lookup.addresses()->front().get()->sa_family, AF_INET);
}

TEST(NameLookupOf, OneThatNobodyWaitsForLeavesNothingBehind) {
  if (!kNamesCanBeLookedUp)
    GTEST_SKIP() << kNoNames;
  for (int i = 0; i < 20; ++i)
    const NameLookup lookup("some.name.invalid", "705");
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
