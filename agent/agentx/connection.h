#pragma once

#include <cstddef>
#include <optional>

#include "agent/agentx/pdu.h"
#include "base/handle.h"

namespace tcpmibd::agent::agentx {

// A stream of PDUs with a peer that is never waited for.
//
// What it does not read is kept until there is too much of it; what it sends is read up to a bound.
class Connection {
 public:
  // The socket does not block.
  explicit Connection(FileDescriptor socket) : socket_(std::move(socket)) {}

  // The longest PDU that is taken, and how much may wait to be read by the peer before nothing more
  // is read from it.
  static constexpr std::size_t kLongestPdu = std::size_t{1} << 20;
  static constexpr std::size_t kMostUnsent = std::size_t{256} << 10;

  int descriptor() const { return socket_.get(); }

  // Reads what has come, a bounded part of it. Whether the stream lives.
  bool receive();

  // The first whole PDU that has come and was not taken, good until receive() is called. None: it
  // is not whole yet, or never will be: see is_senseless().
  std::optional<Packet> take();
  bool has_packet() const;
  bool is_senseless() const { return senseless_; }

  // PDUs that are appended here are sent by send().
  Bytes& out() { return out_; }

  // Hands the peer as much as it takes now.
  enum class Sent : std::uint8_t { kNothing, kSomething, kBroken };
  Sent send();

  // What the peer has not read yet.
  std::size_t unsent() const { return out_.size() - sent_; }
  bool may_receive() const { return in_.size() - taken_ < Header::kSize + kLongestPdu; }

 private:
  std::span<const std::uint8_t> rest() const { return std::span(in_).subspan(taken_); }
  void forget_taken();
  void forget_sent();

  FileDescriptor socket_;
  Bytes in_;
  std::size_t taken_ = 0;  // of `in_`
  Bytes out_;
  std::size_t sent_ = 0;  // of `out_`
  bool senseless_ = false;
};

}  // namespace tcpmibd::agent::agentx
