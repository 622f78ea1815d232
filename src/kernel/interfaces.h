#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::kernel {

// The indexes of the network namespace's interfaces, always current at the price of one system
// call: link changes queue up on a netlink socket that nobody waits for, and the list is read
// again when there are any.
//
// Thread:  not safe.
class Interfaces {
 public:
  static Result<Interfaces> open();

  // Ascending. Good until the next call.
  Result<std::span<const std::uint32_t>> list();

 private:
  explicit Interfaces(FileDescriptor changes) : changes_(std::move(changes)) {}

  bool changed();

  FileDescriptor changes_;
  std::vector<std::uint32_t> indexes_;
  bool read_ = false;
};

}  // namespace tcpmibd::kernel
