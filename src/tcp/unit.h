#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tcpmibd::tcp {

inline constexpr std::string_view kUnknownUnit = "unknown";
inline constexpr std::size_t kUnitNameMax = 64;  // octets

// The systemd unit that a cgroup belongs to, by its path below the root of the tree. It is the
// unit of the host's service manager, a name that `systemctl status` takes, as `ps -o unit` shows
// it; or else the container or machine:
//
//   /system.slice/nginx.service                             nginx.service
//   /system.slice/system-getty.slice/getty@tty1.service     getty@tty1.service
//   /user.slice/user-1000.slice/session-3.scope             user-1000.slice
//   /user.slice/user-1000.slice/user@1000.service/app.slice/a.service   user@1000.service
//   /system.slice/docker-0123456789abcdef….scope            docker-0123456789ab
//   /docker/0123456789abcdef…                               docker-0123456789ab
//   /kubepods/burstable/pod7/0123456789abcdef…              kubepods-0123456789ab
//   /user.slice/…/user@1000.service/user.slice/libpod-0123456789abcdef….scope
//                                                           user@1000/libpod-0123456789ab
//   /machine.slice/machine-web.scope/payload/system.slice/nginx.service   machine-web
//   /lxc.payload.web/system.slice/nginx.service             lxc-web
//   /init.scope                                             init.scope
//   /                                                       /
//
// - Slices are gone down through to the innermost; the first unit of another kind ends the way.
//   What is below it was handed over to another manager (a user's, a container's), whose units may
//   bear the names of the host's.
// - A container engine names a cgroup after the container: a scope (cgroup driver "systemd") or a
//   plain cgroup ("cgroupfs") with 64 hexadecimal digits, the engine's name before them, or none.
//   The first twelve digits are shown, as the engines' own lists do, with that name or else the
//   first of the path. Of a user's containers the user's manager stands before it: the user makes
//   those names.
// - A scope that systemd-machined made, or that lies in its slice, is a machine with its own name.
// - Any other scope is made for one run and named after it: it counts for its slice, the last
// before
//   it. A scope outside every slice keeps its own name.
// - Escapes (\x2d) are part of a unit's name. The underscore before a name that the kernel might
//   take for a file of its own (_cpu.service) is of the cgroup alone and is left out.
// - Where there is none of these, the last component of the path; "/" for the root.
//
// Printable, between 1 and kUnitNameMax octets; names that differ only later become one.
std::string unit_name(std::string_view cgroup_path);

}  // namespace tcpmibd::tcp
