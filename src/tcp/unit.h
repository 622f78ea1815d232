#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tcpmibd::tcp {

inline constexpr std::string_view kUnknownUnit = "unknown";
inline constexpr std::size_t kUnitNameMax = 64;  // octets

// The systemd unit that a cgroup belongs to, by its path below the root of the tree. It is the
// unit of the host's service manager, a name that `systemctl status` takes, as `ps -o unit` shows
// it:
//
//   /system.slice/nginx.service                             nginx.service
//   /system.slice/system-getty.slice/getty@tty1.service     getty@tty1.service
//   /user.slice/user-1000.slice/session-3.scope             user-1000.slice
//   /user.slice/user-1000.slice/user@1000.service/app.slice/a.service   user@1000.service
//   /machine.slice/machine-web.scope/payload/system.slice/nginx.service   machine.slice
//   /init.scope                                             init.scope
//   /docker/0f12                                            0f12
//   /                                                       /
//
// - Slices are gone down through to the innermost; the first unit of another kind ends the way.
//   What is below it was handed over to another manager (a user's, a container's), whose units may
//   bear the names of the host's.
// - A scope is made for one run and named after it: it counts for its slice, the last before it. A
//   scope outside every slice keeps its own name.
// - Escapes (\x2d) are part of a unit's name. The underscore before a name that the kernel might
//   take for a file of its own (_cpu.service) is of the cgroup alone and is left out.
// - Where there is no unit, the last component of the path; "/" for the root.
//
// Between 1 and kUnitNameMax octets, cut between characters; names that differ only later become
// one.
std::string unit_name(std::string_view cgroup_path);

}  // namespace tcpmibd::tcp
