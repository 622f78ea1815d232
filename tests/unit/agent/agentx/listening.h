#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "agent/agentx/master_address.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// The C library looks names up in threads whose beginning ThreadSanitizer does not see, and that is
// the end of the process.
#ifdef __has_feature
inline constexpr bool kNamesCanBeLookedUp = !__has_feature(thread_sanitizer);
#else
inline constexpr bool kNamesCanBeLookedUp = true;
#endif
inline constexpr const char* kNoNames = "ThreadSanitizer does not bear getaddrinfo_a()";

// A master that has come to listen.
inline FileDescriptor listen_at(const std::string& path) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(path, address.sun_path);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

// A folder for its socket.
class ListeningMaster : public testing::Test {
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

}  // namespace tcpmibd::agent
