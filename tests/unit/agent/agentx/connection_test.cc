#include "agent/agentx/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace tcpmibd::agent::agentx {
namespace {

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    peer_ = FileDescriptor(ends[0]);
    connection_.emplace(FileDescriptor(ends[1]));
  }

  void peer_sends(std::span<const std::uint8_t> bytes) const {
    EXPECT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // What the peer finds to read.
  std::size_t peer_reads() const {
    std::array<char, 1 << 16> buffer;
    std::size_t all = 0;
    for (ssize_t size; (size = ::read(peer_.get(), buffer.data(), buffer.size())) > 0;)
      all += static_cast<std::size_t>(size);
    return all;
  }

  static Bytes ping(std::uint32_t packet) {
    Bytes bytes;
    append_ping(bytes, {.packet = packet});
    return bytes;
  }

  FileDescriptor peer_;
  std::optional<Connection> connection_;
};

TEST_F(ConnectionTest, WhatComesInPiecesIsTakenWhole) {
  Bytes bytes = ping(1);
  append_close(bytes, {.packet = 2}, CloseReason::kShutdown);
  std::vector<std::uint32_t> taken;
  for (const std::uint8_t byte : bytes) {
    peer_sends(std::span(&byte, 1));
    ASSERT_TRUE(connection_->receive());
    EXPECT_EQ(connection_->has_packet(), taken.size() < 2 && connection_->has_packet());
    while (const std::optional<Packet> packet = connection_->take())
      taken.push_back(packet->header.packet);
  }
  EXPECT_THAT(taken, testing::ElementsAre(1U, 2U));
  EXPECT_FALSE(connection_->has_packet());
}

TEST_F(ConnectionTest, SeveralThatComeTogetherAreTakenOneByOne) {
  Bytes bytes;
  for (std::uint32_t packet = 1; packet <= 3; ++packet)
    append_ping(bytes, {.packet = packet});
  peer_sends(bytes);
  ASSERT_TRUE(connection_->receive());
  for (std::uint32_t packet = 1; packet <= 3; ++packet) {
    EXPECT_TRUE(connection_->has_packet());
    EXPECT_EQ(connection_->take()->header.packet, packet);
  }
  EXPECT_FALSE(connection_->take());
}

TEST_F(ConnectionTest, NothingToReadIsNoEnd) {
  EXPECT_TRUE(connection_->receive());
  EXPECT_FALSE(connection_->take());
}

TEST_F(ConnectionTest, APeerThatLeavesIsTheEnd) {
  peer_sends(ping(1));
  peer_ = {};
  EXPECT_TRUE(connection_->receive());
  EXPECT_TRUE(connection_->take());
  EXPECT_FALSE(connection_->receive());
}

TEST_F(ConnectionTest, SendingToOneThatHasLeftIsNoSignal) {
  peer_ = {};
  append_ping(connection_->out(), {});
  EXPECT_EQ(connection_->send(), Connection::Sent::kBroken);
}

struct Senseless {
  std::string_view name;
  std::size_t at;
  std::uint8_t byte;
};

class SenselessHeader : public ConnectionTest, public testing::WithParamInterface<Senseless> {};

INSTANTIATE_TEST_SUITE_P(, SenselessHeader,
                         testing::Values(Senseless{"Version", 0, 2}, Senseless{"OddLength", 19, 3},
                                         Senseless{"EndlessLength", 16, 0xff}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(SenselessHeader, IsToldAndNothingBehindItIsTaken) {
  Bytes bytes = ping(1);
  bytes[GetParam().at] = GetParam().byte;
  peer_sends(bytes);
  peer_sends(ping(2));
  ASSERT_TRUE(connection_->receive());
  EXPECT_FALSE(connection_->take());
  EXPECT_TRUE(connection_->is_senseless());
  EXPECT_FALSE(connection_->has_packet());
}

TEST_F(ConnectionTest, APeerThatDoesNotReadIsNotWaitedFor) {
  std::size_t queued = 0;
  while (connection_->unsent() < Connection::kMostUnsent) {
    connection_->out().resize(connection_->out().size() + 4096);
    queued += 4096;
    ASSERT_NE(connection_->send(), Connection::Sent::kBroken);
  }
  EXPECT_EQ(connection_->send(), Connection::Sent::kNothing);
  std::size_t read = 0;
  while (connection_->unsent() > 0) {
    read += peer_reads();
    EXPECT_EQ(connection_->send(), Connection::Sent::kSomething);
  }
  EXPECT_EQ(read + peer_reads(), queued);
}

// However long that goes on.
TEST_F(ConnectionTest, APeerThatAlwaysLeavesSomethingDoesNotMakeItGrow) {
  for (int i = 0; i < 200; ++i) {
    connection_->out().resize(connection_->out().size() + 32768);
    while (connection_->send() == Connection::Sent::kSomething && connection_->unsent() > 4096)
      peer_reads();
    peer_reads();
  }
  EXPECT_LT(connection_->out().capacity(), std::size_t{1} << 20);
}

TEST_F(ConnectionTest, WhatIsNotTakenIsBounded) {
  const Bytes bytes = ping(1);
  while (connection_->may_receive()) {
    while (::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
    ASSERT_TRUE(connection_->receive());
  }
  while (connection_->take()) {
  }
  ASSERT_TRUE(connection_->receive());
  EXPECT_TRUE(connection_->may_receive());
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
