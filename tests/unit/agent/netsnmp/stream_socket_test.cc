#include "agent/netsnmp/stream_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <vector>

#include "agent/netsnmp/message_size.h"
#include "base/handle.h"

namespace tcpmibd::agent {
namespace {

// Two connected sockets: ours, and that of a manager.
struct SocketPair {
  SocketPair() {
    std::array<int, 2> made{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, made.data()) == 0) {
      ours = FileDescriptor(made[0]);
      theirs = FileDescriptor(made[1]);
    }
  }

  FileDescriptor ours, theirs;
};

// Over TCP on the loopback; `family` is that of the listener, which is dual-stack where it can be.
SocketPair over_tcp(int family, const std::string& from) {
  SocketPair pair;
  const FileDescriptor listener(::socket(family, SOCK_STREAM, 0));
  sockaddr_storage any{};
  any.ss_family = static_cast<sa_family_t>(family);
  socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  ::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), size);
  ::listen(listener.get(), 1);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size);
  const in_port_t port = family == AF_INET ? reinterpret_cast<sockaddr_in&>(any).sin_port
                                           : reinterpret_cast<sockaddr_in6&>(any).sin6_port;
  sockaddr_in here{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  ::inet_pton(AF_INET, from.c_str(), &here.sin_addr);
  pair.theirs = FileDescriptor(::socket(AF_INET, SOCK_STREAM, 0));
  ::bind(pair.theirs.get(), reinterpret_cast<sockaddr*>(&here), sizeof here);
  here.sin_port = port;
  ::inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
  ::connect(pair.theirs.get(), reinterpret_cast<sockaddr*>(&here), sizeof here);
  pair.ours = FileDescriptor(::accept(listener.get(), nullptr, nullptr));
  return pair;
}

bool takes(const SocketPair& pair, std::size_t octets) {
  const std::vector<std::byte> message(octets);
  return send_whole(pair.ours.get(), message);
}

TEST(StreamSocket, AManagerIsKnownByItsAddressInTheFormOfItsFamily) {
  EXPECT_EQ(peer_address(over_tcp(AF_INET, "127.0.0.7").ours.get()), "127.0.0.7");
  EXPECT_EQ(peer_address(over_tcp(AF_INET6, "127.0.0.7").ours.get()), "127.0.0.7");
  EXPECT_EQ(peer_address(SocketPair().ours.get()), "a local socket");
  EXPECT_EQ(peer_address(-1), "an unknown address");
}

TEST(StreamSocket, AWholeMessageGoesOutUnlessNobodyReads) {
  const SocketPair pair;
  EXPECT_TRUE(takes(pair, 100));
  bool taken = true;
  for (int i = 0; taken && i < 10'000; ++i)
    taken = takes(pair, kLongestMessage);
  EXPECT_FALSE(taken);
}

TEST(StreamSocket, ThereIsRoomForSeveralOfTheLongestMessages) {
  for (const SocketPair& pair : {over_tcp(AF_INET, "127.0.0.1"), SocketPair()}) {
    prepare_stream(pair.ours.get());
    EXPECT_TRUE(takes(pair, kLongestMessage));
    EXPECT_TRUE(takes(pair, kLongestMessage));
    EXPECT_EQ(::fcntl(pair.ours.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(StreamSocket, AnEndThatIsGoneTakesNothingAndSendsNoSignal) {
  SocketPair pair;
  pair.theirs = FileDescriptor();
  EXPECT_FALSE(takes(pair, 100));
  EXPECT_TRUE(is_readable(pair.ours.get()));
}

TEST(StreamSocket, NothingIsReadableBeforeItHasCome) {
  const SocketPair pair;
  EXPECT_FALSE(is_readable(pair.ours.get()));
  ASSERT_EQ(::send(pair.theirs.get(), "x", 1, 0), 1);
  EXPECT_TRUE(is_readable(pair.ours.get()));
}

TEST(StreamSocket, ASilencedOneKeepsItsNumberAndTellsNothingAnyMore) {
  const SocketPair pair;
  const FileDescriptor silent(::eventfd(0, EFD_CLOEXEC));
  ASSERT_EQ(::send(pair.theirs.get(), "x", 1, 0), 1);
  silence(pair.ours.get(), silent.get());
  EXPECT_FALSE(is_readable(pair.ours.get()));
  EXPECT_FALSE(takes(pair, 1));
  EXPECT_EQ(::fcntl(pair.ours.get(), F_GETFD), FD_CLOEXEC);
  char octet = 0;
  EXPECT_LE(::recv(pair.theirs.get(), &octet, 1, MSG_DONTWAIT), 0);
  EXPECT_NE(errno, EAGAIN);
}

TEST(StreamSocket, WhatHasBeenLeftUnreadIsForgottenWithAReset) {
  const SocketPair pair = over_tcp(AF_INET, "127.0.0.1");
  prepare_stream(pair.ours.get());
  while (takes(pair, kLongestMessage)) {
  }
  const FileDescriptor silent(::eventfd(0, EFD_CLOEXEC));
  forget_unread(pair.ours.get());
  silence(pair.ours.get(), silent.get());
  std::vector<char> buffer(kLongestMessage);
  ssize_t got = 1;
  while (got > 0)
    got = ::recv(pair.theirs.get(), buffer.data(), buffer.size(), 0);
  EXPECT_EQ(got, -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace tcpmibd::agent
