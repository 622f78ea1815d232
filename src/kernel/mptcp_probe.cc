#include "kernel/mptcp_probe.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <utility>

#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

// The whole file, from its beginning; nothing where a read fails, or where there is more than any
// kernel writes.
std::string text_of(int file) {
  constexpr std::size_t kMost = 256 * 1024;
  std::string text;
  std::array<char, 4096> block;
  while (text.size() < kMost) {
    const ssize_t size = read_at(file, block, text.size());
    if (size <= 0)
      return size == 0 ? text : std::string();
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace

Result<MptcpProbe> MptcpProbe::open() {
  utsname name{};
  if (::uname(&name) != 0)
    return failure("ask for the kernel's release", errno);
  return open("/proc/thread-self/net", name.release);
}

Result<MptcpProbe> MptcpProbe::open(const std::string& net, std::string_view release) {
  const bool counts = tcp::counts_mptcp_sockets(release);
  const std::string path = net + (counts ? "/protocols" : "/netstat");
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && is_scarcity(errno))
    return failure("open " + path, errno);
  return MptcpProbe(std::move(file), counts ? tcp::mptcp_by_protocols : tcp::mptcp_by_netstat);
}

// A kernel that has no MPTCP gets none while it runs.
tcp::MptcpPresence MptcpProbe::look() {
  if (absent_ || !file_)
    return absent_ ? tcp::MptcpPresence::kAbsent : tcp::MptcpPresence::kUnknown;
  const tcp::MptcpPresence presence = read_(text_of(file_.get()));
  absent_ = presence == tcp::MptcpPresence::kAbsent;
  return presence;
}

}  // namespace tcpmibd::kernel
