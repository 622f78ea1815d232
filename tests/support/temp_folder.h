#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tcpmibd::lab {

// A folder of its own for one test, readable by every user, removed with all it holds.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

  // Writes `text` to the file `name` of this folder; its full name.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// The whole file; empty where there is none.
std::string read_file(const std::string& name);

}  // namespace tcpmibd::lab
