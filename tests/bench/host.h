#pragma once

#include <sched.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcpmibd::bench {

// What a figure depends on beside the programs: name and value, in the order they are told.
using HostFacts = std::vector<std::pair<std::string, std::string>>;

// Date, kernel, processors, memory, load, and the versions of tcpmibd and of every peer that is
// installed; and of the other tcpmibd that is compared, where `against` names one.
HostFacts host_facts(const std::string& against);

// Why this machine cannot hold so many sockets at this moment; none where it can.
std::optional<std::string> lack_of_room(unsigned sockets);

// While it lives, the calling thread runs on one processor, and so does whatever it starts.
//
// A round trip between processes is little work and some wake-ups. On a virtual machine the wake-up
// of another processor may take ten times as long as the work, and go through the hypervisor.
class OneProcessor {
 public:
  OneProcessor();
  ~OneProcessor();
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace tcpmibd::bench
