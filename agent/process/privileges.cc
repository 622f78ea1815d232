#include "agent/process/privileges.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/handle.h"
#include "base/words.h"

namespace tcpmibd::agent {

namespace {

using Capabilities = UniqueHandle<std::remove_pointer_t<cap_t>, cap_free>;
using Text = UniqueHandle<char, cap_free>;

constexpr CapabilitySet bit(int capability) { return CapabilitySet{1} << capability; }

constexpr CapabilitySet kBpf = bit(CAP_BPF) | bit(CAP_PERFMON);

bool may_delete(const Config& config) {
  return config.delete_tcb.policy != tcp::DeletionPolicy::kOff;
}

bool uses_bpf(const Config& config) { return config.process.lookup || config.ends.watch; }

// The port of "udp:127.0.0.1:1161" and "1161"; 0 where none is written, for then it is 161.
unsigned port_in(std::string_view address) {
  return number<unsigned>(address.substr(address.rfind(':') + 1)).value_or(0);
}

bool listens_low(const Config& config) {
  return std::ranges::any_of(config.standalone.addresses,
                             [](const std::string& address) { return port_in(address) < 1024; });
}

// The master's socket, or the folder of the state.
bool opens_files_of_others(const Config& config) {
  return !config.standalone.addresses.empty() ||
         config.agentx.address.find('/') != std::string::npos;
}

struct Rule {
  Privilege privilege;
  bool (*needed)(const Config& config, CapabilitySet held);
};

// Everything that this daemon can ever use. What is missing here is given up.
constexpr Rule kRules[] = {
    {{CAP_NET_ADMIN, "CAP_NET_ADMIN", "end connections, for delete-tcb.policy allows it"},
     [](const Config& config, CapabilitySet) { return may_delete(config); }},
    // The record of a deletion names the owner whatever process.lookup says.
    {{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "read which sockets other users' processes hold"},
     [](const Config& config, CapabilitySet held) {
       return config.process.lookup || (may_delete(config) && may_end_connections(held));
     }},
    {{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "list the descriptors of other users' processes"},
     [](const Config& config, CapabilitySet) { return config.process.lookup; }},
    {{CAP_BPF, "CAP_BPF", "look processes up and watch connections end by BPF"},
     [](const Config& config, CapabilitySet) { return uses_bpf(config); }},
    {{CAP_PERFMON, "CAP_PERFMON", "let those BPF programs read the kernel's structures"},
     [](const Config& config, CapabilitySet) { return uses_bpf(config); }},
    {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "use BPF without CAP_BPF and CAP_PERFMON"},
     [](const Config& config, CapabilitySet held) {
       return uses_bpf(config) && (held & kBpf) != kBpf;
     }},
    {{CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "listen on a port below 1024"},
     [](const Config& config, CapabilitySet) { return listens_low(config); }},
    {{CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE",
      "reach a master's socket, or a state folder, of another user"},
     [](const Config& config, CapabilitySet) { return opens_files_of_others(config); }},
};

// Both are needed: one to list another user's descriptors, one to read where they lead.
constexpr int kProcessLookup[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

CapabilitySet set_of(cap_t capabilities, cap_flag_t flag) {
  CapabilitySet set = 0;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    cap_flag_value_t value = CAP_CLEAR;
    if (cap_get_flag(capabilities, capability, flag, &value) == 0 && value == CAP_SET)
      set |= bit(capability);
  }
  return set;
}

CapabilitySet ours(cap_flag_t flag) {
  const Capabilities capabilities(cap_get_proc());
  return capabilities == nullptr ? 0 : set_of(capabilities.get(), flag);
}

CapabilitySet set_of(const std::vector<Privilege>& privileges) {
  CapabilitySet set = 0;
  for (const Privilege& privilege : privileges)
    set |= bit(privilege.capability);
  return set;
}

// "CAP_SYS_TIME"; a number where libcap is older than the kernel.
std::string capability_name(int capability) {
  const Text name(cap_to_name(capability));
  std::string text = name == nullptr ? std::to_string(capability) : name.get();
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// After this no program that is run could have what we have given up: neither by its file nor as
// one of root.
void close_the_way_back() {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  cap_reset_ambient();
}

// By CAP_SETPCAP only, so before that is given up, too; whoever lacks it is no root of the usual
// kind.
void narrow_bounding_set(CapabilitySet kept) {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept & bit(capability)) == 0)
      cap_drop_bound(capability);
  }
}

// Whether the sets of this thread have become what is to be kept.
bool keep_only(cap_t capabilities, CapabilitySet kept) {
  cap_clear_flag(capabilities, CAP_INHERITABLE);
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept & bit(capability)) != 0)
      continue;
    cap_set_flag(capabilities, CAP_EFFECTIVE, 1, &capability, CAP_CLEAR);
    cap_set_flag(capabilities, CAP_PERMITTED, 1, &capability, CAP_CLEAR);
  }
  return cap_set_proc(capabilities) == 0;
}

// Names to the program that is started once more what has been given up, in hexadecimal.
constexpr const char* kGivenUp = "TCPMIBD_GIVEN_UP";

// Taken out of the environment; none: this is the first start.
std::optional<CapabilitySet> given_up_before() {
  const char* text = std::getenv(kGivenUp);
  if (text == nullptr)
    return std::nullopt;
  const std::string digits = text;
  ::unsetenv(kGivenUp);
  return number<CapabilitySet>(digits, 16).value_or(0);
}

std::string hexadecimal(CapabilitySet set) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), set, 16);
  return {digits.begin(), end};
}

// Of a superuser a program that is started has everything anew: there this is no way.
bool is_passed_on_by_the_ambient_set_alone() { return ::getuid() != 0 && ::geteuid() != 0; }

// The file of this program, by its name and not as /proc/self/exe, which would become the name of
// the process.
std::string program() {
  std::array<char, PATH_MAX> path;
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

// Returns only if that is not possible.
void start_again_without(CapabilitySet dropped, const char* const* argv) {
  if (!is_passed_on_by_the_ambient_set_alone())
    return;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((dropped & bit(capability)) != 0)
      cap_set_ambient(capability, CAP_CLEAR);
  }
  ::setenv(kGivenUp, hexadecimal(dropped).c_str(), 1);
  // execv() changes nothing of what its type lets it change.
  ::execv(program().c_str(), const_cast<char* const*>(argv));  // NOLINT(*-const-cast)
  ::unsetenv(kGivenUp);
}

}  // namespace

std::vector<Privilege> missing_for_lookup(CapabilitySet held) {
  std::vector<Privilege> missing;
  for (const Rule& rule : kRules) {
    if (std::ranges::count(kProcessLookup, rule.privilege.capability) != 0 &&
        (held & bit(rule.privilege.capability)) == 0)
      missing.push_back(rule.privilege);
  }
  return missing;
}

std::vector<Privilege> missing_privileges(bool process_lookup) {
  return process_lookup ? missing_for_lookup(ours(CAP_EFFECTIVE)) : std::vector<Privilege>();
}

bool may_look_up_by_bpf(CapabilitySet held) {
  return (held & kBpf) == kBpf || (held & bit(CAP_SYS_ADMIN)) != 0;
}

bool may_end_connections(CapabilitySet held) { return (held & bit(CAP_NET_ADMIN)) != 0; }

std::string joined_names(const std::vector<Privilege>& privileges, std::string_view between) {
  std::string names;
  for (const Privilege& privilege : privileges)
    names += std::string(names.empty() ? "" : between) + privilege.name;
  return names;
}

std::string privilege_remark(bool process_lookup) {
  const std::string names = joined_names(missing_privileges(process_lookup), " and ");
  if (names.empty())
    return "";
  return "without " + names +
         " the process columns are 0 for sockets of other users' processes (grant both, or set "
         "process.lookup = false)";
}

std::vector<Privilege> needed_privileges(const Config& config, CapabilitySet held) {
  std::vector<Privilege> needed;
  for (const Rule& rule : kRules) {
    if ((held & bit(rule.privilege.capability)) != 0 && rule.needed(config, held))
      needed.push_back(rule.privilege);
  }
  return needed;
}

std::vector<std::string> idle_privileges(const Config& config, CapabilitySet held) {
  const CapabilitySet idle = held & ~set_of(needed_privileges(config, held));
  std::vector<std::string> names;
  for (int capability = 0; capability < 64; ++capability) {
    if ((idle & bit(capability)) != 0)
      names.push_back(capability_name(capability));
  }
  return names;
}

Result<CapabilitySet> drop_privileges(const Config& config, const char* const* argv) {
  const Capabilities capabilities(cap_get_proc());
  if (capabilities == nullptr)
    return failure("read our capabilities", errno);
  const std::optional<CapabilitySet> before = given_up_before();
  const CapabilitySet held = set_of(capabilities.get(), CAP_PERMITTED);
  const CapabilitySet needed = set_of(needed_privileges(config, held));
  const CapabilitySet dropped = held & ~needed;
  narrow_bounding_set(needed);
  const bool kept_only = keep_only(capabilities.get(), needed);
  const int code = errno;
  if (!kept_only && dropped != 0 && !before)
    start_again_without(dropped, argv);
  close_the_way_back();
  if (!kept_only && dropped != 0)
    return failure("give up capabilities that this configuration has no use for", code,
                   "do not grant them, or let SystemCallFilter= of the unit pass capset");
  return dropped | before.value_or(0);
}

Status check_privileges(const Config& config, CapabilitySet dropped) {
  std::vector<Privilege> lost = needed_privileges(config, dropped | ours(CAP_PERMITTED));
  std::erase_if(lost, [&](const Privilege& each) { return (dropped & bit(each.capability)) == 0; });
  if (lost.empty())
    return {};
  return failure("apply the new configuration: it needs " + joined_names(lost, " and ") +
                     ", given up at the start, when nothing needed it",
                 0, "restart tcpmibd");
}

}  // namespace tcpmibd::agent
