#include "kernel/bpf_object.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/log.h"

namespace tcpmibd::kernel {
namespace {

int log_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG)
    return 0;  // every relocation has a line
  std::array<char, 1024> line;
  const int size = std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  if (text.ends_with('\n'))
    text.remove_suffix(1);
  log::debug(text);
  return size;
}

std::string cure_of(int error) {
  switch (error) {
    case EPERM:
      return "grant CAP_BPF and CAP_PERFMON, as tcpmibd-bpf.conf does";
    case ENOENT:
    case ESRCH:
      return "run a kernel with CONFIG_DEBUG_INFO_BTF, which shows /sys/kernel/btf/vmlinux";
    default:
      return "run a kernel of 5.11 or later; log.level = \"debug\" has what libbpf says";
  }
}

}  // namespace

BpfObject open_bpf_object(const void* file, std::size_t size) {
  libbpf_set_print(log_libbpf);
  return BpfObject(bpf_object__open_mem(file, size, nullptr));
}

tl::unexpected<Error> refused_by_bpf(const char* doing) {
  const int error = errno;
  return failure(doing, error, cure_of(error));
}

}  // namespace tcpmibd::kernel
