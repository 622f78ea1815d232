#pragma once

#include <sys/mman.h>

#include <memory>
#include <new>

#include "support/trouble.h"

namespace tcpmibd::lab {

// A T that this process and those it forks from now on see alike. It is not destroyed, only
// unmapped: for atomics and arrays of numbers.
template <typename T>
std::shared_ptr<T> shared_with_children() {
  void* memory =
      ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "share memory with a child");
  return {new (memory) T(), [](T* shared) { ::munmap(shared, sizeof(T)); }};
}

}  // namespace tcpmibd::lab
