#include "agent/process/privileges.h"

#include <sys/capability.h>

#include "base/handle.h"

namespace tcpmibd::agent {

namespace {

using Capabilities = UniqueHandle<std::remove_pointer_t<cap_t>, cap_free>;

// Both are needed: one to list another user's descriptors, one to read where they lead.
constexpr Privilege kProcessLookup[] = {
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
};

bool held(cap_t capabilities, int capability) {
  cap_flag_value_t value = CAP_CLEAR;
  return cap_get_flag(capabilities, capability, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
}

}  // namespace

std::vector<Privilege> missing_privileges(bool process_lookup) {
  std::vector<Privilege> missing;
  if (!process_lookup)
    return missing;
  const Capabilities capabilities(cap_get_proc());
  for (const Privilege& privilege : kProcessLookup) {
    if (capabilities == nullptr || !held(capabilities.get(), privilege.capability))
      missing.push_back(privilege);
  }
  return missing;
}

std::string privilege_remark(bool process_lookup) {
  std::string names;
  for (const Privilege& privilege : missing_privileges(process_lookup))
    names += (names.empty() ? "" : " and ") + std::string(privilege.name);
  if (names.empty())
    return "";
  return "without " + names +
         " the process columns are 0 for sockets of other users' processes (grant both, or set "
         "process.lookup = false)";
}

}  // namespace tcpmibd::agent
