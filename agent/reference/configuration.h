#pragma once

#include <string>
#include <vector>

namespace tcpmibd::agent {

// Every key with its values, default, moment of application and meaning: docs/configuration.md.
std::string config_reference();

// The section of KeyReference that stands for that of every alarm.
inline constexpr const char* kAlarmPattern = "alarm.NAME";

// Every key as data: for the manual and the shell's completion.
struct KeyReference {
  std::string section;
  std::string name;     // within its section
  std::string initial;  // as TOML; of an alarm in words
  std::string takes;
  std::string meaning;  // Markdown
  bool live;            // applied by SIGHUP
};

std::vector<KeyReference> key_references();

}  // namespace tcpmibd::agent
