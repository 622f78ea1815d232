#pragma once

#include <string>
#include <vector>

namespace tcpmibd::agent {

// A capability that a feature needs.
struct Privilege {
  int capability;    // CAP_… of <linux/capability.h>
  const char* name;  // "CAP_SYS_PTRACE"
};

// The capabilities that are not in our effective set, of those the features need that are on.
std::vector<Privilege> missing_privileges(bool process_lookup);

// One line that says what is missing and what is lost by it; empty where nothing is.
std::string privilege_remark(bool process_lookup);

}  // namespace tcpmibd::agent
