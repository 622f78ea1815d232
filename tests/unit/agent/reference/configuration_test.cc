#include "agent/reference/configuration.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "unit/agent/config/config_files.h"

namespace tcpmibd::agent {
namespace {

// Run with TCPMIBD_REGENERATE=1 to write the page anew.
TEST(ConfigReference, IsThePageInDocs) {
  const std::string page = std::string(TCPMIBD_SOURCE_DIR) + "/docs/configuration.md";
  if (std::getenv("TCPMIBD_REGENERATE") != nullptr)
    std::ofstream(page) << config_reference();
  EXPECT_EQ(read_text(page), config_reference());
}

}  // namespace
}  // namespace tcpmibd::agent
