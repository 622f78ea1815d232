#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/trouble.h"

namespace tcpmibd::lab {

// For as long as it lives, this process can open so many files more and no others.
class FewDescriptors {
 public:
  explicit FewDescriptors(unsigned more) {
    const int beyond = free_number(more);
    if (beyond < 0 || ::getrlimit(RLIMIT_NOFILE, &before_) != 0)
      throw Trouble("cannot read the limit of descriptors");
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(beyond);
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  // The lowest number with `before` free ones below it; who started us may have left any of them
  // open.
  static int free_number(unsigned before) {
    const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int beyond = before == 0 || number < 0 ? number : free_number(before - 1);
    ::close(number);
    return beyond;
  }

  rlimit before_{};
};

}  // namespace tcpmibd::lab
