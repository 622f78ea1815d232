#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "agent/commands/show/metrics.h"
#include "support/builders.h"

// docs/tables.md says what the registry says.

namespace tcpmibd::tables {
namespace {

std::filesystem::path document() {
  return std::filesystem::path(TCPMIBD_SOURCE_DIR) / "docs" / "tables.md";
}

constexpr const char* kIntroduction =
    "# Tables\n"
    "\n"
    "Every object that tcpmibd serves, as its descriptors in `src/tables` have it; a test writes "
    "this\n"
    "page and compares it, so that it cannot be out of date. A not-accessible column is part of "
    "the\n"
    "index and appears only in the names of the others. Syntaxes are those on the wire: an\n"
    "enumeration travels as Integer32, an Unsigned32 as Gauge32. What the objects mean is "
    "described in\n"
    "RFC 4022 and in `mib/TCPMIBD-MIB.txt`. The metric is what `tcpmibd show --openmetrics` and\n"
    "`--prometheus` make of it, with the labels of its row, in base units: seconds, bytes, ratios "
    "of 1.\n"
    "Of ports, listeners, processes and remote addresses they print the 128 worst, and count the "
    "rest in\n"
    "`tcpmibd_ports_left_out` and its like.\n"
    "\n"
    "Rows below 1.3.6.1.2.1.6 are what the kernel says of TCP, subflows of MPTCP among them. The "
    "other\n"
    "tables count an MPTCP connection once, in its own state, and its subflows not: see\n"
    "[tcpmibd-mib.md](tcpmibd-mib.md#mptcp), also for what cannot be seen of it.\n";

constexpr const char* kMeaning =
    "\n"
    "## What Linux means by some of them\n"
    "\n"
    "- **tcpRtoMin, tcpRtoMax** are what connections begin with: `net.ipv4.tcp_rto_min_us` (since\n"
    "  Linux 6.11, parts of a millisecond rounded up) and `net.ipv4.tcp_rto_max_ms` (since 6.15).\n"
    "  Older kernels have constants, 200 ms and 120 s, in `/proc/net/snmp`, where newer ones "
    "still\n"
    "  print them whatever is set. A route's `rto_min` (`ip route`) and what a program sets for "
    "its\n"
    "  socket (`TCP_RTO_MIN_US`, `TCP_RTO_MAX_MS`, BPF) go before: a connection may have less "
    "than\n"
    "  tcpRtoMin, or more than tcpRtoMax. `ss -ti` shows its `rto`.\n"
    "- **tcpAttemptFails** has no attempt that the program gave up itself. A socket that is "
    "closed\n"
    "  in SYN_SENT, as by a timeout of the program's own, leaves no trace but in tcpActiveOpens. "
    "One\n"
    "  that is refused, or that the kernel gives up, counts.\n"
    "- **tcpEstabResets** counts ends: a connection over the loopback that is reset is two.\n"
    "- **A connection that was reset has no row**, though its program may keep the descriptor. No\n"
    "  socket dump has it, so no table has: see\n"
    "  [tcpmibd-mib.md](tcpmibd-mib.md#what-no-count-shows).\n";

constexpr const char* kHead =
    "\n"
    "| OID | name | syntax | access | metric |\n"
    "|---|---|---|---|---|\n";

std::string metric_cell(std::string_view object) {
  const std::string metric = agent::metric_of(object);
  return metric.starts_with("tcpmibd_") ? '`' + metric + '`' : metric;
}

std::string line(const snmp::ObjectInfo& object) {
  const auto cell = [](std::string_view text) { return " " + std::string(text) + " |"; };
  return "|" + cell(object.oid.text()) + cell(object.name) + cell(snmp::name_of(object.syntax)) +
         cell(snmp::name_of(object.access)) + cell(metric_cell(object.name)) + "\n";
}

// Scalars stand in one table, for each is one line.
std::string generated() {
  std::string scalars = std::string("\n## Scalars\n") + kHead;
  std::string tables;
  for (const Entry& entry : registry()) {
    if (entry.object->is_table())
      tables += "\n## " + std::string(entry.object->name()) + "\n" + kHead;
    for (const snmp::ObjectInfo& object : entry.object->objects())
      (entry.object->is_table() ? tables : scalars) += line(object);
  }
  return kIntroduction + scalars + tables + kMeaning;
}

TEST(TablesDocument, SaysWhatTheRegistrySays) {
  if (const char* wish = std::getenv("TCPMIBD_REGENERATE"); wish != nullptr && *wish == '1')
    std::ofstream(document()) << generated();
  std::ostringstream written;
  written << std::ifstream(document()).rdbuf();
  EXPECT_EQ(written.str(), generated()) << "TCPMIBD_REGENERATE=1 makes this test write it anew";
}

}  // namespace
}  // namespace tcpmibd::tables
