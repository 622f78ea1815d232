#include "kernel/mptcp_probe.h"

#include <sys/utsname.h>

#include <cerrno>
#include <utility>

#include "base/read_file.h"

namespace tcpmibd::kernel {

Result<MptcpProbe> MptcpProbe::open() {
  utsname name{};
  if (::uname(&name) != 0)
    return failure("ask for the kernel's release", errno);
  return open("/proc/thread-self/net", name.release);
}

Result<MptcpProbe> MptcpProbe::open(const std::string& net, std::string_view release) {
  const bool counts = tcp::counts_mptcp_sockets(release);
  const std::string path = net + (counts ? "/protocols" : "/netstat");
  Result<FileDescriptor> file = open_to_read(path);
  if (!file && is_scarcity(file.error().code))
    return tl::unexpected(file.error());
  return MptcpProbe(std::move(file).value_or(FileDescriptor()),
                    counts ? tcp::mptcp_by_protocols : tcp::mptcp_by_netstat);
}

// A kernel that has no MPTCP gets none while it runs.
tcp::MptcpPresence MptcpProbe::look() {
  if (absent_ || !file_)
    return absent_ ? tcp::MptcpPresence::kAbsent : tcp::MptcpPresence::kUnknown;
  constexpr std::size_t kMost = 256 * 1024;  // octets; more than any kernel writes
  const tcp::MptcpPresence presence =
      read_(read_opened(file_.get(), "what counts MPTCP", kMost).value_or(""));
  absent_ = presence == tcp::MptcpPresence::kAbsent;
  return presence;
}

}  // namespace tcpmibd::kernel
