#include "agent/process/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace tcpmibd::agent {
namespace {

using testing::StartsWith;

TEST(Version, IsTheChangelogsWithoutTheRevision) {
  std::ifstream changelog(TCPMIBD_SOURCE_DIR "/debian/changelog");
  std::string newest;
  std::getline(changelog, newest);
  EXPECT_THAT(newest, StartsWith("tcpmibd (" + std::string(version()) + "-"));
}

}  // namespace
}  // namespace tcpmibd::agent
