#include "agent/agentx/master_start.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "support/deadline.h"
#include "unit/agent/agentx/listening.h"

namespace tcpmibd::agent::agentx {
namespace {

class MasterStart : public ListeningMaster {
 protected:
  std::string file() const { return folder_ + "/snmpd.conf"; }

  void write() const { std::ofstream(file()) << "master agentx\n"; }

  // Files have the time of the kernel's last tick: what follows at once may be no later.
  bool is_told_after(const std::function<void()>& change) const {
    return lab::eventually([&] {
      change();
      return started_before(path_, file());
    });
  }
};

TEST_F(MasterStart, IsBeforeAFileThatWasWrittenLater) {
  const FileDescriptor master = listen_at(path_);
  EXPECT_TRUE(is_told_after([this] { write(); }));
}

TEST_F(MasterStart, IsAfterAFileThatWasThere) {
  write();
  const FileDescriptor master = listen_at(path_);
  EXPECT_FALSE(started_before(path_, file()));
}

TEST_F(MasterStart, IsBeforeAFileThatCameLaterAndLooksOlder) {
  const FileDescriptor master = listen_at(path_);
  EXPECT_TRUE(is_told_after([this] {
    write();
    const timespec long_ago[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    ::utimensat(AT_FDCWD, file().c_str(), long_ago, 0);
  }));
}

TEST_F(MasterStart, IsNotMovedByTheModeOfItsSocket) {
  const FileDescriptor master = listen_at(path_);
  ASSERT_TRUE(is_told_after([this] { write(); }));
  EXPECT_EQ(::chmod(path_.c_str(), 0660), 0);
  EXPECT_TRUE(started_before(path_, file()));
}

TEST_F(MasterStart, IsNewWithANewSocket) {
  listen_at(path_);
  ASSERT_TRUE(is_told_after([this] { write(); }));
  std::filesystem::remove(path_);
  const FileDescriptor master = listen_at(path_);
  EXPECT_FALSE(started_before(path_, file()));
}

TEST_F(MasterStart, IsUnknownWithoutEither) {
  EXPECT_FALSE(started_before(path_, file()));
  write();
  EXPECT_FALSE(started_before(path_, file()));
  const FileDescriptor master = listen_at(path_);
  EXPECT_FALSE(started_before(path_, folder_ + "/absent"));
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
