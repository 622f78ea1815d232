#include "kernel/proc_counters.h"

#include <cerrno>
#include <string>
#include <utility>

#include "base/read_file.h"
#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

using tcp::Counter;
using tcp::Counters;

// A kernel that has no such sysctl has given the value already. One that cannot be read makes the
// value unknown; an error is only what may be over at the next read.
Status add_rto(const std::string& file, Counter counter, void (Counters::*set)(std::string_view),
               Counters& into) {
  const Result<std::string> text = read_sysctl(file);
  if (text)
    (into.*set)(*text);
  else if (is_scarcity(text.error().code))
    return tl::unexpected(text.error());
  else if (text.error().code != ENOENT)
    into.forget(counter);
  return {};
}

Status add_rtos(const std::string& folder, Counters& into) {
  return add_rto(folder + "tcp_rto_min_us", Counter::kRtoMin, &Counters::set_rto_min, into)
      .and_then([&] {
        return add_rto(folder + "tcp_rto_max_ms", Counter::kRtoMax, &Counters::set_rto_max, into);
      });
}

}  // namespace

// Not /proc/net, which is that of the process's first thread; /proc/sys/net follows the caller.
ProcCounters::ProcCounters(std::string proc)
    : snmp_(proc + "/thread-self/net/snmp"), ipv4_(std::move(proc) + "/sys/net/ipv4/") {}

Result<Counters> ProcCounters::read() {
  Result<Counters> counters = read_file(snmp_).and_then(Counters::parse);
  if (!counters)
    return counters;
  if (const Status status = add_rtos(ipv4_, *counters); !status)
    return tl::unexpected(status.error());
  return counters;
}

}  // namespace tcpmibd::kernel
