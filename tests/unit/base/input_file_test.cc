#include "base/input_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

namespace tcpmibd {
namespace {

using testing::HasSubstr;

class Input : public testing::Test {
 protected:
  Input() {
    std::string pattern = testing::TempDir() + "input-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Input() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return folder_ / "file"; }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(file()) << text;
    EXPECT_EQ(::chmod(file().c_str(), mode), 0);
  }

  Result<std::string> read(std::size_t most = 100) const {
    return read_input({.name = file(), .role = "the test file ", .most = most});
  }
  std::string error(std::size_t most = 100) const {
    const Result<std::string> text = read(most);
    return text ? "no error" : text.error().text();
  }
  std::string cannot_read() const { return "cannot read the test file " + file() + ": "; }

  std::filesystem::path folder_;
};

TEST_F(Input, ATextIsReadWhole) {
  write("a\nb");
  EXPECT_EQ(read().value(), "a\nb");
}

TEST_F(Input, AnEmptyOneIsEmpty) {
  write("");
  EXPECT_EQ(read().value(), "");
}

TEST_F(Input, WhatIsNotThereIsToldByItsCode) {
  EXPECT_EQ(read().error().code, ENOENT);
  EXPECT_THAT(error(), HasSubstr("No such file or directory (name a file that exists"));
}

TEST_F(Input, ALinkThatLeadsNowhereIsNoMissingFile) {
  std::filesystem::create_symlink(folder_ / "nothing", file());
  EXPECT_NE(read().error().code, ENOENT);
  EXPECT_THAT(error(), HasSubstr(cannot_read() + "it is a link that leads nowhere (mend"));
}

TEST_F(Input, ALinkThatLeadsInACircleIsRefused) {
  std::filesystem::create_symlink(file(), file());
  EXPECT_EQ(read().error().code, ELOOP);
}

TEST_F(Input, ALinkToATextIsAsGoodAsTheText) {
  std::ofstream(folder_ / "text") << "a";
  std::filesystem::create_symlink(folder_ / "text", file());
  EXPECT_EQ(read().value(), "a");
}

// Nobody opens its other end: an open that waits would never return.
TEST_F(Input, AFifoIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_EQ(error(), cannot_read() + "it is a FIFO (put a regular file in its place)");
}

TEST_F(Input, AFolderIsRefused) {
  std::filesystem::create_directory(file());
  EXPECT_EQ(read().error().code, EISDIR);
  EXPECT_THAT(error(), HasSubstr("(name a file, not a folder)"));
}

TEST_F(Input, ASocketIsRefused) {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(file().size(), sizeof address.sun_path);
  std::ranges::copy(file(), address.sun_path);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(error(), HasSubstr(cannot_read() + "it is a socket"));
}

TEST_F(Input, ADeviceIsRefusedHoweverOneComesThere) {
  std::filesystem::create_symlink("/dev/zero", file());
  EXPECT_THAT(error(), HasSubstr(cannot_read() + "it is a device"));
}

TEST_F(Input, WhatIsTooLargeIsRefused) {
  write(std::string(101, 'a'));
  EXPECT_EQ(read().error().code, EFBIG);
  EXPECT_EQ(read(101).value().size(), 101U);
}

// Files of /proc have the size 0, and more in them.
TEST_F(Input, ASizeThatIsNotToldIsBoundedAllTheSame) {
  EXPECT_EQ(read_input({.name = "/proc/self/maps", .most = 10}).error().code, EFBIG);
  EXPECT_THAT(read_input({.name = "/proc/self/maps", .most = 10 << 20}).value(), HasSubstr("["));
}

// A gigabyte that takes no room on the disk.
TEST_F(Input, AHugeOneIsRefusedUnread) {
  write("");
  ASSERT_EQ(::truncate(file().c_str(), 1 << 30), 0);
  EXPECT_EQ(read().error().code, EFBIG);
}

TEST_F(Input, ANulOctetIsRefusedByItsLine) {
  using namespace std::string_literals;
  write("a\nb\0c\n"s);
  EXPECT_THAT(error(), HasSubstr(file() + ":2: a NUL octet"));
}

TEST_F(Input, OneThatEverybodyCanWriteIsRefusedWithItsCure) {
  write("a", 0602);
  EXPECT_EQ(error(), "cannot use the test file " + file() + ": everybody can write it (chmod o-w " +
                         file() + ")");
}

TEST_F(Input, OneThatOurGroupCanWriteIsTaken) {
  write("a", 0660);
  EXPECT_EQ(read().value(), "a");
}

TEST_F(Input, OneOfAnotherGroupThatCanWriteItIsRefused) {
  write("a", 0660);
  if (::chown(file().c_str(), static_cast<uid_t>(-1), 4711) != 0)
    GTEST_SKIP() << "only the superuser gives a file to a foreign group";
  EXPECT_THAT(error(), HasSubstr("group 4711 can write it, which is neither root's nor ours "
                                 "(chmod g-w "));
  ASSERT_EQ(::chmod(file().c_str(), 0640), 0);
  EXPECT_EQ(read().value(), "a");
}

TEST_F(Input, OneOfAnotherOwnerIsRefused) {
  write("a", 0644);
  if (::chown(file().c_str(), 4711, static_cast<gid_t>(-1)) != 0)
    GTEST_SKIP() << "only the superuser gives a file away";
  EXPECT_THAT(error(), HasSubstr("it belongs to user 4711, who is neither root nor ours (chown"));
}

TEST_F(Input, WhereAnybodyMayWriteOnlyTheKindCounts) {
  write("a", 0666);
  const InputFile open{.name = file(), .writers = InputFile::Writers::kAnybody};
  EXPECT_EQ(read_input(open).value(), "a");
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0666), 0);
  EXPECT_FALSE(read_input(open));
}

TEST_F(Input, AnEntryOfAnOpenedFolderIsReadTheSame) {
  write("a");
  const FileDescriptor opened(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(read_input(opened, "file", {.name = file()}).value(), "a");
  EXPECT_EQ(read_input(opened, "none", {.name = file()}).error().code, ENOENT);
}

TEST_F(Input, AFolderThatOthersCanWriteIsNotUsed) {
  EXPECT_TRUE(judge_folder(folder_));
  EXPECT_EQ(judge_folder(folder_ / "none").error().code, ENOENT);
  ASSERT_EQ(::chmod(folder_.c_str(), 01777), 0);
  EXPECT_THAT(judge_folder(folder_).error().text(),
              HasSubstr("cannot use the folder " + folder_.string() + ": everybody can write it"));
}

}  // namespace
}  // namespace tcpmibd
