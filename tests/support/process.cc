#include "support/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <utility>

#include "support/temp_folder.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

constexpr int kExitWithoutExec = 127;
constexpr unsigned kCapabilities = 64;

// What a holder reports when it is prepared. One that was killed meanwhile has said nothing.
constexpr std::string_view kReady = "ready";

FileDescriptor memory_file(std::string_view content = {}) {
  FileDescriptor file(check(::memfd_create("lab", MFD_CLOEXEC), "make a file in memory"));
  check(::write(file.get(), content.data(), content.size()), "fill a file in memory");
  check(::lseek(file.get(), 0, SEEK_SET), "rewind a file in memory");
  return file;
}

// Leaves the file's offset alone, for the child shares it and writes there.
std::string content_of(const FileDescriptor& file) {
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    const ssize_t got =
        check(::pread(file.get(), piece, sizeof piece, static_cast<off_t>(text.size())),
              "read what a child wrote");
    if (got == 0)
      return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

// Not glibc's pidfd_open(): its header lacks the C linkage.
FileDescriptor open_handle(pid_t pid) {
  return FileDescriptor(
      static_cast<int>(check(::syscall(SYS_pidfd_open, pid, 0), "open a handle of a child")));
}

// "VmRSS:	    1234 kB" -> 1234; 0 where the field is not there.
long number_in(const std::string& text, std::string_view field) {
  const std::size_t at = text.find("\n" + std::string(field) + ":");
  return at == std::string::npos ? 0 : std::stol(text.substr(at + field.size() + 2));
}

std::size_t entries_in(const std::string& folder) {
  std::error_code gone;
  std::filesystem::directory_iterator entry(folder, gone);
  return gone ? 0 : static_cast<std::size_t>(std::distance(begin(entry), end(entry)));
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings)
    pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : added)
    entries.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!added.contains(std::string(text.substr(0, text.find('=')))))
      entries.emplace_back(text);
  }
  return entries;
}

// ---- Between fork and exec: system calls only, and errno tells what failed. ----

bool die_with(pid_t parent) {
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent;
}

bool become(uid_t user) {
  return ::prctl(PR_SET_KEEPCAPS, 1) == 0 && ::setgroups(0, nullptr) == 0 &&
         ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0;
}

// The bounding set binds root, the ambient set carries the rest of the world through exec.
void bind_to(std::uint64_t wanted) {
  for (unsigned number = 0; number < kCapabilities; ++number) {
    if ((wanted >> number & 1) == 0)
      ::prctl(PR_CAPBSET_DROP, number);  // Fails beyond the kernel's last one: nothing to drop.
  }
}

bool hold(std::uint64_t wanted) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0)
    return false;
  for (unsigned half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(wanted >> (32 * half)) & data[half].permitted;
    data[half] = {.effective = bits, .permitted = bits, .inheritable = bits};
  }
  if (::syscall(SYS_capset, &header, data) != 0)
    return false;
  for (unsigned number = 0; number < kCapabilities; ++number) {
    if (wanted >> number & 1)
      ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0);
  }
  return true;
}

bool refuse_capset() {
  sock_filter program[] = {
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = offsetof(seccomp_data, nr)},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = SYS_capset},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_ERRNO | EPERM},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_ALLOW}};
  const sock_fprog filter{.len = 4, .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool take_identity(const ProcessOptions& options) {
  if (options.capabilities)
    bind_to(*options.capabilities);
  if (options.user && !become(*options.user))
    return false;
  if (options.capabilities)
    return hold(*options.capabilities);
  return !options.user || *options.user == 0 || hold(0);
}

bool take_streams(int in, int out, int err) {
  return ::dup2(in, STDIN_FILENO) >= 0 && ::dup2(out, STDOUT_FILENO) >= 0 &&
         ::dup2(err, STDERR_FILENO) >= 0;
}

void close_all_but(const std::vector<int>& ascending) {
  unsigned next = STDERR_FILENO + 1;
  for (const int kept : ascending) {
    if (static_cast<unsigned>(kept) > next)
      ::close_range(next, static_cast<unsigned>(kept) - 1, 0);
    next = std::max(next, static_cast<unsigned>(kept) + 1);
  }
  ::close_range(next, ~0U, 0);
}

void default_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

[[noreturn]] void wait_for_the_end() {
  for (;;)
    ::pause();
}

[[noreturn]] void run_errand(const Errand& errand, int report) {
  try {
    if (errand.prepare)
      errand.prepare();
  } catch (const std::exception& trouble) {
    const std::string_view text(trouble.what());
    check(::write(report, text.data(), text.size()), "report");
    ::_exit(1);
  }
  check(::write(report, kReady.data(), kReady.size()), "report");
  ::close(report);
  if (errand.forever)
    errand.forever();
  wait_for_the_end();
}

bool go_to(const Namespace* space) { return space == nullptr || space->enter(); }

struct Pipe {
  FileDescriptor read, write;
};

Pipe make_pipe() {
  int ends[2];
  check(::pipe2(ends, O_CLOEXEC), "make a pipe");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// All that is written until every writer has closed; none at the deadline.
std::optional<std::string> read_to_end(const FileDescriptor& pipe,
                                       std::chrono::milliseconds timeout) {
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd ready{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(std::max<long>(left.count(), 0))) <= 0)
      return std::nullopt;
    char piece[512];
    const ssize_t got = check(::read(pipe.get(), piece, sizeof piece), "read from a child");
    if (got == 0)
      return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace

// ---- Process ----

Process::Process(pid_t pid) : pid_(pid), handle_(open_handle(pid)) {}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      handle_(std::move(other.handle_)),
      status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(handle_, other.handle_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() { kill(); }

bool Process::running() const {
  if (pid_ < 0 || status_)
    return false;
  pollfd ended{.fd = handle_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, 0) == 0;
}

void Process::signal(int number) const {
  if (pid_ < 0 || status_)
    throw Trouble("a signal for a process that has ended");
  check(::kill(pid_, number), "signal a child");
}

std::optional<int> Process::wait(std::chrono::milliseconds timeout) {
  if (pid_ < 0 || status_)
    return status_;
  pollfd ended{.fd = handle_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, static_cast<int>(timeout.count())) <= 0)
    return std::nullopt;
  reap();
  return status_;
}

void Process::kill() {
  if (pid_ < 0 || status_)
    return;
  ::kill(pid_, SIGKILL);
  reap();
}

void Process::reap() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

long Process::memory(std::string_view field) const {
  return number_in(read_file("/proc/" + std::to_string(pid_) + "/status"), field);
}

std::size_t Process::descriptors() const {
  return entries_in("/proc/" + std::to_string(pid_) + "/fd");
}

std::size_t Process::threads() const {
  return entries_in("/proc/" + std::to_string(pid_) + "/task");
}

long Process::wakeups() const {
  long sum = 0;
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks))
    sum += number_in(read_file(task.path() / "status"), "voluntary_ctxt_switches");
  return sum;
}

// ---- Child ----

Child::Child(const std::vector<std::string>& arguments, const ProcessOptions& options)
    : out_(memory_file()), err_(memory_file()) {
  const FileDescriptor in = memory_file(options.input);
  std::vector<std::string> words = arguments;
  std::vector<std::string> entries = environment_with(options.environment);
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(entries);
  Pipe failure = make_pipe();
  const std::vector<int> keep{failure.write.get()};
  const pid_t parent = ::getpid();

  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    // The wish to die with the parent comes last: a change of user forgets it.
    default_signals();
    if (go_to(options.in) && take_streams(in.get(), out_.get(), err_.get()) &&
        take_identity(options) && die_with(parent) &&
        (!options.without_capset || refuse_capset())) {
      close_all_but(keep);
      ::execvpe(argv[0], argv.data(), envp.data());
    }
    const int cause = errno;
    if (::write(failure.write.get(), &cause, sizeof cause) < 0) {
    }
    ::_exit(kExitWithoutExec);
  }
  process_ = Process(pid);
  failure.write = FileDescriptor();
  int cause = 0;
  if (::read(failure.read.get(), &cause, sizeof cause) == sizeof cause) {
    errno = cause;
    check(-1, "start " + arguments.front());
  }
}

std::string Child::out() const { return content_of(out_); }

std::string Child::err() const { return content_of(err_); }

bool Child::says(std::string_view text, std::chrono::milliseconds timeout) const {
  return eventually(
      [&] {
        return err().find(text) != std::string::npos || out().find(text) != std::string::npos;
      },
      timeout);
}

Output run(const std::vector<std::string>& arguments, const ProcessOptions& options,
           std::chrono::milliseconds timeout) {
  Child child(arguments, options);
  const std::optional<int> status = child.process().wait(timeout);
  if (!status)
    throw Trouble(arguments.front() + " did not end in time");
  return {.status = *status, .out = child.out(), .err = child.err()};
}

// ---- Holder ----

Holder::Holder(const Errand& errand) {
  Pipe report = make_pipe();
  std::vector<int> keep = errand.keep;
  keep.push_back(report.write.get());
  std::ranges::sort(keep);
  const pid_t parent = ::getpid();

  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    default_signals();
    if (!go_to(errand.in) || !die_with(parent))
      ::_exit(1);
    close_all_but(keep);
    run_errand(errand, report.write.get());
  }
  process_ = Process(pid);
  report_ = std::move(report.read);
}

Holder& Holder::await_ready(std::chrono::milliseconds timeout) {
  const std::optional<std::string> text = read_to_end(report_, timeout);
  if (!text)
    throw Trouble("a holder of sockets was not ready in time");
  if (*text != kReady)
    throw Trouble("a holder of sockets: " + (text->empty() ? "died without a word" : *text));
  return *this;
}

}  // namespace tcpmibd::lab
