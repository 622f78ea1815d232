#pragma once

#include <cstddef>
#include <ostream>

#include "support/process.h"

namespace tcpmibd::lab {

// What a process must not hold more of after a fault than before it.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t threads = 0;

  bool are_within(const Holdings& most) const {
    return descriptors <= most.descriptors && threads <= most.threads;
  }
};

inline std::ostream& operator<<(std::ostream& stream, const Holdings& held) {
  return stream << held.descriptors << " descriptors and " << held.threads << " threads";
}

inline Holdings held_by(const Process& process) {
  return {process.descriptors(), process.threads()};
}

}  // namespace tcpmibd::lab
