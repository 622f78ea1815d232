#pragma once

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/handle.h"
#include "support/trouble.h"

// Descriptors on their way from process to process (unix(7), SCM_RIGHTS).

namespace tcpmibd::lab {

inline void send_descriptor(int through, int descriptor) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptor)> control{};
  char letter = 'd';
  iovec data{.iov_base = &letter, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  check(::sendmsg(through, &message, 0), "send a descriptor");
}

inline FileDescriptor receive_descriptor(int through) {
  int descriptor = -1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptor)> control{};
  char letter = 0;
  iovec data{.iov_base = &letter, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  check(::recvmsg(through, &message, MSG_CMSG_CLOEXEC), "receive a descriptor");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr)
    throw Trouble("no descriptor came");
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return FileDescriptor(descriptor);
}

}  // namespace tcpmibd::lab
