#include "agent/netsnmp/message_size.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

// The input: the beginning of a stream of SNMP messages. What its length is said to be does not
// change once it is said, and is said as soon as it can be.
void snmp_stream(Input input) {
  constexpr std::size_t kLongestHeader = 6;
  std::size_t said = 0;
  for (std::size_t size = 0; size <= input.size() && size <= 2 * kLongestHeader; ++size) {
    const std::size_t now = agent::awaited_size(input.first(size));
    require(said == 0 || now == said, "a length is said once");
    require(now != 0 || size < kLongestHeader, "and after six octets at the latest");
    require(now == 0 || now >= 2, "a message has a header");
    said = now;
  }
  require(agent::awaited_size(input) == said, "whatever follows");
}

}  // namespace tcpmibd::fuzz
