#pragma once

namespace tcpmibd::agent {

// Opens /dev/null for those of the three standard descriptors that whoever started us has closed.
// The first socket we open would otherwise be standard error, and lines of the log would be sent on
// it. To be called before anything else.
void fill_standard_descriptors();

}  // namespace tcpmibd::agent
