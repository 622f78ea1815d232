#pragma once

#include "agent/commands/show/evidence.h"
#include "agent/commands/writer.h"

namespace tcpmibd::agent {

// What the connection, which is none of MPTCP, waits for, where there is more to say than its state
// does; else empty.
std::string waiting_text(const tcp::Details& details);

// `show`, `show connections` and `show listeners`: a line each socket, or each row that several
// sockets share. They are written as they are found, for there may be a hundred thousand.
void write_sockets(const Options& options, const Evidence& evidence, bool colour,
                   const Writer& write);
void write_connections(const Options& options, const Evidence& evidence, bool colour,
                       const Writer& write);
void write_listeners(const Options& options, const Evidence& evidence, bool colour,
                     const Writer& write);

}  // namespace tcpmibd::agent
