#include "support/temp_folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "support/trouble.h"

namespace tcpmibd::lab {

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tcpmibd-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    check(-1, "make a folder like " + name);
  path_ = name;
  check(::chmod(name.c_str(), 0755), "open " + name + " to every user");
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(std::string_view name, std::string_view text) const {
  const std::string full = file(name);
  std::ofstream stream(full, std::ios::binary | std::ios::trunc);
  stream << text;
  if (!stream.flush())
    throw Trouble("cannot write " + full);
  return full;
}

std::string read_file(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace tcpmibd::lab
