#include "agent/config/toml_string.h"

#include "base/printable.h"

namespace tcpmibd::agent {
namespace {

// What is no UTF-8 stays: TOML cannot hold it, and whoever reads it says so.
bool is_escaped(const Character& character) {
  return character.steers() && character.code != Character::kInvalid;
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const Character character = take_character(text);
    if (character.code == '"' || character.code == '\\')
      quoted += '\\';
    quoted +=
        is_escaped(character) ? unicode_escape(character.code) : std::string(character.octets);
  }
  return quoted + '"';
}

}  // namespace tcpmibd::agent
