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

TEST(MappedSocket, IsNamedBehindFiveFields) {
  EXPECT_EQ(
      mapped_socket("7f1c5e6b3000-7f1c5e6b4000 r--s 00000000 00:08 21467                      "
                    "        socket:[21467]"),
      21467u);
}

TEST(MappedSocket, IsNoFileOfSuchAName) {
  for (const char* other :
       {"", "socket:[5]", "7f1c5e6b3000-7f1c5e6b4000 rw-p 00000000 00:00 0",
        "7f1c5e6b3000-7f1c5e6b4000 rw-p 00000000 00:00 0 [heap]",
        "7f1c5e6b3000-7f1c5e6b4000 r--s 00000000 08:01 5   /tmp/socket:[5]",
        "7f1c5e6b3000-7f1c5e6b4000 r--s 00000000 08:01 5   /tmp/a socket:[5]",
        "7f1c5e6b3000-7f1c5e6b4000 r--s 00000000 08:01 5   /a 1 2 3 4 5 socket:[5]"})
    EXPECT_EQ(mapped_socket(other), std::nullopt) << other;
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

// Linux 6.1 names them by their kind alone.
TEST(RegisteredFilesTest, WithoutAnInodeSayNothing) {
  EXPECT_THAT(registered_in({"UserFiles:\t2", "    0: TCP", "    1: <none>", "    2:", ""}),
              IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::kernel
