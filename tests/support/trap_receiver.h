#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/netns.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace tcpmibd::lab {

// A real snmptrapd on the loopback of a namespace. It takes everything from everybody, and knows no
// MIB: names and values are numbers.
class TrapReceiver {
 public:
  TrapReceiver(const Namespace& space, std::uint16_t port);

  // What it has written so far: a line that begins with the time, and a line of bindings, for each.
  std::string text() const { return child_.out(); }

  // How many of them contain `part`.
  long count(std::string_view part) const;

  // Waits until there is one.
  bool hears(std::string_view part) const;

 private:
  TempFolder folder_;
  Child child_;
};

// None where snmptrapd can be run.
const std::optional<std::string>& trap_receiver_skip_reason();

}  // namespace tcpmibd::lab
