#pragma once

#include <string>

#include "base/error.h"
#include "base/handle.h"
#include "tcp/gauges.h"

namespace tcpmibd::kernel {

// Reads how many TCP sockets the kernel counts itself, from /proc/net.
//
// Thread:  not safe.
// Space:   that in which it was opened, for as long as it lives.
// Cost:    three small files, some 0.1 ms.
// Logs:    nothing.
class ProcGauges {
 public:
  // Where no descriptor is to be had that is an error. Where there is no such file, nothing will
  // ever be read. `net`: a folder as /proc/net.
  static Result<ProcGauges> open(const std::string& net = kNet);
  static constexpr const char* kNet = "/proc/thread-self/net";

  Result<tcp::Gauges> read() const;

 private:
  ProcGauges() = default;

  FileDescriptor snmp_;
  FileDescriptor sockstat_;
  FileDescriptor sockstat6_;  // none where the kernel has no IPv6
};

}  // namespace tcpmibd::kernel
