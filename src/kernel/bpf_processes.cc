#include "kernel/bpf_processes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "kernel/bpf_object.h"
#include "kernel/holder_records.h"
#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

constexpr const char* kLoad = "load the BPF iterator over open files";

// libbpf parses it as the ELF file that it is.
alignas(8) constexpr unsigned char kProgram[] = {
#include "kernel/bpf/task_sockets.inc"
};

}  // namespace

Result<BpfProcesses> BpfProcesses::load() {
  if (!proc_is_of_our_namespace())
    return failure("use BPF: /proc is not that of our process namespace", 0,
                   "mount proc on /proc in it");
  const BpfObject object = open_bpf_object(kProgram, sizeof kProgram);
  if (object == nullptr || bpf_object__load(object.get()) != 0)
    return refused_by_bpf(kLoad);
  const bpf_program* program = bpf_object__next_program(object.get(), nullptr);
  FileDescriptor link(::bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, nullptr));
  if (!link)
    return refused_by_bpf(kLoad);
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
