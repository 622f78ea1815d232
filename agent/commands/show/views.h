#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/table_view.h"

namespace tcpmibd::agent {

// The tables of TCPMIBD-MIB that `show` knows.
extern const View kStateView;
extern const View kAgeView;
extern const View kPortView;
extern const View kUnitView;
extern const View kProcessView;
extern const View kRemoteView;
extern const View kAlarmView;

// All of them.
std::span<const View* const> views();

// The rows that the options ask for, the worst first, as text or JSON. What they need has been
// looked at.
std::string view_text(const View& view, const Options& options, const Evidence& evidence,
                      bool colour);

// The same of rows that were read before.
std::string view_text(const View& view, const Options& options, std::vector<Record> rows,
                      bool colour);

}  // namespace tcpmibd::agent
