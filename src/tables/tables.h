#pragma once

#include <memory>
#include <span>

#include "tables/data.h"

// Each table's specification stands in the file of its name; registry.cc lists them all.

namespace tcpmibd::tables {

template <typename Row>
std::unique_ptr<Managed> table(const snmp::TableSpec<Row, Data>& spec) {
  return std::make_unique<snmp::Table<Row, Data>>(spec);
}

// TCP-MIB.
extern const snmp::TableSpec<tcp::Connection, Data> kTcpConnTable;
extern const snmp::TableSpec<tcp::Connection, Data> kTcpConnectionTable;
extern const snmp::TableSpec<tcp::Listener, Data> kTcpListenerTable;

// Children of `tcp` (1.3.6.1.2.1.6), ascending.
std::span<const snmp::ScalarSpec<Data>> tcp_scalars();

// TCPMIBD-MIB. Children of tcpmibdAgent, of tcpmibdPressure, of tcpmibdObjects and of tcpmibdEnds,
// ascending.
std::span<const snmp::ScalarSpec<Data>> agent_scalars();
std::span<const snmp::ScalarSpec<Data>> pressure_scalars();
std::span<const snmp::ScalarSpec<Data>> alarm_scalars();
std::span<const snmp::ScalarSpec<Data>> ends_scalars();

std::unique_ptr<Managed> state_table();
std::unique_ptr<Managed> age_table();
std::unique_ptr<Managed> port_table();
std::unique_ptr<Managed> listener_table();
std::unique_ptr<Managed> unit_table();
std::unique_ptr<Managed> process_table();
std::unique_ptr<Managed> remote_table();
std::unique_ptr<Managed> alarm_table();
std::unique_ptr<Managed> ended_table();
std::unique_ptr<Managed> reason_table();
std::unique_ptr<Managed> port_ends_table();
std::unique_ptr<Managed> remote_ends_table();
std::unique_ptr<Managed> closed_port_table();

}  // namespace tcpmibd::tables
