#include "kernel/processes.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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
using testing::Not;

// Any socket: the look-up knows no protocol.
struct LocalSocket {
  LocalSocket()
      : descriptor(lab::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket")) {
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

std::uint32_t pid_of(const lab::Holder& holder) {
  return static_cast<std::uint32_t>(holder.process().pid());
}

std::vector<Holder> holders_in(const ProcessMap& map, std::uint32_t inode) {
  const std::span<const Holder> holders = map.holders(inode);
  return {holders.begin(), holders.end()};
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
  ASSERT_TRUE(processes.read({}));  // also for a sanitizer, which needs descriptors for what is new
  const lab::FewDescriptors only_proc(1);
  const Result<ProcessMap> map = processes.read({});
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().code, EMFILE);
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
    const Result<std::vector<Holder>> holders = bpf_->read();
    EXPECT_TRUE(holders) << holders.error().text();
    return ProcessMap::build(*holders, {}, 0, Clock::now());
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
  const ProcessMap by_proc = ProcProcesses().read({}).value();
  const ProcessMap by_bpf = map();
  const std::vector<std::uint32_t> inodes = builder.finish().inodes();
  ASSERT_EQ(inodes.size(), crowd.size());
  for (const std::uint32_t inode : inodes)
    ASSERT_THAT(holders_in(by_bpf, inode), ElementsAreArray(holders_in(by_proc, inode)));
}

TEST_F(Bpf, SeesAProcessWhoseFirstThreadIsGone) {
  const LocalSocket socket;
  const lab::Holder other = sharer(socket, [] {
    std::thread([] { ::pause(); }).detach();
    ::syscall(SYS_exit, 0);  // this thread alone
  });
  const std::string status = "/proc/" + std::to_string(pid_of(other)) + "/status";
  ASSERT_TRUE(lab::eventually(
      [&] { return lab::read_file(status).find("State:\tZ") != std::string::npos; }));
  EXPECT_THAT(holders_in(map(), socket.inode), Contains(Holder{socket.inode, pid_of(other)}));
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
