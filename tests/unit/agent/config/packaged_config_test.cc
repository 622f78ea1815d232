#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "agent/config/config.h"

namespace tcpmibd::agent {
namespace {

const std::string kFile = TCPMIBD_SOURCE_DIR "/tools/package.d/tcpmibd.toml";

// What the package installs, as to_toml() tells it.
std::string packaged() {
  const Result<Config> config = load_config(kFile, /*must_exist=*/true, {});
  return config ? to_toml(*config) : config.error().text();
}

TEST(PackagedConfig, DiffersFromTheDefaultsInPort22Alone) {
  Config wanted;
  wanted.delete_tcb.protected_ports = {22};
  EXPECT_EQ(packaged(), to_toml(wanted));
}

// Its lines with the first "#" of a commented key taken away.
std::string uncommented() {
  std::ifstream file(kFile);
  std::string text;
  for (std::string line; std::getline(file, line);)
    text += std::regex_replace(line, std::regex("^#([a-z-]+ = )"), "$1") + "\n";
  return text;
}

TEST(PackagedConfig, LinesThatAreCommentedOutTellTheDefaults) {
  const std::string file = testing::TempDir() + "tcpmibd-packaged.toml";
  std::ofstream(file) << uncommented();
  const Result<Config> config = load_config(file, /*must_exist=*/true, {});
  std::filesystem::remove(file);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(to_toml(*config), packaged());
}

// Whether the text has such a line, commented out or not.
bool has_key(const std::string& text, const std::string& key) {
  return std::regex_search(text, std::regex("\n" + key + " = "));
}

TEST(PackagedConfig, HasEveryKey) {
  const std::string known = to_toml(Config());
  const std::string text = uncommented();
  const std::regex line("(^|\n)([a-z-]+) = ");
  for (auto key = std::sregex_iterator(known.begin(), known.end(), line);
       key != std::sregex_iterator(); ++key)
    EXPECT_TRUE(has_key(text, key->str(2))) << key->str(2);
}

}  // namespace
}  // namespace tcpmibd::agent
