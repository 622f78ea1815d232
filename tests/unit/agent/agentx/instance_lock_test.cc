#include "agent/agentx/instance_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "unit/agent/agentx/listening.h"

namespace tcpmibd::agent {
namespace {

using testing::HasSubstr;

class InstanceLockAt : public ListeningMaster {};

TEST_F(InstanceLockAt, OneMasterIsServedByOne) {
  const FileDescriptor master = listen_at(path_);
  InstanceLock first(address()), second(address());
  EXPECT_TRUE(first.take());
  const Status refused = second.take();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("another tcpmibd already serves this master"));
  EXPECT_FALSE(second.held());
}

TEST_F(InstanceLockAt, TakenTwiceByTheSameIsHeldOnce) {
  const FileDescriptor master = listen_at(path_);
  InstanceLock lock(address());
  EXPECT_TRUE(lock.take());
  EXPECT_TRUE(lock.take());
  EXPECT_TRUE(lock.held());
}

TEST_F(InstanceLockAt, TheNextMayComeWhenTheFirstIsGone) {
  const FileDescriptor master = listen_at(path_);
  {
    InstanceLock first(address());
    ASSERT_TRUE(first.take());
  }
  InstanceLock second(address());
  EXPECT_TRUE(second.take());
}

TEST_F(InstanceLockAt, WithoutAMasterThereIsNothingToHold) {
  InstanceLock lock(address());
  EXPECT_TRUE(lock.take());
  EXPECT_FALSE(lock.held());
}

TEST_F(InstanceLockAt, TwoPathsToOneSocketAreOneMaster) {
  const FileDescriptor master = listen_at(path_);
  std::filesystem::create_symlink(path_, folder_ + "/link");
  InstanceLock first(address()), second(MasterAddress("unix:" + folder_ + "/link"));
  EXPECT_TRUE(first.take());
  EXPECT_FALSE(second.take());
}

TEST_F(InstanceLockAt, ANewSocketAtTheSamePathIsANewMaster) {
  const FileDescriptor old_master = listen_at(path_);
  InstanceLock first(address());
  ASSERT_TRUE(first.take());
  // Renamed, not removed: its inode must not come back at once.
  std::filesystem::rename(path_, folder_ + "/old");
  const FileDescriptor new_master = listen_at(path_);
  EXPECT_TRUE(first.take());
  InstanceLock at_old(MasterAddress(folder_ + "/old")), at_new(address());
  EXPECT_TRUE(at_old.take());
  EXPECT_FALSE(at_new.take());
}

TEST_F(InstanceLockAt, TheOldNameIsKeptWhenTheNewOneIsTaken) {
  const FileDescriptor old_master = listen_at(path_);
  InstanceLock lock(address());
  ASSERT_TRUE(lock.take());
  std::filesystem::rename(path_, folder_ + "/old");
  const FileDescriptor new_master = listen_at(path_);
  InstanceLock faster(address());
  ASSERT_TRUE(faster.take());
  EXPECT_FALSE(lock.take());
  InstanceLock at_old(MasterAddress(folder_ + "/old"));
  EXPECT_FALSE(at_old.take());
}

TEST(MasterAddressText, HostsAreKnownByHostAndPort) {
  EXPECT_EQ(MasterAddress("tcp:127.0.0.1:1705").identity(), "127.0.0.1:1705");
  EXPECT_EQ(MasterAddress("tcp6:[::1]:1705").identity(), "::1:1705");
  EXPECT_EQ(MasterAddress("localhost:1705").identity(), "localhost:1705");
  EXPECT_EQ(MasterAddress("localhost").identity(), "localhost:705");
  EXPECT_EQ(MasterAddress("1705").identity(), "localhost:1705");
}

}  // namespace
}  // namespace tcpmibd::agent
