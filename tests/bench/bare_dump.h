#pragma once

#include <cstddef>
#include <vector>

#include "base/handle.h"
#include "support/netns.h"

namespace tcpmibd::bench {

// The floor of any snapshot: the same two dumps of sock_diag that ours asks for, received and
// thrown away. Nothing is looked at but where a dump ends.
class BareDump {
 public:
  explicit BareDump(const lab::Namespace& space);

  // Octets received, netlink headers included.
  std::size_t read();

 private:
  std::size_t dump(unsigned char family);

  FileDescriptor netlink_;
  std::vector<std::byte> buffer_;
};

}  // namespace tcpmibd::bench
