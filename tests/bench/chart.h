#pragma once

#include <string>

#include "bench/figures.h"

namespace tcpmibd::bench {

// An SVG of how far tcpmibd is ahead of each peer, a bar each, on a logarithmic axis. It follows
// the reader's colour scheme, and has no background of its own.
std::string chart(const Findings& findings);

}  // namespace tcpmibd::bench
