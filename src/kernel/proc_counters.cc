#include "kernel/proc_counters.h"

#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

Result<tcp::Counters> ProcCounters::read() {
  return read_proc_file("/proc/net/snmp").and_then(tcp::Counters::parse);
}

}  // namespace tcpmibd::kernel
