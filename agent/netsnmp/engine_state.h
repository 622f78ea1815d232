#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// What SNMPv3 demands an agent to remember (RFC 3414, 2.2): who it is, and how often it has been
// started as that. A manager refuses an agent whose count goes back, for it may be an old message
// played again; so the count is raised and on disk before the first answer.
//
// Damaged or worn out (the count ends at 2^31-1), the state is replaced by a new identity: an old
// one with a lower count is never used again.
class EngineState {
 public:
  // Reads the state in `folder`, which is made when missing, raises the count and writes it back.
  // Holds the folder against other processes: two agents must not be one engine.
  static Result<EngineState> raise(const std::string& folder);

  const std::string& id() const { return id_; }   // hexadecimal
  std::uint32_t boots() const { return boots_; }  // of this run

 private:
  EngineState(FileDescriptor folder, std::string id, std::uint32_t boots)
      : folder_(std::move(folder)), id_(std::move(id)), boots_(boots) {}

  FileDescriptor folder_;  // locked
  std::string id_;
  std::uint32_t boots_;
};

// Where the state is kept: `configured`, else $STATE_DIRECTORY, else /var/lib/tcpmibd if that can
// be written, else $XDG_STATE_HOME/tcpmibd or ~/.local/state/tcpmibd.
std::string engine_state_folder(std::string_view configured);

}  // namespace tcpmibd::agent
