#include "base/mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tcpmibd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Mount> mounts_in(std::string_view text) {
  std::vector<Mount> mounts;
  while (std::optional<Mount> mount = take_mount(text))
    mounts.push_back(*std::move(mount));
  return mounts;
}

std::vector<std::string> directories_in(std::string_view text) {
  std::vector<std::string> directories;
  for (const Mount& mount : mounts_in(text))
    directories.push_back(mount.directory);
  return directories;
}

TEST(Mount, HasItsPlaceItsTypeAndItsOptions) {
  const std::vector<Mount> mounts = mounts_in(
      "41 31 0:38 /part /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw,nsdelegate");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].root, "/part");
  EXPECT_EQ(mounts[0].directory, "/sys/fs/cgroup");
  EXPECT_EQ(mounts[0].type, "cgroup2");
  EXPECT_EQ(mounts[0].options, "rw,nsdelegate");
}

TEST(Mount, MayHaveAnyNumberOfFieldsBeforeTheHyphen) {
  EXPECT_THAT(directories_in("1 0 0:1 / /a rw - proc proc rw\n"
                             "2 0 0:2 / /b rw shared:1 master:2 - proc proc rw\n"),
              ElementsAre("/a", "/b"));
}

TEST(Mount, HasAPathAsItIs) {
  EXPECT_THAT(directories_in("1 0 0:1 / /with\\040blank\\134 rw - proc proc rw\n"),
              ElementsAre("/with blank\\"));
  EXPECT_THAT(directories_in("1 0 0:1 / /no\\9escape\\04 rw - proc proc rw\n"),
              ElementsAre("/no\\9escape\\04"));
}

TEST(Mount, IsNotMadeOfALineThatIsCut) {
  EXPECT_THAT(directories_in("1 0 0:1 /\n1 0 0:1 / /cut rw -\n\n1 0 0:1 / /a rw - proc proc rw"),
              ElementsAre("/a"));
  EXPECT_THAT(mounts_in(""), IsEmpty());
}

TEST(Mount, GivesTheValueOfAnOption) {
  const Mount mount{
      .root = "/", .directory = "/proc", .type = "proc", .options = "rw,hidepid=invisible,gid=3"};
  EXPECT_EQ(mount.option("hidepid"), "invisible");
  EXPECT_EQ(mount.option("gid"), "3");
  EXPECT_EQ(mount.option("rw"), "");
  EXPECT_EQ(mount.option("pid"), "");
}

}  // namespace
}  // namespace tcpmibd
