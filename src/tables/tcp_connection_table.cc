#include "tables/columns.h"
#include "tables/index.h"
#include "tables/tables.h"

// tcpConnectionTable                                  TCP-MIB, RFC 4022: { tcp 19 }

namespace tcpmibd::tables {

namespace {

using tcp::Connection;

std::optional<Value> connection_state(const Connection& row, const Data&) {
  return state_value(*row.details);
}
std::optional<Value> process(const Connection& row, const Data& data) {
  return process_value(*row.details, data);
}

void connection_index(const Connection& row, snmp::Oid& index) {
  append_address(row.local, index);
  index.append(row.local_port);
  append_address(row.remote, index);
  index.append(row.remote_port);
}

// clang-format off
constexpr snmp::Column<Connection, Data> kConnectionColumns[] = {
    // id  name                             syntax              access                   read    check
    {1, "tcpConnectionLocalAddressType", Syntax::kInteger,     Access::kNotAccessible, nullptr},
    {2, "tcpConnectionLocalAddress",     Syntax::kOctetString, Access::kNotAccessible, nullptr},
    {3, "tcpConnectionLocalPort",        Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    {4, "tcpConnectionRemAddressType",   Syntax::kInteger,     Access::kNotAccessible, nullptr},
    {5, "tcpConnectionRemAddress",       Syntax::kOctetString, Access::kNotAccessible, nullptr},
    {6, "tcpConnectionRemPort",          Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    {7, "tcpConnectionState",            Syntax::kInteger,     Access::kReadWrite,     &connection_state, &delete_tcb_only},
    {8, "tcpConnectionProcess",          Syntax::kGauge32,     Access::kReadOnly,      &process},
};
// clang-format on
static_assert(std::ranges::is_sorted(kConnectionColumns, {}, &snmp::Column<Connection, Data>::id));

constexpr snmp::Run<Connection, Data> kConnectionRuns[] = {
    {.size = [](const Data& data) { return data.snapshot->ipv4().size(); },
     .at = [](const Data& data, std::size_t i) { return decoded(data.snapshot->ipv4()[i]); }},
    {.size = [](const Data& data) { return data.snapshot->ipv6().size(); },
     .at = [](const Data& data, std::size_t i) { return decoded(data.snapshot->ipv6()[i]); }},
};

constexpr SubId kConnectionRoot[] = {1, 3, 6, 1, 2, 1, 6, 19};

}  // namespace

const snmp::TableSpec<Connection, Data> kTcpConnectionTable{
    .name = "tcpConnectionTable",
    .root = kConnectionRoot,
    .columns = kConnectionColumns,
    .runs = kConnectionRuns,
    .index = &connection_index,
    .needs = {.rows = true},
    .question = &connection_question,
};

}  // namespace tcpmibd::tables
