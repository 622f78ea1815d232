#pragma once

#include <bpf/libbpf.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/handle.h"

// What every user of libbpf needs. Only for files of the library tcpmibd_bpf.

namespace tcpmibd::kernel {

using BpfObject = UniqueHandle<bpf_object, bpf_object__close>;

// The object of an ELF file in memory, not loaded yet. Null and errno: it cannot be. What libbpf
// says from here on goes to the log, at debug.
BpfObject open_bpf_object(const void* file, std::size_t size);

// Why `doing` could not be done, from errno as libbpf left it. Only the attempt shows it: a
// capability, a system call filter, a lockdown or an older kernel may stand in the way.
tl::unexpected<Error> refused_by_bpf(const char* doing);

}  // namespace tcpmibd::kernel
