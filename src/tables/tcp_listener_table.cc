#include "tables/columns.h"
#include "tables/index.h"
#include "tables/tables.h"

// tcpListenerTable                                    TCP-MIB, RFC 4022: { tcp 20 }

namespace tcpmibd::tables {

namespace {

using tcp::Listener;

std::optional<Value> process(const Listener& row, const Data& data) {
  return process_value(*row.details, data);
}

void index(const Listener& row, snmp::Oid& index) {
  append_address(row.address, index);
  index.append(row.port);
}

// clang-format off
constexpr snmp::Column<Listener, Data> kTcpListenerColumns[] = {
    // id  name                           syntax              access                   read
    {1, "tcpListenerLocalAddressType", Syntax::kInteger,     Access::kNotAccessible, nullptr},
    {2, "tcpListenerLocalAddress",     Syntax::kOctetString, Access::kNotAccessible, nullptr},
    {3, "tcpListenerLocalPort",        Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    {4, "tcpListenerProcess",          Syntax::kGauge32,     Access::kReadOnly,      &process},
};
// clang-format on
static_assert(std::ranges::is_sorted(kTcpListenerColumns, {}, &snmp::Column<Listener, Data>::id));

constexpr snmp::Run<Listener, Data> kTcpListenerRuns[] = {
    {.size = [](const Data& data) { return data.snapshot->listeners().size(); },
     .at = [](const Data& data, std::size_t i) { return decoded(data.snapshot->listeners()[i]); }},
};

constexpr SubId kTcpListenerRoot[] = {1, 3, 6, 1, 2, 1, 6, 20};

}  // namespace

const snmp::TableSpec<Listener, Data> kTcpListenerTable{
    .name = "tcpListenerTable",
    .root = kTcpListenerRoot,
    .columns = kTcpListenerColumns,
    .runs = kTcpListenerRuns,
    .index = &index,
    .needs = {.rows = true},
    .question = &listener_question,
};

}  // namespace tcpmibd::tables
