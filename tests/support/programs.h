#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

// Programs of other people, which a machine may lack.

namespace tcpmibd::lab {

// Where `program` lies in PATH, or beside it: a plain user's lacks the folders of administrators.
inline std::optional<std::string> find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/sbin:/usr/lib/nagios/plugins");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (std::filesystem::exists(std::filesystem::path(folder) / program))
      return (std::filesystem::path(folder) / program).string();
  }
  return std::nullopt;
}

inline bool is_installed(const std::string& program) { return find_program(program).has_value(); }

}  // namespace tcpmibd::lab
