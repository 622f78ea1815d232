#include "base/outlet.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <string>

#include "support/datagrams.h"
#include "support/descriptors.h"
#include "support/standard_error.h"

namespace tcpmibd::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

Record record_number(int number, std::size_t padding = 0) {
  return {.level = Level::kNotice,
          .message = "line " + std::to_string(number) + ' ' + std::string(padding, 'x')};
}

std::string line_number(int number, std::size_t padding = 0) {
  return "notice: line " + std::to_string(number) + ' ' + std::string(padding, 'x') + '\n';
}

constexpr int kFarTooMany = 1'000'000;

// Writes until no more is taken, whereupon the record of the number that is returned is to be given
// again.
int filled(Outlet& outlet, int first, std::size_t padding) {
  for (int number = first; number < kFarTooMany; ++number) {
    if (!outlet.write(record_number(number, padding)))
      return number;
  }
  ADD_FAILURE() << "it takes everything";
  return kFarTooMany;
}

std::string lines_before(int end, std::size_t padding) {
  std::string lines;
  for (int number = 0; number < end; ++number)
    lines += line_number(number, padding);
  return lines;
}

// Whoever reads only now and then gets every line, whole and once.
template <typename Read>
void expect_every_line_comes(Read read, std::size_t padding) {
  StderrOutlet outlet;
  int number = 0;
  for (int round = 0; round < 5; ++round) {
    number = filled(outlet, number, padding);
    read();
  }
  ASSERT_TRUE(outlet.write(record_number(number, padding)));
  EXPECT_EQ(read(), lines_before(number + 1, padding));
}

TEST(StderrOutlet, APipeThatNobodyReadsIsNotWaitedFor) {
  for (const std::size_t padding : {0u, 100u, 3000u, 6000u}) {
    lab::Pipe pipe;
    const lab::StandardErrorIs it(pipe.writer.get());
    expect_every_line_comes([&] { return pipe.read(); }, padding);
    EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0)
        << "others who share the pipe may rely on its waiting";
  }
}

TEST(StderrOutlet, NorIsASocket) {
  for (const std::size_t padding : {0u, 3000u}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const FileDescriptor ours(ends[0]), theirs(ends[1]);
    const lab::StandardErrorIs it(ours.get());
    std::string text;
    const auto read = [&] {
      std::array<char, 65536> buffer;
      for (ssize_t size = 0;
           (size = ::recv(theirs.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(size));
      return text;
    };
    expect_every_line_comes(read, padding);
  }
}

TEST(StderrOutlet, NorIsATerminalThatStandsStill) {
  const FileDescriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal && ::grantpt(terminal.get()) == 0 && ::unlockpt(terminal.get()) == 0);
  const FileDescriptor ours(::open(::ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(ours);
  const lab::StandardErrorIs it(ours.get());
  StderrOutlet outlet;
  EXPECT_LT(filled(outlet, 0, 100), 10'000);
}

TEST(StderrOutlet, AReaderWhoIsGoneIsAsOneWhoIsSlow) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  lab::Pipe gone, next;
  StderrOutlet outlet;
  const lab::StandardErrorIs it(gone.writer.get());
  EXPECT_TRUE(outlet.write(record_number(0)));
  gone.reader = FileDescriptor();
  EXPECT_FALSE(outlet.write(record_number(1)));
  EXPECT_FALSE(StderrOutlet().write(record_number(1))) << "who comes later neither";
  lab::StandardErrorIs::be(next.writer.get());
  EXPECT_TRUE(outlet.write(record_number(1))) << "it is looked up each time";
  EXPECT_EQ(next.read(), line_number(1));
  ::signal(SIGPIPE, before);
}

TEST(StderrOutlet, AFullDiskMayHaveRoomAgain) {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  lab::Pipe pipe;
  const lab::StandardErrorIs it(full.get());
  StderrOutlet outlet;
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(outlet.write(record_number(0)));
  lab::StandardErrorIs::be(pipe.writer.get());
  EXPECT_TRUE(outlet.write(record_number(0)));
  EXPECT_EQ(pipe.read(), line_number(0));
}

TEST(StderrOutlet, WithoutDescriptorsAPipeIsNotWaitedForEither) {
  lab::Pipe pipe;
  const lab::StandardErrorIs it(pipe.writer.get());
  const lab::FewDescriptors none(0);
  expect_every_line_comes([&] { return pipe.read(); }, 3000);
}

// With the socket of a journal or a syslog daemon in a folder of its own.
class DatagramOutlets : public testing::Test {
 protected:
  DatagramOutlets() {
    std::string pattern = testing::TempDir() + "tcpmibd-log-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DatagramOutlets() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "socket"; }

  std::filesystem::path folder_;
};

TEST_F(DatagramOutlets, TheJournalGetsFieldsApartAndNewlinesAsTheyAre) {
  lab::Datagrams journal(path());
  JournalOutlet outlet(path());
  EXPECT_TRUE(outlet.write({Level::kNotice, "deleted", {{"TCP_STATE", "closeWait"}}}));
  EXPECT_TRUE(outlet.write({Level::kError, "a\nb"}));
  const std::string length = std::string("\3\0\0\0\0\0\0\0", 8);
  EXPECT_THAT(journal.all(),
              ElementsAre("MESSAGE=deleted\nPRIORITY=5\nSYSLOG_IDENTIFIER=tcpmibd\n"
                          "TCP_STATE=closeWait\n",
                          "MESSAGE\n" + length + "a\nb\nPRIORITY=3\nSYSLOG_IDENTIFIER=tcpmibd\n"));
}

TEST_F(DatagramOutlets, SyslogGetsTheFacilityDaemonTheTimeAndOneLine) {
  lab::Datagrams daemon(path());
  SyslogOutlet outlet(path());
  EXPECT_TRUE(outlet.write({Level::kNotice, "a\nb"}));
  EXPECT_THAT(daemon.all().at(0),
              MatchesRegex("<29>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} tcpmibd: a b"));
}

template <typename Kind>
void expect_not_waiting(const std::string& path) {
  lab::Datagrams reader(path);
  Kind outlet(path);
  const int number = filled(outlet, 0, 100);
  EXPECT_EQ(reader.all().size(), static_cast<std::size_t>(number));
  EXPECT_TRUE(outlet.write(record_number(number))) << "there is room again";
  EXPECT_THAT(reader.all().back(), HasSubstr("line " + std::to_string(number)));
}

TEST_F(DatagramOutlets, AJournalThatIsBehindIsNotWaitedFor) {
  expect_not_waiting<JournalOutlet>(path());
}

TEST_F(DatagramOutlets, NorIsASyslogDaemon) { expect_not_waiting<SyslogOutlet>(path()); }

TEST_F(DatagramOutlets, WhereNobodyListensStandardErrorGetsItUntilSomebodyDoes) {
  lab::Pipe pipe;
  const lab::StandardErrorIs it(pipe.writer.get());
  JournalOutlet outlet(path());
  EXPECT_TRUE(outlet.write(record_number(0)));
  EXPECT_EQ(pipe.read(), line_number(0));
  for (int life = 0; life < 2; ++life) {
    lab::Datagrams journal(path());
    EXPECT_TRUE(outlet.write(record_number(1)));
    EXPECT_THAT(journal.all(), ElementsAre(StartsWith("MESSAGE=line 1 \n")));
    std::filesystem::remove(path());
  }
}

}  // namespace
}  // namespace tcpmibd::log
