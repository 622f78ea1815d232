#include "tables/registry.h"

#include <memory>
#include <vector>

#include "tables/arc.h"
#include "tables/columns.h"
#include "tables/tables.h"

namespace tcpmibd::tables {

namespace {

// The objects live as long as the program, like the specifications they wrap.
class Registry {
 public:
  Registry() {
    add(Group::kScalars, kTcp, tcp_scalars());
    add(Group::kLegacy, table(kTcpConnTable));
    add(Group::kConnections, table(kTcpConnectionTable));
    add(Group::kListeners, table(kTcpListenerTable));
    add(Group::kTcpmibd, own({1, 1}), agent_scalars());
    add(Group::kTcpmibd, own({1, 9}), pressure_scalars());
    add(Group::kTcpmibd, own({1}), alarm_scalars());
    add(Group::kTcpmibd, own({1, 13}), ends_scalars());
    for (const auto make : {state_table, age_table, port_table, listener_table, unit_table,
                            process_table, remote_table, alarm_table, ended_table, reason_table,
                            port_ends_table, remote_ends_table, closed_port_table})
      add(Group::kTcpmibd, make());
    std::ranges::sort(entries_, {}, [](const Entry& entry) { return entry.object->root(); });
  }

  std::span<const Entry> entries() const { return entries_; }

 private:
  void add(Group group, snmp::OidView parent, std::span<const snmp::ScalarSpec<Data>> scalars) {
    for (const snmp::ScalarSpec<Data>& scalar : scalars)
      add(group, std::make_unique<snmp::Scalar<Data>>(parent, scalar));
  }

  void add(Group group, std::unique_ptr<Managed> object) {
    entries_.push_back({group, object.get()});
    objects_.push_back(std::move(object));
  }

  std::vector<std::unique_ptr<Managed>> objects_;
  std::vector<Entry> entries_;
};

}  // namespace

std::span<const Entry> registry() {
  static const Registry registry;
  return registry.entries();
}

}  // namespace tcpmibd::tables
