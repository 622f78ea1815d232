#include "agent/config/snmpd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tcpmibd::agent {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Of the files below a folder of the tree, those that have this name in them.
std::vector<fs::path> naming(const std::string& name, const std::string& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(TCPMIBD_SOURCE_DIR "/" + folder)) {
    if (entry.is_regular_file() && contents(entry.path()).find(name) != std::string::npos)
      found.push_back(entry.path());
  }
  return found;
}

TEST(SnmpdUser, HasTheSocketByTheLineForSnmpd) {
  EXPECT_EQ(std::string(agentx_perms()),
            "agentXPerms 0660 0755 " + std::string(snmpd_user()) + " tcpmibd");
}

// Each system has its own: the build is told, in CMakeLists.txt.
TEST(SnmpdUser, IsNamedByNothingThatIsShipped) {
  for (const char* folder : {"agent", "src", "systemd", "tools/package.d"})
    EXPECT_THAT(naming("Debian-snmp", folder), IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::agent
