#include "kernel/hidden_holders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <vector>

#include "kernel/descriptor_tables.h"

// What the kernel says of sockets without a descriptor, and what only looks like it.

namespace tcpmibd::kernel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SocketInode, IsTheWholeNumberOfTheWholeName) {
  EXPECT_EQ(socket_inode("socket:[123]"), 123u);
  EXPECT_EQ(socket_inode("socket:[4294967295]"), 4294967295u);
  for (const char* other :
       {"", "socket:[]", "socket:[12", "socket:12]", "socket:[1 2]", "socket:[x]", "socket:[-1]",
        "socket:[4294967296]", "/socket:[1]", "pipe:[1]", "socket:[1] (deleted)"})
    EXPECT_EQ(socket_inode(other), std::nullopt) << other;
}

TEST(SeenBesideFirst, IsDeniedWhereNothingWasSeenOfADeniedProcess) {
  const SeenTables denied{.denied = true}, nothing{}, something{.empty = false};
  EXPECT_TRUE(seen_beside_first(denied, nothing).denied);
  EXPECT_TRUE(seen_beside_first(nothing, denied).denied);
  EXPECT_FALSE(seen_beside_first(nothing, nothing).denied);
  EXPECT_FALSE(seen_beside_first(denied, something).denied) << "the first thread has ended";
}

TEST(RegisteredPaths, AreListedSinceARelease) {
  for (const char* release : {"6.14.0", "6.14", "6.14-rc1", "6.18.4-amd64", "7.0.0"})
    EXPECT_TRUE(lists_registered_paths(release)) << release;
  for (const char* release : {"6.13.12", "6.1.0-18-amd64", "5.20.0", "6", "6.", "", "x.14", "6.x"})
    EXPECT_FALSE(lists_registered_paths(release)) << release;
}

std::vector<std::uint32_t> registered_in(const std::vector<const char*>& lines) {
  RegisteredFiles files;
  std::vector<std::uint32_t> sockets;
  for (const char* line : lines) {
    if (const auto socket = files.socket_in(line))
      sockets.push_back(*socket);
  }
  return sockets;
}

TEST(RegisteredFilesTest, AreListedUnderTheirHeading) {
  EXPECT_THAT(registered_in({"pos:\t0", "SqMask:\t0x3", "UserFiles:\t4", "    0: socket:[17]",
                             "    1: /tmp/socket:[18]", "    3: socket:[19]", "12345: socket:[20]",
                             "UserBufs:\t1", "    0: socket:[21]", "PollList:"}),
              ElementsAre(17, 19, 20));
}

TEST(RegisteredFilesTest, AreNoneOfOtherLists) {
  EXPECT_THAT(registered_in({"CQEs:\t1", "    0: socket:[5]"}), IsEmpty());
}

TEST(RegisteredFilesTest, WithoutAnInodeSayNothing) {
  EXPECT_THAT(registered_in({"UserFiles:\t2", "    0: /tmp/file", "    1: <none>", "    2:", ""}),
              IsEmpty());
}

bool is_there_in(const std::vector<const char*>& lines) {
  RegisteredFiles files;
  for (const char* line : lines)
    files.socket_in(line);
  return files.is_there();
}

TEST(RegisteredFilesTest, AreThereWhereTheKernelListsThem) {
  EXPECT_TRUE(is_there_in({"SqMask:\t0x3", "UserFiles:\t0", "UserBufs:\t0"}));
  EXPECT_TRUE(is_there_in({"UserFiles:\t3", "    2: socket:[17]", "UserBufs:\t0"}))
      << "empty places are left out";
}

TEST(RegisteredFilesTest, AreNotThereWhileTheRingIsLocked) {
  EXPECT_FALSE(is_there_in({"pos:\t0", "flags:\t02000002", "ino:\t5"}));
  EXPECT_FALSE(is_there_in({"UserFiles:\t3", "UserBufs:\t1", "    0: 0x7f/4096"}));
}

}  // namespace
}  // namespace tcpmibd::kernel
