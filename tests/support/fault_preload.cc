// Preloaded into a program whose system calls are to fail. When the loader and the constructors are
// done, and before main(), it asks the kernel to hand each call of kFaultyCalls to whoever listens
// on the socket that the environment names (seccomp_unotify(2)), and leaves nothing else behind.

#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "support/faulty_calls.h"

namespace {

using tcpmibd::lab::kFaultyCalls;

using Main = int(int, char**, char**);
using Start = int(Main*, int, char**, void (*)(), void (*)(), void (*)(), void*);

Main* program = nullptr;

constexpr std::size_t kCalls = kFaultyCalls.size();
constexpr std::size_t kInstructions = kCalls + 3;

[[noreturn]] void give_up(const char* doing) {
  std::perror(doing);
  ::_exit(126);
}

// If the call is one of ours: to the last instruction but one; else to the one before it.
void write_filter(sock_filter* program_of_filter) {
  program_of_filter[0] = {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)};
  for (std::size_t i = 0; i < kCalls; ++i) {
    const auto to_listener = static_cast<unsigned char>(kCalls - i);
    program_of_filter[1 + i] = {BPF_JMP | BPF_JEQ | BPF_K, to_listener, 0,
                                static_cast<unsigned>(kFaultyCalls.at(i).number)};
  }
  program_of_filter[kCalls + 1] = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  program_of_filter[kCalls + 2] = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF};
}

int connect_to_listener(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    give_up("connect to whoever makes calls fail");
  return socket;
}

int install_filter() {
  sock_filter instructions[kInstructions];
  write_filter(instructions);
  const sock_fprog filter{.len = kInstructions, .filter = instructions};
  const long listener =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (listener < 0)
    give_up("have system calls handed over");
  return static_cast<int>(listener);
}

// By sendmmsg(2), which is in no list of ours: sendmsg(2) would wait for who is yet to listen.
void hand_over(int through, int listener) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)]{};
  char letter = 'l';
  iovec data{.iov_base = &letter, .iov_len = 1};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &data;
  message.msg_hdr.msg_iovlen = 1;
  message.msg_hdr.msg_control = control;
  message.msg_hdr.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message.msg_hdr);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof listener);
  std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  if (::sendmmsg(through, &message, 1, 0) != 1)
    give_up("hand over the system calls");
}

int run_supervised(int count, char** words, char** environment) {
  if (const char* path = std::getenv(tcpmibd::lab::kFaultSocketVariable)) {
    const int socket = connect_to_listener(path);
    const int listener = install_filter();
    hand_over(socket, listener);
    ::close(listener);
    ::close(socket);
  }
  return program(count, words, environment);
}

}  // namespace

// The C library's, which calls main().
extern "C" [[gnu::visibility("default")]] int __libc_start_main(Main* main, int count, char** words,
                                                                void (*init)(), void (*fini)(),
                                                                void (*loader_fini)(),
                                                                void* stack_end) {
  program = main;
  auto* start = reinterpret_cast<Start*>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(run_supervised, count, words, init, fini, loader_fini, stack_end);
}
