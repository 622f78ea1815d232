#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcpmibd::bench {

// What a figure depends on beside the programs: name and value, in the order they are told.
using HostFacts = std::vector<std::pair<std::string, std::string>>;

// Date, kernel, processors, memory, load, and the versions of tcpmibd and of every peer that is
// installed.
HostFacts host_facts();

// Why this machine cannot hold so many sockets at this moment; none where it can.
std::optional<std::string> lack_of_room(unsigned sockets);

}  // namespace tcpmibd::bench
