#include "kernel/interfaces.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tcpmibd::kernel {

namespace {

using NameIndex = UniqueHandle<struct if_nameindex, if_freenameindex>;

}  // namespace

Result<Interfaces> Interfaces::open() {
  FileDescriptor changes(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!changes ||
      ::bind(changes.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failure("listen for network interfaces that come and go", errno);
  return Interfaces(std::move(changes));
}

// A list that could not be read is no empty one, and is read again the next time.
Result<std::span<const std::uint32_t>> Interfaces::list() {
  if (!changed() && read_)
    return indexes_;
  indexes_.clear();
  const NameIndex names(if_nameindex());
  read_ = names != nullptr;
  if (!read_)
    return failure("list the network interfaces", errno);
  for (const struct if_nameindex* name = names.get(); name->if_index != 0; ++name)
    indexes_.push_back(name->if_index);
  std::ranges::sort(indexes_);
  return indexes_;
}

// Empties the queue; an overflow (ENOBUFS) is a change as well.
bool Interfaces::changed() {
  bool any = false;
  std::array<std::byte, 4096> ignored;
  while (::recv(changes_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT) >= 0 ||
         errno == ENOBUFS || errno == EINTR)
    any = true;
  return any;
}

}  // namespace tcpmibd::kernel
