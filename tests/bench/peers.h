#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/netns.h"
#include "support/process.h"
#include "support/temp_folder.h"

// What a user would pick instead of tcpmibd. Each counts the established sockets of a namespace, so
// that an answer can be seen to be right; those that a machine may lack say whether they are there.

namespace tcpmibd::bench {

// `ss`, run to its end.
class Ss {
 public:
  enum class Processes { kNo, kYes };  // -Htan, -Htanp

  Ss(const lab::Namespace& space, Processes processes) : space_(&space), processes_(processes) {}

  // How many lines it wrote.
  long count() const;

 private:
  const lab::Namespace* space_;
  Processes processes_;
};

// Prometheus' node_exporter with the collector tcpstat and no other, scraped over HTTP.
class NodeExporter {
 public:
  static constexpr const char* kName = "node_exporter";

  explicit NodeExporter(const lab::Namespace& space);

  static bool is_installed();

  // Every state by one scrape; those that are established.
  long count() const;

 private:
  const lab::Namespace* space_;
  lab::Child child_;
};

// Zabbix agent 2, asked as a server asks: by passive checks over TCP, a connection each.
class ZabbixAgent {
 public:
  static constexpr const char* kName = "Zabbix agent 2";

  explicit ZabbixAgent(const lab::Namespace& space);

  static bool is_installed();

  // Each of the eleven states by a check of its own; those that are established.
  long count() const;

 private:
  std::string check(std::string_view key) const;

  const lab::Namespace* space_;
  lab::TempFolder folder_;
  lab::Child child_;
};

}  // namespace tcpmibd::bench
