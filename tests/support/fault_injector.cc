#include "support/fault_injector.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "support/passed_descriptor.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

FileDescriptor listener_at(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path)
    throw Trouble("the path of the socket is too long: " + path);
  std::ranges::copy(path, address.sun_path);
  FileDescriptor socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "bind " + path);
  check(::listen(socket.get(), 1), "listen on " + path);
  return socket;
}

// Whether there is something to read before `stop` has.
bool await(int descriptor, const FileDescriptor& stop) {
  std::array<pollfd, 2> waiting{{{.fd = descriptor, .events = POLLIN, .revents = 0},
                                 {.fd = stop.get(), .events = POLLIN, .revents = 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0) {
  }
  return waiting[1].revents == 0 && (waiting[0].revents & POLLIN) != 0;
}

const FaultyCall* call_of(int number) {
  const auto* found = std::ranges::find(kFaultyCalls, number, &FaultyCall::number);
  return found == kFaultyCalls.end() ? nullptr : found;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Fault& fault) {
  return stream << fault.call->name << " number " << fault.nth << " fails";
}

FaultInjector::FaultInjector()
    : socket_(listener_at(folder_.file("faults"))),
      stop_(check(::eventfd(0, EFD_CLOEXEC), "make an eventfd")),
      thread_([this] { listen_and_decide(); }) {}

FaultInjector::~FaultInjector() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::optional<std::string> FaultInjector::skip_reason() {
  try {
    FaultInjector injector;
    const DaemonOptions options = injector.supervised({});
    const Output output = run({tcpmibd_binary(), "--version"}, options.process);
    return output.status == 0 ? std::nullopt : std::optional(output.err);
  } catch (const Trouble& trouble) {
    return trouble.what();
  }
}

DaemonOptions FaultInjector::supervised(DaemonOptions options) const {
  options.process.environment["LD_PRELOAD"] = TCPMIBD_FAULT_PRELOAD;
  options.process.environment[kFaultSocketVariable] = folder_.file("faults");
  return options;
}

void FaultInjector::begin(const std::optional<Fault>& fault) {
  const std::lock_guard lock(mutex_);
  counts_.clear();
  fault_ = fault;
  failed_ = nullptr;
}

const FaultyCall* FaultInjector::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

std::map<const FaultyCall*, unsigned> FaultInjector::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void FaultInjector::listen_and_decide() {
  while (await(socket_.get(), stop_)) {
    const FileDescriptor program(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    try {
      decide_until_the_end(receive_descriptor(program.get()).get());
    } catch (const Trouble&) {
      // The program has ended, and said why.
    }
  }
}

// The listener hangs up when the last thread of the program has ended.
void FaultInjector::decide_until_the_end(int listener) {
  while (await(listener, stop_))
    decide(listener);
}

// The program may have been killed, or its call interrupted, before it is decided: there is nothing
// to answer then.
void FaultInjector::decide(int listener) {
  seccomp_notif call{};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
    return;
  const int error = error_for(call.data.nr);
  seccomp_notif_resp answer{.id = call.id, .val = 0, .error = -error, .flags = 0};
  if (error == 0)
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

int FaultInjector::error_for(int number) {
  const std::lock_guard lock(mutex_);
  const FaultyCall* call = call_of(number);
  const unsigned count = ++counts_[call];
  if (failed_ != nullptr || !fault_ || fault_->call != call || fault_->nth != count)
    return 0;
  failed_ = call;
  return call->error;
}

}  // namespace tcpmibd::lab
