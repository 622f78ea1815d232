#include "agent/process/memory.h"

#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>
#include <string_view>

#include "agent/process/exit_status.h"

namespace tcpmibd::agent {
namespace {

// Its pages are those of the file, never changed by us: nothing can be lost.
bool is_unchangeable(const ElfW(Phdr) & segment) {
  return segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0;
}

extern "C" int release_code_of(dl_phdr_info* object, std::size_t, void*) noexcept {
  const std::uintptr_t page = static_cast<std::uintptr_t>(::getpagesize());
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (!is_unchangeable(segment))
      continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // The loader gives addresses as numbers. NOLINTNEXTLINE(performance-no-int-to-ptr)
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

// The log needs memory, too. A pipe that nobody reads is not waited for.
void say_and_end() {
  constexpr std::string_view kLine = "error: cannot go on: there is no memory left\n";
  pollfd waiting{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, 0) == 1) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  }
  ::_exit(static_cast<int>(ExitStatus::kFailed));
}

}  // namespace

void end_without_memory() { std::set_new_handler(&say_and_end); }

void map_large_blocks() {
  constexpr int kLarge = 128 * 1024;  // octets; glibc's own default, from now on fixed
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
}

void release_code() { ::dl_iterate_phdr(&release_code_of, nullptr); }

}  // namespace tcpmibd::agent
