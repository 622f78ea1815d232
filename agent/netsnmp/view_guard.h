#pragma once

namespace tcpmibd::agent {

// Keeps the answers to GETBULK of the library's own groups within what the manager may see. Our
// tables, which answer all repetitions in one call, see to it by themselves (see handler.cc).
//
// To be called in the standalone role, when everything has been registered. A master checks the
// view of a subagent's rows itself.
void keep_groups_in_view();

}  // namespace tcpmibd::agent
