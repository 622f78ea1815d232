#include "kernel/proc_pressure.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/read_file.h"
#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

using tcp::Pressure;

std::uint64_t page_size() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

Status add_port_range(const std::string& folder, Pressure& into) {
  return read_sysctl(folder + "ip_local_port_range").and_then([&](const std::string& range) {
    return read_sysctl(folder + "ip_local_reserved_ports")
        .and_then(
            [&](const std::string& reserved) { return tcp::add_ephemeral(range, reserved, into); });
  });
}

// Before Linux 6.14 the delay was a second, and no sysctl.
Status add_reuse(const std::string& folder, Pressure& into) {
  return read_sysctl(folder + "tcp_tw_reuse").and_then([&](const std::string& reuse) -> Status {
    const Result<std::string> delay = read_sysctl(folder + "tcp_tw_reuse_delay");
    if (!delay && delay.error().code != ENOENT)
      return tl::unexpected(delay.error());
    return tcp::add_time_wait_reuse(reuse, delay ? *delay : "1000", into);
  });
}

// What a read has come to: a success if any part of it was one, else why the first was none.
class ReadOutcome {
 public:
  void add(const Status& part) {
    any_ = any_ || part;
    if (!part && !first_failure_)
      first_failure_ = part.error();
  }

  Result<Pressure> of(Pressure pressure) && {
    if (!any_ && first_failure_)
      return tl::unexpected(std::move(*first_failure_));
    return pressure;
  }

 private:
  bool any_ = false;
  std::optional<Error> first_failure_;
};

}  // namespace

// Not /proc/net, which is that of the process's first thread; /proc/sys/net follows the caller.
ProcPressure::ProcPressure(std::string proc)
    : net_(proc + "/thread-self/net/"), ipv4_(std::move(proc) + "/sys/net/ipv4/") {}

Result<Pressure> ProcPressure::read() {
  Pressure pressure;
  ReadOutcome outcome;
  const auto add = [&](const Result<std::string>& text, auto&& take) {
    outcome.add(text.and_then([&](const std::string& content) { return take(content, pressure); }));
  };
  const auto with_pages = [](auto* take) {
    return
        [take](const std::string& text, Pressure& into) { return take(text, page_size(), into); };
  };
  add(read_file(net_ + "sockstat"), with_pages(&tcp::add_sockstat));
  add(read_file(net_ + "netstat"), &tcp::add_netstat);
  add(read_sysctl(ipv4_ + "tcp_max_orphans"), &tcp::add_max_orphans);
  add(read_sysctl(ipv4_ + "tcp_max_tw_buckets"), &tcp::add_max_time_waits);
  add(read_sysctl(ipv4_ + "tcp_fin_timeout"), &tcp::add_fin_timeout);
  add(read_sysctl(ipv4_ + "tcp_timestamps"), &tcp::add_timestamps);
  add(read_sysctl(ipv4_ + "tcp_mem"), with_pages(&tcp::add_memory_limits));
  outcome.add(add_port_range(ipv4_, pressure));
  outcome.add(add_reuse(ipv4_, pressure));
  return std::move(outcome).of(std::move(pressure));
}

std::optional<std::uint64_t> ProcPressure::listen_drops() {
  Pressure pressure;
  if (const Result<std::string> text = read_file(net_ + "netstat"))
    (void)tcp::add_netstat(*text, pressure);
  return pressure.listen_drops;
}

}  // namespace tcpmibd::kernel
