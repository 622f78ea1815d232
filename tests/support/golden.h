#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// Messages that a kernel has sent, kept as hexadecimal text in tests/golden.

namespace tcpmibd::lab {

inline std::filesystem::path tests_folder() {
  return std::filesystem::path(TCPMIBD_SOURCE_DIR) / "tests";
}

struct Recording {
  std::string name;
  std::vector<std::byte> bytes;
};

inline void PrintTo(const Recording& recording, std::ostream* out) { *out << recording.name; }

// Lines that begin with '#' say what the bytes are.
inline Recording recording(const std::string& name) {
  std::ifstream file(tests_folder() / "golden" / (name + ".hex"));
  if (!file)
    throw std::runtime_error("no recording " + name);
  Recording result{.name = name, .bytes = {}};
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.starts_with('#') ? std::string() : line);
    for (std::string word; words >> word;)
      result.bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
  }
  return result;
}

inline std::vector<Recording> recordings() {
  std::vector<Recording> all;
  for (const auto& entry : std::filesystem::directory_iterator(tests_folder() / "golden")) {
    if (entry.path().extension() == ".hex")
      all.push_back(recording(entry.path().stem()));
  }
  std::ranges::sort(all, {}, &Recording::name);
  return all;
}

}  // namespace tcpmibd::lab
