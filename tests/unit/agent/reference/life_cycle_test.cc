#include "agent/reference/life_cycle.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace tcpmibd::agent {
namespace {

// Run with TCPMIBD_REGENERATE=1 to write the page anew.
TEST(LifeCycleMarkdown, IsThePageInDocs) {
  const std::string page = std::string(TCPMIBD_SOURCE_DIR) + "/docs/tcp-states.md";
  if (std::getenv("TCPMIBD_REGENERATE") != nullptr)
    std::ofstream(page) << life_cycle_markdown();
  std::ostringstream text;
  text << std::ifstream(page).rdbuf();
  EXPECT_EQ(text.str(), life_cycle_markdown());
}

}  // namespace
}  // namespace tcpmibd::agent
