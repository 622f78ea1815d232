#include <string>

#include "base/printable.h"
#include "fuzz/targets.h"
#include "kernel/proc_names.h"
#include "tcp/sources.h"

namespace tcpmibd::fuzz {

namespace {

constexpr std::size_t kLongest = 4 * 4;  // a character of four octets, each as "\\x9b"

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text).steers())
      return false;
  }
  return true;
}

void characters(std::string_view text) {
  std::string joined;
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = take_character(rest);
    require(!character.octets.empty() && character.octets.size() <= 4, "1 to 4 octets");
    require(character.code != Character::kInvalid || character.octets.size() == 1,
            "what is no character is taken by octets");
    joined += character.octets;
  }
  require(joined == text, "all of the text, and nothing else");
}

}  // namespace

// The input: a length, and a text that somebody else has worded.
void names(Input input) {
  Draw draw(input);
  const std::size_t most = draw.octet();
  const std::string_view text = draw.rest_text();
  characters(text);

  const std::string shown = printable(text);
  require(is_printable(shown), "what is printed steers nothing");
  require(printable(shown) == shown, "and is not changed again");
  require(!is_printable(text) || shown == text, "nor is what was printable");
  const std::string cut = printable(text, most);
  require(cut.size() <= most && shown.starts_with(cut), "of what is too long, the beginning");
  require(shown.size() <= most ? cut == shown : cut.size() + kLongest > most,
          "as much as there is room");

  require(text.starts_with(without_cut_character(text)), "a name without its last character");
  const std::string command = kernel::command_in(text);
  require(is_printable(command) && command.size() <= tcp::kCommandMax, "so is a command's name");
}

}  // namespace tcpmibd::fuzz
