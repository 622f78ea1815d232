#include "agent/process/version.h"

namespace tcpmibd::agent {

std::string_view version() { return TCPMIBD_VERSION; }

}  // namespace tcpmibd::agent
