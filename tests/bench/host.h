#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tcpmibd::bench {

// What a figure depends on beside the programs: name and value, in the order they are told.
using HostFacts = std::vector<std::pair<std::string, std::string>>;

// Date, kernel, processors, memory, load, and the versions of tcpmibd and of every peer that is
// installed.
HostFacts host_facts();

}  // namespace tcpmibd::bench
