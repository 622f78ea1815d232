#include "agent/agentx/connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace tcpmibd::agent::agentx {
namespace {

constexpr std::size_t kMostATurn = std::size_t{64} << 10;

// A buffer that was large once is given back when it is empty.
void clear(Bytes& buffer) {
  if (buffer.capacity() > kMostATurn)
    Bytes().swap(buffer);
  else
    buffer.clear();
}

bool is_for_now(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

}  // namespace

void Connection::forget_taken() {
  if (taken_ == in_.size())
    clear(in_);
  else
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
}

// A peer that always leaves something unread must not make the buffer grow.
void Connection::forget_sent() {
  if (unsent() == 0)
    clear(out_);
  else if (sent_ >= kMostATurn)
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent_));
  else
    return;
  sent_ = 0;
}

bool Connection::receive() {
  forget_taken();
  std::array<std::uint8_t, kMostATurn> buffer;
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (size <= 0)
    return size < 0 && is_for_now(errno);
  in_.insert(in_.end(), buffer.begin(), buffer.begin() + size);
  return true;
}

bool Connection::has_packet() const {
  return !senseless_ && rest().size() >= Header::kSize &&
         rest().size() - Header::kSize >= Header::parse(rest()).length;
}

// RFC 2741, 6.1: a payload's length is a multiple of four.
std::optional<Packet> Connection::take() {
  const std::span<const std::uint8_t> bytes = rest();
  if (senseless_ || bytes.size() < Header::kSize)
    return std::nullopt;
  const Header header = Header::parse(bytes);
  senseless_ =
      header.version != Header::kVersion || header.length % 4 != 0 || header.length > kLongestPdu;
  if (senseless_ || bytes.size() - Header::kSize < header.length)
    return std::nullopt;
  taken_ += Header::kSize + header.length;
  return Packet{.header = header, .payload = bytes.subspan(Header::kSize, header.length)};
}

Connection::Sent Connection::send() {
  if (unsent() == 0)
    return Sent::kNothing;
  const ssize_t size =
      ::send(socket_.get(), out_.data() + sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0)
    return is_for_now(errno) ? Sent::kNothing : Sent::kBroken;
  sent_ += static_cast<std::size_t>(size);
  forget_sent();
  return size > 0 ? Sent::kSomething : Sent::kNothing;
}

}  // namespace tcpmibd::agent::agentx
