#pragma once

#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace tcpmibd::lab {

// A kind of system call that can be made to fail, and what it fails with.
struct FaultyCall {
  std::string_view name;
  int number;
  int error;  // one that the manual page of the call knows
};

// Left out is what can only fail by a mistake of ours (munmap, futex, signal masks), what has no
// result that anybody could act on (close, getpid), and what the loader asks for (mprotect). A call
// that is not in here is never held up.
inline constexpr std::array kFaultyCalls{
    // Memory and threads
    FaultyCall{"mmap", SYS_mmap, ENOMEM},
    FaultyCall{"clone3", SYS_clone3, EAGAIN},
    // Files
    FaultyCall{"openat", SYS_openat, EMFILE},
    FaultyCall{"read", SYS_read, EIO},
    FaultyCall{"pread64", SYS_pread64, EIO},
    FaultyCall{"write", SYS_write, ENOSPC},
    FaultyCall{"lseek", SYS_lseek, EINVAL},
    FaultyCall{"newfstatat", SYS_newfstatat, ENOMEM},
    FaultyCall{"faccessat2", SYS_faccessat2, ENOMEM},
    FaultyCall{"access", SYS_access, ENOMEM},
    FaultyCall{"readlink", SYS_readlink, ENOMEM},
    FaultyCall{"readlinkat", SYS_readlinkat, ENOMEM},
    FaultyCall{"getdents64", SYS_getdents64, EIO},
    FaultyCall{"mkdir", SYS_mkdir, ENOSPC},
    FaultyCall{"renameat", SYS_renameat, ENOSPC},
    FaultyCall{"unlinkat", SYS_unlinkat, EIO},
    FaultyCall{"fsync", SYS_fsync, EIO},
    FaultyCall{"flock", SYS_flock, ENOLCK},
    FaultyCall{"fcntl", SYS_fcntl, EINVAL},
    FaultyCall{"ioctl", SYS_ioctl, ENOMEM},
    // Sockets
    FaultyCall{"socket", SYS_socket, EMFILE},
    FaultyCall{"connect", SYS_connect, EAGAIN},
    FaultyCall{"bind", SYS_bind, ENOMEM},
    FaultyCall{"listen", SYS_listen, EADDRINUSE},
    FaultyCall{"accept4", SYS_accept4, EMFILE},
    FaultyCall{"accept", SYS_accept, EMFILE},
    FaultyCall{"sendmsg", SYS_sendmsg, ENOBUFS},
    FaultyCall{"sendto", SYS_sendto, ENOBUFS},
    FaultyCall{"recvmsg", SYS_recvmsg, ENOBUFS},
    FaultyCall{"recvfrom", SYS_recvfrom, ENOMEM},
    FaultyCall{"setsockopt", SYS_setsockopt, ENOMEM},
    FaultyCall{"getsockopt", SYS_getsockopt, ENOBUFS},
    FaultyCall{"getsockname", SYS_getsockname, ENOBUFS},
    FaultyCall{"getpeername", SYS_getpeername, ENOBUFS},
    // Waiting
    FaultyCall{"poll", SYS_poll, ENOMEM},
    FaultyCall{"ppoll", SYS_ppoll, ENOMEM},
    FaultyCall{"pselect6", SYS_pselect6, ENOMEM},
    FaultyCall{"eventfd2", SYS_eventfd2, EMFILE},
    FaultyCall{"pipe2", SYS_pipe2, EMFILE},
    FaultyCall{"signalfd4", SYS_signalfd4, EMFILE},
    FaultyCall{"timerfd_create", SYS_timerfd_create, EMFILE},
    FaultyCall{"timerfd_settime", SYS_timerfd_settime, ENOMEM},
    FaultyCall{"setitimer", SYS_setitimer, EINVAL},
    // The kernel's own
    FaultyCall{"bpf", SYS_bpf, EPERM},
    FaultyCall{"getrandom", SYS_getrandom, EAGAIN},
    FaultyCall{"capget", SYS_capget, EPERM},
    FaultyCall{"capset", SYS_capset, EPERM},
    FaultyCall{"prctl", SYS_prctl, EINVAL},
    FaultyCall{"prlimit64", SYS_prlimit64, EPERM},
    FaultyCall{"uname", SYS_uname, EFAULT},
    FaultyCall{"sysinfo", SYS_sysinfo, EFAULT},
    FaultyCall{"pidfd_open", SYS_pidfd_open, EMFILE},
};

// Where the program that is to fail finds whoever decides: the path of a socket.
inline constexpr const char* kFaultSocketVariable = "TCPMIBD_TEST_FAULTS";

}  // namespace tcpmibd::lab
