#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "agent/config/config.h"
#include "base/handle.h"
#include "base/printable.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

const FileDescriptor& memory_file() {
  static const FileDescriptor kFile(::memfd_create("tcpmibd.toml", MFD_CLOEXEC));
  return kFile;
}

std::string file_of(std::string_view text) {
  const int file = memory_file().get();
  require(::fchmod(file, 0600) == 0 && ::ftruncate(file, 0) == 0 &&
              ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
          "a file is to be had");
  return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace

// The input: a whole tcpmibd.toml.
void toml(Input input) {
  const std::string_view text = text_of(input);
  const std::string file = file_of(text);
  const Result<agent::Config> config = agent::load_config(file, true, {});
  if (!config) {
    const Error& error = config.error();
    require(error.place.empty() || error.place.starts_with(file + ':'), "a mistake has its place");
    require(printable(error.text()) == error.text(), "and is told in a text that can be printed");
    return;
  }
  const std::string written = agent::to_toml(*config);
  const Result<agent::Config> again = agent::load_config(file_of(written), true, {});
  require(again.has_value(), "what is written can be read");
  require(agent::to_toml(*again) == written, "and means what was read");
  require(agent::restart_keys(*config, *again).empty(), "to the daemon as well");
}

}  // namespace tcpmibd::fuzz
