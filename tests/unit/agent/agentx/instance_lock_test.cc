#include "agent/agentx/instance_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace tcpmibd::agent {
namespace {

using testing::HasSubstr;

// A master that has come to listen.
FileDescriptor listen_at(const std::string& path) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(path, address.sun_path);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

class Master : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "master-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/master";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  MasterAddress address() const { return MasterAddress(path_); }

  std::string folder_;
  std::string path_;
};

class InstanceLockAt : public Master {};

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

class ProbeOf : public Master {};

TEST_F(ProbeOf, AMasterThatListensFindsNothing) {
  const FileDescriptor master = listen_at(path_);
  EXPECT_TRUE(address().probe());
}

TEST_F(ProbeOf, AnAbsentMasterNamesTheCauseAndTheLineItMayLack) {
  const Status absent = address().probe();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ENOENT);
  EXPECT_THAT(absent.error().text(), HasSubstr("master agentx"));
}

TEST_F(ProbeOf, ASocketThatNobodyListensOnIsToldFromNone) {
  listen_at(path_);  // and gone again; the file stays
  const Status refused = address().probe();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
}

TEST_F(ProbeOf, AClosedSocketNamesTheLineThatOpensIt) {
  if (::geteuid() == 0)
    GTEST_SKIP() << "nothing is closed to root";
  const FileDescriptor master = listen_at(path_);
  std::filesystem::permissions(path_, std::filesystem::perms::none);
  const Status closed = address().probe();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, EACCES);
  EXPECT_THAT(closed.error().text(), HasSubstr("agentXPerms"));
}

}  // namespace
}  // namespace tcpmibd::agent
