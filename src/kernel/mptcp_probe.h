#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/handle.h"
#include "tcp/mptcp.h"

namespace tcpmibd::kernel {

// Finds whether a network namespace has sockets that speak MPTCP, by /proc alone: a question to
// sock_diag would have the kernel load a module for it.
//
// Thread:  not safe.
// Space:   that in which it was opened, for as long as it lives.
// Cost:    one read of a small file; nothing once the kernel is known to have no MPTCP.
// Logs:    nothing.
class MptcpProbe {
 public:
  // Where no descriptor is to be had that is an error. Where there is no such file, nothing will
  // ever be known.
  static Result<MptcpProbe> open();

  // `net`: a folder as /proc/net. `release`: of the kernel, as in utsname.
  static Result<MptcpProbe> open(const std::string& net, std::string_view release);

  tcp::MptcpPresence look();

 private:
  using Read = tcp::MptcpPresence (*)(std::string_view text);

  MptcpProbe(FileDescriptor file, Read read) : file_(std::move(file)), read_(read) {}

  FileDescriptor file_;
  Read read_;
  bool absent_ = false;
};

}  // namespace tcpmibd::kernel
