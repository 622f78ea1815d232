#pragma once

#include <string>

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// `show`, `show connections` and `show listeners`: a line each socket, or each row that several
// sockets share.
std::string sockets_text(const Options& options, const Evidence& evidence, bool colour);
std::string connections_text(const Options& options, const Evidence& evidence, bool colour);
std::string listeners_text(const Options& options, const Evidence& evidence, bool colour);

}  // namespace tcpmibd::agent
