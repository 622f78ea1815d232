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
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    if (next < 0 || ::getrlimit(RLIMIT_NOFILE, &before_) != 0)
      throw Trouble("cannot read the limit of descriptors");
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + more;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace tcpmibd::lab
