#include "kernel/bpf_processes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/log.h"
#include "kernel/holder_records.h"
#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

using Object = UniqueHandle<bpf_object, bpf_object__close>;

constexpr const char* kLoad = "load the BPF iterator over open files";

// libbpf parses it as the ELF file that it is.
alignas(8) constexpr unsigned char kProgram[] = {
#include "kernel/bpf/task_sockets.inc"
};

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

// errno is libbpf's. Only the attempt tells: a capability, a system call filter, a lockdown or an
// older kernel may stand in the way.
tl::unexpected<Error> refused() {
  const int error = errno;
  return failure(kLoad, error, cure_of(error));
}

}  // namespace

Result<BpfProcesses> BpfProcesses::load() {
  if (!proc_is_of_our_namespace())
    return failure("use BPF: /proc is not that of our process namespace", 0,
                   "mount proc on /proc in it");
  libbpf_set_print(log_libbpf);
  const Object object(bpf_object__open_mem(kProgram, sizeof kProgram, nullptr));
  if (object == nullptr || bpf_object__load(object.get()) != 0)
    return refused();
  const bpf_program* program = bpf_object__next_program(object.get(), nullptr);
  FileDescriptor link(::bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, nullptr));
  if (!link)
    return refused();
  return BpfProcesses(std::move(link));
}

Result<Holdings> BpfProcesses::read() {
  const FileDescriptor iteration(::bpf_iter_create(link_.get()));
  if (!iteration)
    return failure("begin a BPF iteration", errno);
  Result<std::vector<tcp::Holder>> records = read_holders(iteration.get(), last_ + last_ / 8);
  if (!records)
    return tl::unexpected(records.error());
  last_ = records->size();
  return holdings_of(*std::move(records));
}

}  // namespace tcpmibd::kernel
