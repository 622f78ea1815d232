#include <string>

#include "agent/netsnmp/engine_state.h"
#include "fuzz/targets.h"
#include "support/temp_folder.h"

namespace tcpmibd::fuzz {

namespace {

constexpr std::size_t kMost = 4096;               // octets that are read
constexpr std::uint32_t kLastBoots = 2147483646;  // 2^31-1 says that there is no other

struct Identity {
  std::string id;
  std::uint32_t boots;
};

Identity raised(const std::string& folder) {
  const auto state = agent::EngineState::raise(folder);
  require(state.has_value(), "whatever lies there, an agent gets an identity");
  require(state->id().size() >= 10 && state->id().size() <= 64, "of 5 to 32 octets (RFC 3411)");
  require(state->boots() >= 1 && state->boots() <= kLastBoots, "and a number of starts");
  return {state->id(), state->boots()};
}

}  // namespace

// The input: the file of the engine's state.
void engine_state(Input input) {
  static const lab::TempFolder kFolder;
  const std::string_view text = text_of(input);
  kFolder.write("engine", text);
  if (text.size() > kMost || text.find('\0') != std::string_view::npos) {
    require(!agent::EngineState::raise(kFolder.path()), "what is no text of ours is not read");
    return;
  }
  const Identity first = raised(kFolder.path());
  const bool is_old = text.find(first.id) != std::string_view::npos;
  require(is_old || first.boots == 1, "a new identity begins to count");
  if (is_old)
    require(text.find(std::to_string(first.boots - 1)) != std::string_view::npos,
            "an old one counts on from what was written");
  const Identity second = raised(kFolder.path());
  const bool is_worn_out = first.boots == kLastBoots;
  require(is_worn_out == (second.id != first.id), "an identity is kept while it can count");
  require(second.boots == (is_worn_out ? 1 : first.boots + 1), "what was written is read");
}

}  // namespace tcpmibd::fuzz
