#include "agent/process/signals.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

namespace tcpmibd::agent {
namespace {

constexpr std::array kOurs = {SIGTERM, SIGINT, SIGHUP};

// "Within a second" is the promise.
constexpr itimerval kEnd = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 800'000}};

volatile std::sig_atomic_t stop_wanted = 0;
volatile std::sig_atomic_t hang_up_wanted = 0;
volatile std::sig_atomic_t wake_descriptor = -1;

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kOurs)
    sigaddset(&set, number);
  return set;
}

// Only what a signal handler may do.
extern "C" void on_signal(int number) {
  if (number == SIGHUP) {
    hang_up_wanted = 1;
  } else {
    stop_wanted = 1;
    ::setitimer(ITIMER_REAL, &kEnd, nullptr);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_descriptor, &one, sizeof one);
}

// The loop is stuck. Our end closes a session with a master as well.
extern "C" void on_timer(int) { ::_exit(0); }

void install(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

}  // namespace

void block_signals() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<std::unique_ptr<Signals>> Signals::open() {
  FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake)
    return failure("create an eventfd", errno);
  return std::unique_ptr<Signals>(new Signals(std::move(wake)));
}

Signals::Signals(FileDescriptor wake) : wake_(std::move(wake)) {
  wake_descriptor = wake_.get();
  // A late answer to a master that is gone must not kill us.
  install(SIGPIPE, SIG_IGN);
  install(SIGALRM, on_timer);
  for (const int number : kOurs)
    install(number, on_signal);
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

// Whatever comes now comes too late to be heard; the timer runs on.
Signals::~Signals() { block_signals(); }

Signals::Wishes Signals::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(wake_.get(), &count, sizeof count);
  const Wishes wishes{.stop = stop_wanted != 0, .hang_up = hang_up_wanted != 0};
  hang_up_wanted = 0;
  return wishes;
}

}  // namespace tcpmibd::agent
