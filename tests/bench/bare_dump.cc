#include "bench/bare_dump.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cstring>

#include "diag/request.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::check;

constexpr std::size_t kBufferSize = 64 * 1024;  // as ours: a block of a dump is some 32 KB

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 question;
};

Request request_for(unsigned char family) {
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.question = diag::dump_request(family == AF_INET ? tcp::Family::kIpv4 : tcp::Family::kIpv6,
                                        diag::kAllRows);
  return request;
}

// A dump's last message follows the last socket in its block, or has a block for itself.
bool ends_dump(const std::byte* block, std::size_t size) {
  constexpr std::size_t kDoneSize = NLMSG_LENGTH(sizeof(int));
  nlmsghdr first, last;
  std::memcpy(&first, block, sizeof first);
  if (first.nlmsg_type == NLMSG_ERROR)
    throw lab::Trouble("sock_diag refuses a dump");
  std::memcpy(&last, block + size - kDoneSize, sizeof last);
  return last.nlmsg_type == NLMSG_DONE && last.nlmsg_len == kDoneSize;
}

}  // namespace

BareDump::BareDump(const lab::Namespace& space)
    : netlink_(check(space.run([] {
        return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
      }),
                     "open a netlink socket")),
      buffer_(kBufferSize) {}

std::size_t BareDump::read() { return dump(AF_INET) + dump(AF_INET6); }

std::size_t BareDump::dump(unsigned char family) {
  const Request request = request_for(family);
  check(::send(netlink_.get(), &request, sizeof request, 0), "ask for a dump");
  std::size_t received = 0;
  for (bool ended = false; !ended;) {
    const ssize_t size =
        check(::recv(netlink_.get(), buffer_.data(), buffer_.size(), 0), "receive a dump");
    received += static_cast<std::size_t>(size);
    ended = ends_dump(buffer_.data(), static_cast<std::size_t>(size));
  }
  return received;
}

}  // namespace tcpmibd::bench
