#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "base/error.h"

namespace tcpmibd::agent {

// Bit n = capability n, CAP_… of <linux/capability.h>.
using CapabilitySet = std::uint64_t;

// A capability that a feature needs.
struct Privilege {
  int capability;
  const char* name;  // "CAP_SYS_PTRACE"
  const char* use;   // the only one, as the end of "it is held to …"
};

// The capabilities that are not in our effective set, of those the features need that are on.
std::vector<Privilege> missing_privileges(bool process_lookup);

// Of the capabilities that looking processes up needs, those that are not among `held`.
std::vector<Privilege> missing_for_lookup(CapabilitySet held);

// Whether `held` lets a BPF iterator look processes up, and connections be ended.
bool may_look_up_by_bpf(CapabilitySet held);
bool may_end_connections(CapabilitySet held);

// "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH".
std::string joined_names(const std::vector<Privilege>& privileges, std::string_view between);

// One line that says what is missing and what is lost by it; empty where nothing is.
std::string privilege_remark(bool process_lookup);

// Those of `held` that a daemon with this configuration has a use for.
std::vector<Privilege> needed_privileges(const Config& config, CapabilitySet held);

// The names of the others among `held`, in the order of their numbers.
std::vector<std::string> idle_privileges(const Config& config, CapabilitySet held);

// Gives up for good what this configuration has no use for, and the way to get anything back by
// running a program; which ones these were. Of the calling thread and those it starts from here on:
// so to be called before any is started. An error means that they are still held.
//
// In the sandbox of our unit capset(2) is not allowed, for it is among what only the privileged
// need. There the same program is started once more, by `argv`, without what is to be given up:
// the ambient set, which a start passes on, can be narrowed without it.
Result<CapabilitySet> drop_privileges(const Config& config, const char* const* argv);

// Whether `config` can be applied by a daemon that has given up `dropped`. The error names what it
// needs of that.
Status check_privileges(const Config& config, CapabilitySet dropped);

}  // namespace tcpmibd::agent
