#include <string>
#include <vector>

#include "agent/config/config.h"
#include "base/printable.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

constexpr const char* kNoFile = "/proc/self/fdinfo/none";

}  // namespace

// The input: arguments of --set, one a line.
void overrides(Input input) {
  std::vector<std::string> arguments;
  for (Draw draw(input); !draw.is_empty() && arguments.size() < 8;)
    arguments.emplace_back(draw.text_until('\n'));
  const Result<agent::Config> config = agent::load_config(kNoFile, false, arguments);
  if (!config) {
    require(config.error().place.starts_with("--set ") || config.error().place.empty(),
            "a mistake has its place");
    require(printable(config.error().text()) == config.error().text(), "and can be printed");
    return;
  }
  for (std::string& argument : arguments)
    require(argument.find('=') != std::string::npos, "key and value");
  const Result<agent::Config> twice = agent::load_config(kNoFile, false, arguments);
  require(twice && agent::to_toml(*twice) == agent::to_toml(*config), "they mean one thing");
}

}  // namespace tcpmibd::fuzz
