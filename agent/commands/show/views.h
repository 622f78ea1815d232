#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/table_view.h"

namespace tcpmibd::agent {

// The tables of TCPMIBD-MIB that `show` knows.
extern const TableView kStateView;
extern const TableView kAgeView;
extern const TableView kPortView;
extern const TableView kUnitView;
extern const TableView kProcessView;
extern const TableView kRemoteView;
extern const TableView kAlarmView;

// tcpmibdListenerTable. `show listeners` is none of these: its rows are those of TCP-MIB.
extern const TableView kListenerView;

// All but the last.
std::span<const TableView* const> views();

// The rows that the options ask for, the worst first, as text or JSON. What they need has been
// looked at.
std::string view_text(const TableView& view, const Options& options, const Evidence& evidence,
                      bool colour);

// Those rows, sorted.
std::vector<Record> wanted_rows(const TableView& view, const Options& options,
                                const Evidence& evidence);

// The same of rows that were read before.
std::string view_text(const TableView& view, const Options& options, std::vector<Record> rows,
                      bool colour);

}  // namespace tcpmibd::agent
