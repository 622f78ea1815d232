#include "kernel/netlink_exchange.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tcpmibd::kernel {

namespace {

// A block of a dump is at most some 32.3 KB, whatever room it is offered.
constexpr std::size_t kBufferSize = 64 * 1024;

// What is left of an answer is read for so long at most; a million sockets take a second.
constexpr Duration kDrainWithin = std::chrono::seconds(1);

constexpr const char* kNoSocketCure = "it is tried again with the next question";

// As in <asm-generic/socket.h> of Linux 5.14, which an older system's headers lack.
constexpr int kNetnsCookie = 71;

// Of the namespace of a socket; 0 where the kernel does not report.
std::uint64_t space_of(const FileDescriptor& socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  const int result = ::getsockopt(socket.get(), SOL_SOCKET, kNetnsCookie, &cookie, &size);
  return result == 0 ? cookie : 0;
}

int milliseconds_until(Time deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

template <typename Value>
Value first_of(const nlmsghdr& header, Value otherwise) {
  Value value = otherwise;
  if (header.nlmsg_len >= NLMSG_LENGTH(sizeof value))
    std::memcpy(&value, NLMSG_DATA(&header), sizeof value);
  return value;
}

// The kernel reports an errno negated; none is beyond MAX_ERRNO (<linux/err.h> of the kernel).
int errno_of(int code) {
  constexpr int kMostErrno = 4095;
  return code < -kMostErrno ? EBADMSG : -code;
}

}  // namespace

int error_code(const nlmsghdr& header) {
  return errno_of(first_of(header, nlmsgerr{.error = -EBADMSG, .msg = {}}).error);
}

int done_code(const nlmsghdr& header) { return errno_of(first_of(header, 0)); }

std::span<const std::byte> payload_of(const nlmsghdr& header) {
  return {static_cast<const std::byte*>(NLMSG_DATA(&header)),
          header.nlmsg_len - std::size_t{NLMSG_HDRLEN}};
}

Result<NetlinkExchange> NetlinkExchange::open(Open open, Duration patience) {
  NetlinkExchange exchange(std::move(open), patience);
  Result<FileDescriptor> socket = exchange.open_();
  if (!socket)
    return tl::unexpected(socket.error());
  exchange.socket_ = *std::move(socket);
  exchange.space_ = space_of(exchange.socket_);
  return exchange;
}

NetlinkExchange::NetlinkExchange(Open open, Duration patience)
    : open_(std::move(open)), patience_(patience), buffer_(kBufferSize) {}

// A message longer than the block that holds it was cut on its way.
bool NetlinkExchange::was_cut(int rest) { return rest >= static_cast<int>(sizeof(nlmsghdr)); }

Outcome NetlinkExchange::cut() { return {.step = Outcome::Step::kAbandon, .code = EBADMSG}; }

Status NetlinkExchange::send(const NetlinkRequest& request, const char* doing) {
  if (Status settled = settle(doing); !settled)
    return settled;
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + request.payload.size());
  header.nlmsg_type = request.type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | request.flags);
  header.nlmsg_seq = ++sequence_;
  std::array<iovec, 2> parts{iovec{.iov_base = &header, .iov_len = sizeof header},
                             iovec{.iov_base = const_cast<std::byte*>(request.payload.data()),
                                   .iov_len = request.payload.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  under_way_ = true;
  return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0 ? failure(doing, errno) : Status();
}

Result<std::span<const std::byte>> NetlinkExchange::receive(const char* doing) {
  const Time deadline = Clock::now() + patience_;
  while (true) {
    const ssize_t size = receive_at_hand();
    if (size > 0)
      return std::span<const std::byte>(buffer_.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EAGAIN && errno != EINTR)
      return failure(doing, errno);
    // Asked again even after what others sent, or they could keep us here for ever.
    if (Clock::now() >= deadline)
      return failure(doing, ETIMEDOUT);
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, milliseconds_until(deadline));
  }
}

// Read into one buffer of ours: libnl's own receive would allocate and peek for each block.
ssize_t NetlinkExchange::receive_at_hand() {
  iovec room{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  sockaddr_nl sender{};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  if (size >= 0 && sender.nl_pid != 0)
    return 0;
  if (size >= 0 && (message.msg_flags & MSG_TRUNC) != 0) {
    errno = EMSGSIZE;
    return -1;
  }
  return size;
}

// Leaves the socket ready for a question.
Status NetlinkExchange::settle(const char* doing) {
  if (under_way_ && std::exchange(forgone_, false) && replace(doing))
    return {};
  if (under_way_ && !drain())
    return replace(doing);
  under_way_ = false;
  return {};
}

// Whether the end of the last answer has come. Each block that is read has the kernel write the
// next one, so it all is at hand; a failed system call may be followed by others that succeed.
bool NetlinkExchange::drain() {
  const auto is_end = [](const nlmsghdr& header) {
    const bool ends = header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
    return Outcome{ends ? Outcome::Step::kDone : Outcome::Step::kGoOn};
  };
  const Time deadline = Clock::now() + kDrainWithin;
  while (Clock::now() < deadline) {
    const ssize_t size = receive_at_hand();
    if (size < 0 && errno != EINTR && errno != ENOBUFS && errno != EMSGSIZE)
      return false;
    const std::span block(buffer_.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (for_each_message(block, is_end).step == Outcome::Step::kDone)
      return true;
  }
  return false;
}

Status NetlinkExchange::replace(const char* doing) {
  Result<FileDescriptor> fresh = open_();
  if (!fresh)
    return failure(doing, fresh.error().code, kNoSocketCure);
  if (space_of(*fresh) != space_)
    return failure(doing, EXDEV, "a new netlink socket would be of another network namespace");
  socket_ = *std::move(fresh);
  under_way_ = false;
  return {};
}

}  // namespace tcpmibd::kernel
