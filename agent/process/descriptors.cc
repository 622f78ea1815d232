#include "agent/process/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace tcpmibd::agent {

// The kernel gives the lowest number that is free.
void fill_standard_descriptors() {
  int descriptor = STDIN_FILENO;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO)
    descriptor = ::open("/dev/null", O_RDWR);
  if (descriptor >= 0)
    ::close(descriptor);
}

}  // namespace tcpmibd::agent
