#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// The numbers of connections that have ended, which go on after a restart: a manager walks on from
// the last one that it knows. A file keeps the end of the block that is being given out, so that
// the disk is asked once in 65 536 numbers; what is left of a block at the end is skipped.
//
// Where the file cannot be written, numbers are given all the same, and begin anew with the next
// start; the log says so once.
class EndNumbers {
 public:
  static constexpr std::uint32_t kBlock = 65'536;

  // `folder` is made when it is missing.
  explicit EndNumbers(std::string folder);

  // The next one: from 1 to 4294967295, and then 1 again.
  std::uint32_t next();

 private:
  void open();
  void reserve();
  void complain(const Error& error);

  std::string folder_;
  FileDescriptor opened_;
  std::uint32_t last_ = 0;  // that was given
  std::uint32_t left_ = 0;  // of the block
  bool complained_ = false;
};

}  // namespace tcpmibd::agent
