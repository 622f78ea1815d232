#include <string>

#include "agent/commands/doctor/doctor.h"
#include "agent/commands/doctor/facts.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

void status(std::string_view text) {
  const agent::Subject subject = agent::subject_of(text, "somebody");
  require(subject.name == "somebody", "the name is the caller's");
  require(subject.groups.size() <= text.size(), "no group that is not written");
}

void unix_sockets(std::string_view name, std::string_view text) {
  const std::uint32_t inode = agent::inode_of(text, name);
  require(inode == 0 || text.find('@' + std::string(name)) != std::string_view::npos,
          "no inode of a name that is not there");
}

void hidepid(std::string_view text) {
  const std::string option = agent::hidepid_of(text);
  require(option.empty() || text.find("hidepid=" + option) != std::string_view::npos,
          "an option that was written");
}

}  // namespace

// The input: an octet that says of what: a process's status, /proc/net/unix after the name of a
// socket and a NUL, or mountinfo.
void doctor_texts(Input input) {
  Draw draw(input);
  switch (draw.octet() % 3) {
    case 0:
      return status(draw.rest_text());
    case 1: {
      const std::string_view name = draw.text_until('\0');
      return unix_sockets(name, draw.rest_text());
    }
    default:
      return hidepid(draw.rest_text());
  }
}

}  // namespace tcpmibd::fuzz
