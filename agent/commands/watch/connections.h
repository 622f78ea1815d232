#pragma once

#include <cstdint>
#include <vector>

#include "agent/commands/show/evidence.h"
#include "agent/commands/watch/reading.h"

// The view of connections, of which there may be a hundred thousand: only those on the screen
// become text.

namespace tcpmibd::agent {

// `count` of them from the `first` on, the worst first, that contain `filter`.
struct ConnectionsPage {
  std::size_t first = 0;
  std::size_t count = 0;
  std::string filter{};  // of the ends and the state
};

LiveTable connections_table(const Options& options, const Evidence& evidence,
                            const ConnectionsPage& page);

// Of the sockets on the page, for whose owners to ask.
std::vector<std::uint32_t> inodes_on(const Options& options, const Evidence& evidence,
                                     const ConnectionsPage& page);

}  // namespace tcpmibd::agent
