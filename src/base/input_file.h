#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd {

// A text file that somebody else may have put in place: whatever stands there, reading it neither
// waits nor goes on without end, and what is no text is refused.
struct InputFile {
  // Who may be able to write it.
  enum class Writers : std::uint8_t {
    kAnybody,
    // For what we act on: root and our own effective user as its owner, the group of either.
    // Access control lists are covered, for the group's bits are then their mask.
    kTrusted,
  };

  std::string name;               // its path
  std::string_view role = {};     // "access file "; before the name in messages
  std::size_t most = 256 * 1024;  // octets
  Writers writers = Writers::kTrusted;
};

// All of it. An error names the file, what is the matter, and the cure; its code is ENOENT where
// there is none, EISDIR for a folder, EFBIG for one too large.
//
// What is asked is asked of the opened file, so that nobody can exchange it in between. Opening a
// device may already move it: it is looked at before, too.
Result<std::string> read_input(const InputFile& file);

// The same of an entry of the opened `folder`; file.name is then for messages alone.
Result<std::string> read_input(const FileDescriptor& folder, const char* entry,
                               const InputFile& file);

// Whether none but root and we can put files into `folder`; ENOENT where there is none.
Status judge_folder(const std::string& folder);

}  // namespace tcpmibd
