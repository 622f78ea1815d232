#include "kernel/processes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kernel/descriptor_tables.h"
#include "kernel/hidden_holders.h"
#include "kernel/sock_diag.h"
#include "support/crowd.h"
#include "support/descriptors.h"
#include "support/process.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

// The two ways to the holders of sockets. What only a program of its own can try (other rights,
// another process namespace) is tried by running one test of this program there.

namespace tcpmibd::kernel {
namespace {

using lab::Namespace;
using tcp::Holder;
using tcp::ProcessMap;
using testing::Contains;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Any socket, mostly: the look-up knows no protocol.
struct LocalSocket {
  explicit LocalSocket(int family = AF_UNIX)
      : descriptor(lab::check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket")) {
    struct stat status {};
    lab::check(::fstat(descriptor.get(), &status), "look at a socket");
    inode = static_cast<std::uint32_t>(status.st_ino);
  }

  FileDescriptor descriptor;
  std::uint32_t inode;
};

const lab::ProcessOptions kWithoutBpf{.capabilities = 1ULL << CAP_SYS_PTRACE};
const auto kOurs = static_cast<std::uint32_t>(::getpid());

// A process that shares `socket` and does nothing, or `forever`.
lab::Holder sharer(const LocalSocket& socket, std::function<void()> forever = {}) {
  lab::Holder holder({.forever = std::move(forever), .keep = {socket.descriptor.get()}});
  holder.await_ready();
  return holder;
}

// A process that does something with the only descriptor of `socket` that is left then.
lab::Holder last_holder(LocalSocket& socket, std::function<void()> prepare,
                        std::function<void()> forever = {}) {
  lab::Holder holder({.prepare = std::move(prepare),
                      .forever = std::move(forever),
                      .keep = {socket.descriptor.get()}});
  holder.await_ready();
  socket.descriptor = FileDescriptor();
  return holder;
}

std::uint32_t pid_of(const lab::Holder& holder) {
  return static_cast<std::uint32_t>(holder.process().pid());
}

std::vector<Holder> holders_in(const ProcessMap& map, std::uint32_t inode) {
  const std::span<const Holder> holders = map.holders(inode);
  return {holders.begin(), holders.end()};
}

Result<BpfProcesses> no_bpf() { return failure("use BPF: /proc is to be tried"); }

// Waits until nothing but a zombie is left of its first thread.
void await_end_of_first_thread(const lab::Holder& holder) {
  const std::string status = "/proc/" + std::to_string(pid_of(holder)) + "/status";
  if (!lab::eventually(
          [&] { return lab::read_file(status).find("State:\tZ") != std::string::npos; }))
    throw lab::Trouble("a first thread does not end");
}

void end_this_thread_alone() {
  std::thread([] { ::pause(); }).detach();
  ::syscall(SYS_exit, 0);
}

// One test of this program, by `prefix`, with `options`.
lab::Output run_here(std::vector<std::string> prefix, const std::string& test,
                     const lab::ProcessOptions& options = {}) {
  prefix.push_back(std::filesystem::read_symlink("/proc/self/exe"));
  prefix.push_back("--gtest_filter=" + test);
  return lab::run(prefix, options);
}

// ---- Either way ----

TEST(Processes, AHolderIsFoundByItsSocket) {
  const LocalSocket socket;
  EXPECT_EQ(Processes().read({})->lowest(socket.inode), kOurs);
}

TEST(Processes, ASocketThatNobodyHoldsIsKnownToHaveNoHolder) {
  constexpr std::uint32_t kNobodys = 0xfffffff0;
  Processes processes;
  EXPECT_EQ(processes.read({kNobodys})->lowest(kNobodys), 0u);
  EXPECT_EQ(processes.read({})->lowest(kNobodys), std::nullopt);
}

TEST(Processes, ASharedSocketIsThatOfItsLowestProcess) {
  const LocalSocket socket;
  const lab::Holder other = sharer(socket);
  const Result<ProcessMap> map = Processes().read({});
  EXPECT_EQ(map->lowest(socket.inode), std::min(kOurs, pid_of(other)));
  EXPECT_EQ(map->holders(socket.inode).size(), 2u);
}

// ---- Holders that no descriptor of a first thread shows ----

struct LookUp {
  const char* name;
  std::function<Result<BpfProcesses>()> load;
};

std::ostream& operator<<(std::ostream& stream, const LookUp& way) { return stream << way.name; }

class EitherWay : public testing::TestWithParam<LookUp> {
 protected:
  void SetUp() override {
    if (const Result<BpfProcesses> loaded = GetParam().load(); !loaded && GetParam().name == kBpf)
      GTEST_SKIP() << loaded.error().text();
  }

  ProcessMap map_of(std::vector<std::uint32_t> asked) {
    Result<ProcessMap> map = processes_.read(std::move(asked));
    EXPECT_TRUE(map) << map.error().text();
    return map.value_or(ProcessMap());
  }

 public:
  static constexpr std::string_view kBpf = "Bpf";

 private:
  Processes processes_{GetParam().load};
};

INSTANTIATE_TEST_SUITE_P(Processes, EitherWay,
                         testing::Values(LookUp{"Bpf", &BpfProcesses::load},
                                         LookUp{"Proc", &no_bpf}),
                         [](const auto& of) { return of.param.name; });

TEST_P(EitherWay, AProcessWhoseFirstThreadIsGoneHoldsWhatItHas) {
  LocalSocket socket;
  const lab::Holder other = last_holder(socket, {}, &end_this_thread_alone);
  await_end_of_first_thread(other);
  EXPECT_EQ(map_of({}).lowest(socket.inode), pid_of(other));
}

// The calling thread has a table of descriptors of its own then, with this one only.
void have_apart(int descriptor) {
  const auto number = static_cast<unsigned>(descriptor);
  lab::check(::unshare(CLONE_FILES), "have a table of descriptors of one's own");
  ::close_range(0, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
}

// Only a second thread has `descriptor` then, in a table of its own and alone.
void leave_to_a_thread(int descriptor) {
  std::atomic<bool> is_apart = false;
  std::thread([&] {
    have_apart(descriptor);
    is_apart = true;
    ::pause();
  }).detach();
  if (!lab::eventually([&] { return is_apart.load(); }))
    throw lab::Trouble("a thread does not come to have descriptors of its own");
  ::close(descriptor);
}

// A socket that only a thread has, in a table of its own: in /proc a search finds it, for the first
// thread has a descriptor, too.
struct Apart {
  LocalSocket socket{};
  lab::Holder other = last_holder(socket, [descriptor = socket.descriptor.get()] {
    leave_to_a_thread(descriptor);
    lab::check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open a file");
  });

  Holder holder() const { return {socket.inode, pid_of(other)}; }
};

TEST_P(EitherWay, AThreadHoldsWhatIsInATableOfItsOwn) {
  const Apart apart;
  EXPECT_EQ(map_of({apart.socket.inode}).lowest(apart.socket.inode), apart.holder().pid);
}

FileDescriptor proc_folder() {
  return FileDescriptor(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<Holder> in_other_tables(std::uint32_t pid, bool kcmp) {
  std::vector<Holder> holders;
  EXPECT_TRUE(read_other_tables(proc_folder().get(), pid, kcmp, holders));
  return holders;
}

TEST(OtherTables, OfAThreadAreFoundWithAndWithoutKcmp) {
  const Apart apart;
  for (const bool kcmp : {true, false})
    EXPECT_THAT(in_other_tables(apart.holder().pid, kcmp), Contains(apart.holder()));
}

TEST(OtherTables, AreNoneOfThreadsThatShareTheFirstOnes) {
  const LocalSocket socket;
  const lab::Holder other = sharer(socket, [] {
    std::thread([] { ::pause(); }).detach();
    ::pause();
  });
  const FileDescriptor proc = proc_folder();
  ASSERT_TRUE(lab::eventually([&] { return has_other_threads(proc.get(), pid_of(other)); }));
  EXPECT_THAT(in_other_tables(pid_of(other), true), IsEmpty());
  EXPECT_THAT(in_other_tables(pid_of(other), false), Contains(Holder{socket.inode, pid_of(other)}));
  EXPECT_FALSE(has_other_threads(proc.get(), kOurs));
}

// The two threads that it makes have one table of their own. The second comes when `turn`, which
// each of them counts up, has come to 2 + `number`.
void have_two_threads_apart(int descriptor, std::atomic<int>& turn, int number) {
  std::thread([descriptor, &turn, number] {
    have_apart(descriptor);
    ++turn;
    lab::eventually([&] { return turn == 2 + number; });
    std::thread([] { ::pause(); }).detach();
    ++turn;
    ::pause();
  }).detach();
  lab::eventually([&] { return turn > number; });
}

TEST(OtherTables, AreReadOnceEachThoughTheyAlternate) {
  const LocalSocket socket;
  const int descriptor = socket.descriptor.get();
  const auto prepare = [descriptor] {
    std::atomic<int> turn = 0;
    have_two_threads_apart(descriptor, turn, 0);
    have_two_threads_apart(descriptor, turn, 1);
    if (!lab::eventually([&] { return turn == 4; }))
      throw lab::Trouble("four threads do not come to be");
  };
  lab::Holder other({.prepare = prepare, .forever = {}, .keep = {descriptor}});
  other.await_ready();
  const Holder holder{socket.inode, pid_of(other)};
  EXPECT_EQ(std::ranges::count(in_other_tables(holder.pid, true), holder), 2);
  EXPECT_EQ(std::ranges::count(in_other_tables(holder.pid, false), holder), 4);
}

void have_tables(std::size_t number, int descriptor) {
  std::atomic<std::size_t> made = 0;
  for (std::size_t i = 0; i < number; ++i) {
    std::thread([&made, descriptor] {
      have_apart(descriptor);
      ++made;
      ::pause();
    }).detach();
  }
  if (!lab::eventually([&] { return made == number; }))
    throw lab::Trouble("threads do not come to have descriptors of their own");
}

TEST(OtherTables, BeyondALimitCountAsDenied) {
  for (const std::size_t number : {kMostOtherTables, kMostOtherTables + 1}) {
    const LocalSocket socket;
    const int descriptor = socket.descriptor.get();
    lab::Holder other(
        {.prepare = [=] { have_tables(number, descriptor); }, .forever = {}, .keep = {descriptor}});
    other.await_ready();
    std::vector<Holder> holders;
    const auto seen = read_other_tables(proc_folder().get(), pid_of(other), true, holders);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->denied, number > kMostOtherTables);
    EXPECT_EQ(std::ranges::count(holders, Holder{socket.inode, pid_of(other)}),
              static_cast<std::ptrdiff_t>(kMostOtherTables));
  }
}

int io_uring_setup(unsigned entries) {
  io_uring_params parameters{};
  return static_cast<int>(::syscall(SYS_io_uring_setup, entries, &parameters));
}

void register_in(int ring, int descriptor) {
  lab::check(::syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &descriptor, 1),
             "register a socket");
}

// Whether this kernel names registered sockets at all: some forbid rings, older ones tell no inode.
std::optional<std::string> ring_skip_reason() {
  const FileDescriptor ring(io_uring_setup(1));
  if (!ring)
    return "no io_uring: " + std::string(std::strerror(errno));
  const LocalSocket socket;
  register_in(ring.get(), socket.descriptor.get());
  const std::string info = lab::read_file("/proc/self/fdinfo/" + std::to_string(ring.get()));
  if (info.find("socket:[" + std::to_string(socket.inode) + "]") == std::string::npos)
    return "this kernel does not name registered sockets: " + info;
  utsname name{};
  if (::uname(&name) != 0 || !lists_registered_paths(name.release))
    return "this kernel may name any file like a socket: " + std::string(name.release);
  return std::nullopt;
}

TEST_P(EitherWay, AProcessHoldsWhatIsRegisteredInItsRing) {
  if (const auto reason = ring_skip_reason())
    GTEST_SKIP() << *reason;
  LocalSocket socket;
  const lab::Holder other = last_holder(socket, [descriptor = socket.descriptor.get()] {
    register_in(lab::check(io_uring_setup(1), "make a ring"), descriptor);
    ::close(descriptor);
  });
  EXPECT_EQ(map_of({socket.inode}).lowest(socket.inode), pid_of(other));
}

TEST_P(EitherWay, WhatIsInFlightBetweenProcessesIsNobodys) {
  int ends[2];
  lab::check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "make a pair");
  const FileDescriptor from(ends[0]), to(ends[1]);
  LocalSocket socket;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  char octet = 'x';
  iovec piece{.iov_base = &octet, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = socket.descriptor.get();
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  lab::check(::sendmsg(from.get(), &message, 0), "send a socket");
  socket.descriptor = FileDescriptor();
  EXPECT_EQ(map_of({socket.inode}).lowest(socket.inode), 0u);
}

// ---- How often all processes are searched ----

class Searches : public testing::Test {
 protected:
  static constexpr std::uint32_t kNobodys = 0xffffff00;

  std::size_t after_looking_for(std::vector<std::uint32_t> missing) {
    EXPECT_TRUE(hidden_.find(missing, {}));
    return hidden_.searches();
  }

  void pass(Duration time) { now_ += time; }

  HiddenHolders& hidden() { return hidden_; }

 private:
  Time now_{};
  HiddenHolders hidden_{[this] { return now_; }};
};

TEST_F(Searches, AreNotMadeWhereEverySocketHasAHolder) {
  EXPECT_EQ(after_looking_for({}), 0u);
  EXPECT_EQ(after_looking_for({0}), 0u) << "no socket has inode 0";
}

TEST_F(Searches, AreMadeOnceForSocketsOfNobody) {
  EXPECT_EQ(after_looking_for({kNobodys, kNobodys + 1}), 1u);
  pass(HiddenHolders::kAgain - std::chrono::milliseconds(1));
  EXPECT_EQ(after_looking_for({kNobodys, kNobodys + 1}), 1u);
  EXPECT_EQ(after_looking_for({kNobodys + 1}), 1u);
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(after_looking_for({kNobodys + 1}), 2u) << "somebody may have taken it meanwhile";
}

TEST_F(Searches, ForNewSocketsOfNobodyAreApart) {
  EXPECT_EQ(after_looking_for({kNobodys}), 1u);
  EXPECT_EQ(after_looking_for({kNobodys, kNobodys + 1}), 1u);
  pass(HiddenHolders::kApart);
  EXPECT_EQ(after_looking_for({kNobodys, kNobodys + 1}), 2u);
}

TEST_F(Searches, AreNotMadeForWhatIsMissingForTheFirstTime) {
  EXPECT_EQ(after_looking_for({}), 0u);
  EXPECT_EQ(after_looking_for({kNobodys}), 0u) << "it may be gone already";
  EXPECT_EQ(after_looking_for({kNobodys + 1}), 0u);
  EXPECT_EQ(after_looking_for({kNobodys, kNobodys + 1}), 1u);
}

TEST_F(Searches, AreNotNeededForWhatWasFoundBefore) {
  const Apart apart;
  const std::vector<std::uint32_t> missing{apart.socket.inode};
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(hidden().find(missing, {}).value(), Contains(apart.holder()));
    pass(HiddenHolders::kApart);
  }
  EXPECT_EQ(hidden().searches(), 1u);
}

FileDescriptor new_userfaultfd() {
  return FileDescriptor(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
}

// A page that nobody ever fills: the kernel waits for it until the process is killed.
void* missing_page(int userfaultfd) {
  constexpr std::size_t kSize = 4096;
  uffdio_api api{};
  api.api = UFFD_API;
  lab::check(::ioctl(userfaultfd, UFFDIO_API, &api), "use a userfaultfd");
  void* page = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  lab::check(page == MAP_FAILED ? -1 : 0, "map a page");
  uffdio_register place{};
  place.range.start = reinterpret_cast<std::uintptr_t>(page);
  place.range.len = kSize;
  place.mode = UFFDIO_REGISTER_MODE_MISSING;
  lab::check(::ioctl(userfaultfd, UFFDIO_REGISTER, &place), "watch a page");
  return page;
}

// A process that holds a socket in its ring only, and can be made to keep that locked.
class RingHolder {
 public:
  RingHolder() : other_(errand()) {
    other_.await_ready();
    socket_.descriptor = FileDescriptor();
  }

  static std::optional<std::string> skip_reason() {
    if (const auto reason = ring_skip_reason())
      return reason;
    if (!new_userfaultfd())
      return "no userfaultfd: " + std::string(std::strerror(errno));
    return std::nullopt;
  }

  void lock_ring() {
    lab::check(::eventfd_write(event_.get(), 1), "have a ring locked");
    if (!lab::eventually([this] { return ring_info().find("socket:[") == std::string::npos; }))
      throw lab::Trouble("a ring does not come to be locked");
  }

  Holder holder() const { return {socket_.inode, pid_of(other_)}; }
  Holdings seen() const { return {.with_rings = {pid_of(other_)}}; }

 private:
  lab::Errand errand() {
    const auto ring = std::make_shared<int>();
    const auto prepare = [ring, descriptor = socket_.descriptor.get()] {
      *ring = lab::check(io_uring_setup(1), "make a ring");
      register_in(*ring, descriptor);
      ::close(descriptor);
    };
    const auto forever = [ring, event = event_.get()] {
      eventfd_t value = 0;
      ::eventfd_read(event, &value);
      const FileDescriptor userfaultfd = new_userfaultfd();
      ::syscall(SYS_io_uring_register, *ring, IORING_REGISTER_FILES_UPDATE,
                missing_page(userfaultfd.get()), 1);
    };
    return {
        .prepare = prepare, .forever = forever, .keep = {socket_.descriptor.get(), event_.get()}};
  }

  std::string ring_info() const {
    std::vector<Holder> holders;
    const auto pid = pid_of(other_);
    const auto seen = read_table(proc_folder().get(), std::to_string(pid), pid, holders);
    return lab::read_file("/proc/" + seen.value().rings.at(0));
  }

  LocalSocket socket_;
  FileDescriptor event_{lab::check(::eventfd(0, EFD_CLOEXEC), "make an eventfd")};
  lab::Holder other_;
};

TEST_F(Searches, DoNotForgetWhatIsInALockedRing) {
  if (const auto reason = RingHolder::skip_reason())
    GTEST_SKIP() << *reason;
  RingHolder ring;
  const std::vector<std::uint32_t> missing{ring.holder().inode};
  EXPECT_THAT(hidden().find(missing, ring.seen()).value(), Contains(ring.holder()));
  ring.lock_ring();
  EXPECT_THAT(hidden().find(missing, ring.seen()).value(), Contains(ring.holder()));
  pass(HiddenHolders::kAgain);
  EXPECT_THAT(hidden().find({}, ring.seen()).value(), IsEmpty());
  EXPECT_THAT(hidden().find(missing, ring.seen()).value(), Contains(ring.holder()));
}

TEST_F(Searches, DoNotTakeWhatMayBeInALockedRingForNobodys) {
  if (const auto reason = RingHolder::skip_reason())
    GTEST_SKIP() << *reason;
  RingHolder ring;
  ring.lock_ring();
  const std::vector<std::uint32_t> missing{ring.holder().inode};
  EXPECT_THAT(hidden().find(missing, ring.seen()).value(), IsEmpty());
  pass(HiddenHolders::kApart);
  EXPECT_THAT(hidden().find(missing, ring.seen()).value(), IsEmpty());
  EXPECT_EQ(hidden().searches(), 2u);
}

TEST(HiddenHoldersTest, AreNotBelievedToBeInRingsOfAnOlderKernel) {
  if (const auto reason = RingHolder::skip_reason())
    GTEST_SKIP() << *reason;
  const RingHolder ring;
  const std::vector<std::uint32_t> missing{ring.holder().inode};
  EXPECT_THAT(HiddenHolders(&Clock::now, "6.13.12").find(missing, ring.seen()).value(), IsEmpty());
  EXPECT_THAT(HiddenHolders(&Clock::now, "6.14.0").find(missing, ring.seen()).value(),
              Contains(ring.holder()));
}

TEST(HiddenHoldersTest, AreFoundBySeveralSearchesThatGoOn) {
  const Apart apart;
  Time now{};
  HiddenHolders hidden([&] { return now += HiddenHolders::kLongest; });  // one process each
  const std::vector<std::uint32_t> missing{apart.socket.inode};
  const auto searches_until_found = [&] {
    while (hidden.find(missing, {}).value().empty() && hidden.searches() < 100'000)
      now += HiddenHolders::kAgain;
    return hidden.searches();
  };
  EXPECT_GT(searches_until_found(), 1u) << "the first process is another";
  EXPECT_THAT(hidden.find(missing, {}).value(), Contains(apart.holder()));
}

TEST(HiddenHoldersTest, TakeASmallPartOfTheTime) {
  Time now{};
  Duration step = std::chrono::seconds(5);
  HiddenHolders hidden([&] { return now += step; });
  const std::vector<std::uint32_t> missing{0xffffff00};
  ASSERT_TRUE(hidden.find(missing, {}));  // takes two steps
  const Duration rest = HiddenHolders::kRest * 2 * step;
  step = Duration::zero();
  now += rest - std::chrono::milliseconds(1);
  ASSERT_TRUE(hidden.find(missing, {}));
  EXPECT_EQ(hidden.searches(), 1u);
  now += std::chrono::milliseconds(1);
  ASSERT_TRUE(hidden.find(missing, {}));
  EXPECT_EQ(hidden.searches(), 2u);
}

// ---- /proc where BPF cannot be had ----

TEST(Processes, ABpfThatFailsLaterIsReplacedByProcForGood) {
  int loaded = 0;
  Processes processes([&]() -> Result<BpfProcesses> {
    ++loaded;
    return BpfProcesses(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  });
  const LocalSocket socket;
  EXPECT_EQ(processes.read({})->lowest(socket.inode), kOurs);
  EXPECT_EQ(processes.read({})->lowest(socket.inode), kOurs);
  EXPECT_FALSE(processes.bpf());
  EXPECT_EQ(loaded, 1);
}

TEST(Processes, ABpfThatFailsForWantOfDescriptorsIsTriedAgain) {
  int loaded = 0;
  Processes processes([&]() -> Result<BpfProcesses> {
    ++loaded;
    return failure("load", loaded == 1 ? EMFILE : EPERM);
  });
  const LocalSocket socket;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(processes.read({})->lowest(socket.inode), kOurs) << "/proc does meanwhile";
  EXPECT_EQ(loaded, 2) << "EPERM stays";
}

TEST(Processes, WhoCannotBeLookedAtForWantOfDescriptorsIsNoOneWithoutSockets) {
  ProcProcesses processes;
  ASSERT_TRUE(processes.read());  // also for a sanitizer, which needs descriptors for what is new
  const lab::FewDescriptors only_proc(1);
  const Result<Holdings> seen = processes.read();
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, EMFILE);
}

TEST(Processes, WhoCannotBeSearchedForWantOfDescriptorsIsNoOneWithoutSockets) {
  const Apart apart;
  const std::vector<std::uint32_t> missing{apart.socket.inode};
  HiddenHolders hidden;
  ASSERT_TRUE(HiddenHolders().find(missing, {}));
  const lab::FewDescriptors only_proc(1);
  const Result<std::vector<Holder>> found = hidden.find(missing, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, EMFILE);
  EXPECT_TRUE(hidden.find(missing, {})) << "such a search, too, is rested from";
  EXPECT_EQ(hidden.searches(), 1u);
}

TEST(Processes, ASearchThatFailsTakesNothingFromWhatWasSeen) {
  const Apart apart;
  const LocalSocket ours;
  Processes processes(&no_bpf);
  ASSERT_TRUE(Processes(&no_bpf).read({apart.socket.inode}));
  const lab::FewDescriptors but_for_a_search(2);
  const Result<ProcessMap> map = processes.read({ours.inode, apart.socket.inode});
  ASSERT_TRUE(map) << map.error().text();
  EXPECT_EQ(map->lowest(ours.inode), kOurs);
  EXPECT_EQ(map->lowest(apart.socket.inode), std::nullopt) << "not known, rather than nobody's";
}

TEST(Processes, AHolderIsFoundWithoutTheCapabilitiesForBpf) {
  const lab::Output output = run_here({}, "Processes.AHolderIsFoundByItsSocket", kWithoutBpf);
  EXPECT_EQ(output.status, 0) << output.out;
}

// ---- BPF ----

class Bpf : public testing::Test {
 protected:
  void SetUp() override {
    Result<BpfProcesses> loaded = BpfProcesses::load();
    if (!loaded)
      GTEST_SKIP() << loaded.error().text();
    bpf_ = std::make_unique<BpfProcesses>(*std::move(loaded));
  }

  ProcessMap map() const {
    const Result<Holdings> seen = bpf_->read();
    EXPECT_TRUE(seen) << seen.error().text();
    return ProcessMap::build(seen->holders, {}, 0, Clock::now());
  }

  std::unique_ptr<BpfProcesses> bpf_;
};

TEST_F(Bpf, IsWhatIsTakenWhereItCanBeLoaded) {
  Processes processes;
  EXPECT_TRUE(processes.read({}));
  EXPECT_TRUE(processes.bpf());
}

TEST_F(Bpf, FindsAHolder) {
  const LocalSocket socket;
  EXPECT_EQ(map().lowest(socket.inode), kOurs);
}

TEST_F(Bpf, TellsOfSocketsOnly) {
  struct stat status {};
  const FileDescriptor file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  EXPECT_THAT(holders_in(map(), static_cast<std::uint32_t>(status.st_ino)),
              Not(Contains(testing::Field(&Holder::pid, kOurs))));
}

TEST_F(Bpf, SeesWhatProcShows) {
  if (const auto& reason = Namespace::skip_reason())
    GTEST_SKIP() << *reason;
  const Namespace space;
  const lab::Crowd crowd(space, lab::Crowd::kMostPerProcess + 1'000);
  tcp::SnapshotBuilder builder({});
  ASSERT_TRUE(space.run([] { return SockDiag::open(); }).value()->read_all(builder));
  const ProcessMap by_proc = Processes(&no_bpf).read({}).value();
  const ProcessMap by_bpf = map();
  const std::vector<std::uint32_t> inodes = builder.finish().inodes();
  ASSERT_EQ(inodes.size(), crowd.size());
  for (const std::uint32_t inode : inodes)
    ASSERT_THAT(holders_in(by_bpf, inode), ElementsAreArray(holders_in(by_proc, inode)));
}

TEST_F(Bpf, TellsWhoHasARing) {
  if (const auto reason = ring_skip_reason())
    GTEST_SKIP() << *reason;
  EXPECT_THAT(bpf_->read()->with_rings, Not(Contains(kOurs)));
  const FileDescriptor ring(io_uring_setup(1));
  EXPECT_THAT(bpf_->read()->with_rings, Contains(kOurs));
}

TEST_F(Bpf, SaysWhichCapabilitiesItLacks) {
  const lab::Output output = run_here({}, "Bpf.FindsAHolder", kWithoutBpf);
  EXPECT_THAT(output.out, HasSubstr("Operation not permitted (grant CAP_BPF and CAP_PERFMON"));
}

TEST_F(Bpf, NumbersProcessesAsTheirNamespaceDoes) {
  const lab::Output output =
      run_here({"unshare", "--fork", "--pid", "--mount-proc"}, "Bpf.FindsAHolder");
  EXPECT_EQ(output.status, 0) << output.out;
  EXPECT_THAT(output.out, Not(HasSubstr("SKIPPED")));
}

TEST_F(Bpf, IsNotUsedWhereProcNumbersProcessesDifferently) {
  const lab::Output output = run_here({"unshare", "--fork", "--pid"}, "Bpf.FindsAHolder");
  EXPECT_THAT(output.out, HasSubstr("/proc is not that of our process namespace"));
}

}  // namespace
}  // namespace tcpmibd::kernel
