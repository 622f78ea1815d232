#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "support/standard_error.h"
#include "support/temp_folder.h"
#include "system/deleting.h"
#include "system/system_test.h"

// System calls fail one by one, and readers of the log stop reading. Either the daemon serves on,
// and what it could not do works again as soon as it can, or it does not start, says why and ends
// with 1.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;

// ---- At the start ----

std::optional<std::string> strace_skip_reason() {
  try {
    const Output traced = run({"strace", "-D", "-qq", "-o", "/dev/null", "true"});
    return traced.status == 0 ? std::nullopt : std::optional("strace: " + traced.err);
  } catch (const Trouble& trouble) {
    return trouble.what();
  }
}

// What fails, and how.
struct Failing {
  const char* call;
  const char* code;
};

std::ostream& operator<<(std::ostream& stream, const Failing& failing) {
  return stream << failing.call << " with " << failing.code;
}

// The program, whose nth call of one kind fails.
std::string program_in(const TempFolder& folder, const Failing& failing, int nth) {
  const std::string name =
      folder.write("program", "#!/bin/sh\nexec strace -D -f -qq -o '" + folder.file("trace") +
                                  "' -e trace=" + failing.call + " -e inject=" + failing.call +
                                  ":error=" + failing.code + ":when=" + std::to_string(nth) + " '" +
                                  tcpmibd_binary() + "' \"$@\"\n");
  ::chmod(name.c_str(), 0755);
  return name;
}

// The lines of the log that are errors.
std::vector<std::string> errors_in(const std::string& log) {
  std::vector<std::string> errors = lines_with("cannot ", log);
  std::erase_if(errors, [](const std::string& line) {
    return !line.starts_with("error: ") && !line.starts_with("tcpmibd: ");
  });
  return errors;
}

class ScarcityAtStart : public SystemTest, public testing::WithParamInterface<Failing> {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const std::optional<std::string> reason = strace_skip_reason())
      GTEST_SKIP() << *reason;
  }
};

constexpr int kMostCalls = 200;
constexpr int kNone = 9999;

// The number of the first call that is ours, and not that of the loader, who opens libraries.
int first_call(const Namespace& space, const TempFolder& folder, const Failing& failing) {
  Daemon daemon(space, {.arguments = {"--standalone", Daemon::kAddress},
                        .program = program_in(folder, failing, kNone)});
  if (!daemon.says("serving SNMP on", kGreatPatience))
    throw Trouble("it does not serve even if nothing fails: " + daemon.log());
  daemon.process().signal(SIGTERM);
  daemon.process().wait(kGreatPatience);
  return 1 + static_cast<int>(count_of(".so", read_file(folder.file("trace"))));
}

TEST_P(ScarcityAtStart, EitherItServesOrItEndsWithTheCauseAndStatusOne) {
  const Namespace space;
  const TempFolder folder;
  const std::string access = folder.write("access", "rocommunity public 127.0.0.1\n");
  const Manager reader = Manager::v2c(space, Daemon::kAddress).patient(std::chrono::seconds(2));
  int served = 0;
  for (int nth = first_call(space, folder, GetParam()); nth <= kMostCalls; ++nth) {
    SCOPED_TRACE(testing::PrintToString(GetParam()) + ", call " + std::to_string(nth));
    Daemon daemon(space, {.arguments = {"--standalone", Daemon::kAddress, "--access", access},
                          .program = program_in(folder, GetParam(), nth)});
    const auto serves = [&] { return daemon.log().find("serving SNMP on") != std::string::npos; };
    eventually([&] { return serves() || !daemon.process().running(); }, kGreatPatience);
    if (serves()) {
      ++served;
      EXPECT_TRUE(eventually([&] { return reader.get({kTcpHcInSegs}).ok(); }, kGreatPatience));
      daemon.process().signal(SIGTERM);
      EXPECT_EQ(daemon.process().wait(kGreatPatience), 0);
      if (read_file(folder.file("trace")).find("(INJECTED)") == std::string::npos)
        break;  // There are no more calls.
      continue;
    }
    EXPECT_EQ(daemon.process().wait(), 1) << daemon.log();
    EXPECT_THAT(errors_in(daemon.log()), testing::SizeIs(1)) << daemon.log();
  }
  EXPECT_GT(served, 0);
}

constexpr Failing kFailing[] = {
    {"eventfd2", "EMFILE"}, {"socket", "EMFILE"},    {"bind", "ENOMEM"},
    {"clone3", "EAGAIN"},   {"getrandom", "EAGAIN"}, {"openat", "EMFILE"},
};

INSTANTIATE_TEST_SUITE_P(Calls, ScarcityAtStart, testing::ValuesIn(kFailing),
                         [](const auto& of) { return std::string(of.param.call); });

// ---- While it serves ----

class Scarcity : public SystemTest {};

// No descriptor beyond those it has, for as long as this lives.
class NoMoreDescriptors {
 public:
  explicit NoMoreDescriptors(pid_t process) : process_(process) {
    check(::prlimit(process_, RLIMIT_NOFILE, nullptr, &before_), "read a limit");
    rlimit none = before_;
    none.rlim_cur = 8;  // poll(2) takes no more than that many descriptors
    check(::prlimit(process_, RLIMIT_NOFILE, &none, nullptr), "set a limit");
  }
  ~NoMoreDescriptors() { ::prlimit(process_, RLIMIT_NOFILE, &before_, nullptr); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  pid_t process_;
  rlimit before_{};
};

// Under a master: an SNMP agent of its own opens hosts_access(5)'s files for a new manager, and
// answers none where it cannot.
TEST_F(Scarcity, WithoutDescriptorsItServesOnAndAllIsBackWithThem) {
  const Namespace space;
  const Snmpd master(space);
  Daemon daemon = Daemon::under(master, {.settings = {"process.max-age=1s"}});
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  const Oid state = connection_cell(kStateColumn, ends);
  const Manager reader = master.manager().patient(kGreatPatience);
  const Manager writer = master.writer().patient(kGreatPatience);
  ASSERT_EQ(state_told(reader, state), kEstablished);
  {
    const NoMoreDescriptors none(daemon.process().pid());
    EXPECT_EQ(state_told(reader, state), kEstablished) << "its sockets are open";
    EXPECT_FALSE(reader.get({kTcpHcInSegs}).ok()) << "a file has to be opened for it";
    EXPECT_EQ(writer.set({deletion(state)}).error, "resourceUnavailable")
        << "its own sessions cannot be told from the others";
    reader.walk(kConnectionProcess);
    daemon.process().signal(SIGHUP);
    EXPECT_TRUE(daemon.says("the old configuration stays in force"));
    service.expect_alive();
  }
  EXPECT_TRUE(reader.get({kTcpHcInSegs}).ok());
  const std::string ours = std::to_string(::getpid());
  const Oid process = connection_cell(8, ends);
  EXPECT_EQ(settled([&] { return state_told(reader, process); }, ours, kGreatPatience), ours);
  EXPECT_EQ(writer.set({deletion(state)}).error, "");
  service.expect_only_chosen_ended();
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.says("the configuration has been read again"));
  EXPECT_EQ(daemon.terminate(), 0);
}

// It may have no more memory than it has: one that cannot go on says so and ends with 1.
// From now on it gets no memory, and is asked until that ends it; how it has ended. None: what it
// had was enough.
std::optional<int> end_without_memory(Daemon& daemon, const Manager& manager) {
  const rlimit little{.rlim_cur = 1, .rlim_max = 1};
  check(::prlimit(daemon.process().pid(), RLIMIT_AS, &little, nullptr), "set a limit");
  const Manager reader = manager.patient(std::chrono::seconds(1));
  const auto ended = [&] { return !daemon.process().running(); };
  for (int i = 0; i < 200 && !ended(); ++i)
    reader.bulk(0, 100, {kTcp});
  return ended() ? std::optional(daemon.process().wait()) : std::nullopt;
}

constexpr const char* kNoMemory = "error: cannot go on: there is no memory left\n";

TEST_F(Scarcity, WithoutMemoryASubagentEndsWithALine) {
  const Namespace space;
  Attached agent(space);
  const std::optional<int> status = end_without_memory(agent.daemon, agent.master.manager());
  if (!status)
    GTEST_SKIP() << "what it had was enough";
  EXPECT_EQ(status, 1) << agent.daemon.log();
  EXPECT_THAT(agent.daemon.log(), HasSubstr(kNoMemory));
}

// The SNMP library does not look at what malloc() gives it, so the first to go without may be it.
TEST_F(Scarcity, WithoutMemoryAnAgentOfItsOwnEnds) {
  constexpr int kBySegmentationFault = 128 + SIGSEGV;
  const Namespace space;
  Daemon daemon = Daemon::standalone(space);
  const std::optional<int> status =
      end_without_memory(daemon, Manager::v2c(space, Daemon::kAddress));
  if (!status)
    GTEST_SKIP() << "what it had was enough";
  EXPECT_THAT(status, testing::AnyOf(1, kBySegmentationFault)) << daemon.log();
  EXPECT_EQ(status == 1, daemon.log().find(kNoMemory) != std::string::npos) << daemon.log();
}

// ---- The log ----

// A daemon whose standard error is a small pipe that is read only when the test reads it.
class UnreadLog {
 public:
  explicit UnreadLog(const Namespace& space) : pipe_(opened(folder_.file("log"))) {
    const std::string name =
        folder_.write("program", "#!/bin/sh\nexec '" + tcpmibd_binary() + "' \"$@\" 2>'" +
                                     folder_.file("log") + "'\n");
    ::chmod(name.c_str(), 0755);
    daemon.emplace(Daemon::standalone(space, {.program = name}));
  }

  // Everything so far.
  const std::string& read() {
    std::array<char, 65536> buffer;
    for (ssize_t size = 0; (size = ::read(pipe_.get(), buffer.data(), buffer.size())) > 0;)
      text_.append(buffer.data(), static_cast<std::size_t>(size));
    return text_;
  }

 private:
  // For writing as well, so that there is always a reader and never an end.
  static FileDescriptor opened(const std::string& name) {
    check(::mkfifo(name.c_str(), 0600), "make a pipe");
    FileDescriptor pipe(::open(name.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    check(::fcntl(pipe.get(), F_SETPIPE_SZ, Pipe::kSize), "make a pipe small");
    return pipe;
  }

  TempFolder folder_;
  FileDescriptor pipe_;
  std::string text_;

 public:
  std::optional<Daemon> daemon;
};

TEST_F(Scarcity, WhoIsGivenNoStandardErrorDoesNotTakeItsFirstSocketForIt) {
  const Namespace space;
  const TempFolder folder;
  const std::string name =
      folder.write("program", "#!/bin/sh\nexec '" + tcpmibd_binary() + "' \"$@\" <&- >&- 2>&-\n");
  ::chmod(name.c_str(), 0755);
  Daemon daemon = Daemon::standalone(space, {.program = name});
  for (const char* standard : {"0", "1", "2"}) {
    const std::string descriptor =
        "/proc/" + std::to_string(daemon.process().pid()) + "/fd/" + standard;
    EXPECT_EQ(std::filesystem::read_symlink(descriptor), "/dev/null") << standard;
  }
  EXPECT_EQ(daemon.terminate(), 0);
}

TEST_F(Scarcity, ALogThatNobodyReadsHoldsNobodyUp) {
  const Namespace space;
  UnreadLog log(space);
  const Manager reader = Manager::v2c(space, Daemon::kAddress);
  constexpr int kReloads = 150;  // some 8 KB, where 4 KB would block
  for (int i = 0; i < kReloads; ++i) {
    log.daemon->process().signal(SIGHUP);
    ASSERT_TRUE(reader.get({kTcpHcInSegs}).ok()) << "after " << i;
  }
  const auto told = [&] { return count_of("has been read again", log.read()); };
  EXPECT_TRUE(eventually([&] { return told() > kReloads / 2; }, kGreatPatience))
      << "what was kept comes when it is read: " << told();
  EXPECT_EQ(count_of("missing from the log", log.read()), 0);
  for (int i = 0; i < kReloads; ++i) {
    log.daemon->process().signal(SIGHUP);
    ASSERT_TRUE(reader.get({kTcpHcInSegs}).ok());
  }
  EXPECT_EQ(log.daemon->terminate(), 0) << "within a second, though nobody reads";
}

}  // namespace
}  // namespace tcpmibd::lab
