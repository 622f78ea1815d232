#include "tables/columns.h"
#include "tables/index.h"
#include "tables/tables.h"

// tcpConnTable, deprecated, IPv4 only                 TCP-MIB, RFC 4022: { tcp 13 }
//
// Unlike its successor it shows listeners too, with the remote end 0.0.0.0:0, and its index
// columns can be read.

namespace tcpmibd::tables {

namespace {

using tcp::Connection;

snmp::IpAddress ip_address(const tcp::InetAddress& address) {
  snmp::IpAddress value{};
  std::copy_n(address.octets.begin(), value.octets.size(), value.octets.begin());
  return value;
}

std::optional<Value> conn_state(const Connection& row, const Data&) {
  return state_value(*row.details);
}
std::optional<Value> local_address(const Connection& row, const Data&) {
  return ip_address(row.local);
}
std::optional<Value> local_port(const Connection& row, const Data&) {
  return snmp::Integer{row.local_port};
}
std::optional<Value> remote_address(const Connection& row, const Data&) {
  return ip_address(row.remote);
}
std::optional<Value> remote_port(const Connection& row, const Data&) {
  return snmp::Integer{row.remote_port};
}

void conn_index(const Connection& row, snmp::Oid& index) {
  append_ipv4(row.local, index);
  index.append(row.local_port);
  append_ipv4(row.remote, index);
  index.append(row.remote_port);
}

// clang-format off
constexpr snmp::Column<Connection, Data> kConnColumns[] = {
    // id  name                   syntax             access              read    check
    {1, "tcpConnState",        Syntax::kInteger,   Access::kReadWrite, &conn_state, &delete_tcb_only},
    {2, "tcpConnLocalAddress", Syntax::kIpAddress, Access::kReadOnly,  &local_address},
    {3, "tcpConnLocalPort",    Syntax::kInteger,   Access::kReadOnly,  &local_port},
    {4, "tcpConnRemAddress",   Syntax::kIpAddress, Access::kReadOnly,  &remote_address},
    {5, "tcpConnRemPort",      Syntax::kInteger,   Access::kReadOnly,  &remote_port},
};
// clang-format on
static_assert(std::ranges::is_sorted(kConnColumns, {}, &snmp::Column<Connection, Data>::id));

std::span<const tcp::Ipv4Row> listeners(const Data& data) {
  return data.snapshot->legacy_listeners();
}

// Connections and listeners interleave: a listener's index ends in 0.0.0.0.0.
constexpr snmp::Run<Connection, Data> kConnRuns[] = {
    {.size = [](const Data& data) { return data.snapshot->ipv4().size(); },
     .at = [](const Data& data, std::size_t i) { return decoded(data.snapshot->ipv4()[i]); }},
    {.size = [](const Data& data) { return listeners(data).size(); },
     .at = [](const Data& data, std::size_t i) { return decoded(listeners(data)[i]); }},
};

constexpr SubId kConnRoot[] = {1, 3, 6, 1, 2, 1, 6, 13};

}  // namespace

const snmp::TableSpec<Connection, Data> kTcpConnTable{
    .name = "tcpConnTable",
    .root = kConnRoot,
    .columns = kConnColumns,
    .runs = kConnRuns,
    .index = &conn_index,
    .needs = {.rows = true},
    .question = &legacy_question,
};

}  // namespace tcpmibd::tables
