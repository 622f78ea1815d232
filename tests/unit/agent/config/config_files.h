#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "agent/config/config.h"

namespace tcpmibd::agent {

inline std::string read_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// A folder of configuration files that goes with the test.
class ConfigFiles : public testing::Test {
 protected:
  ConfigFiles() {
    std::string pattern = testing::TempDir() + "tcpmibd-config-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(folder_ / "conf.d");
  }
  ~ConfigFiles() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  std::string file() const { return folder_ / "tcpmibd.toml"; }

  Result<Config> load(const std::vector<std::string>& overrides = {}) {
    return load_config(file(), /*must_exist=*/false, overrides);
  }

  // The whole error of a file with this text.
  std::string error_of(const std::string& text) {
    write("tcpmibd.toml", text);
    const Result<Config> config = load();
    return config ? "no error" : config.error().text();
  }

  std::string error_of_override(const std::string& text) {
    const Result<Config> config = load({text});
    return config ? "no error" : config.error().text();
  }

  std::filesystem::path folder_;
};

}  // namespace tcpmibd::agent
