#pragma once

#include <algorithm>
#include <vector>

#include "support/random.h"
#include "tables/registry.h"

namespace tcpmibd::lab {

// A sub-identifier as it stands at the edges of what rows can have.
inline snmp::SubId random_sub_id(Random& random) {
  return random.one_of<snmp::SubId>({0,   1,     2,     3,          4,          5,         7,   8,
                                     16,  20,    22,    80,         127,        128,       255, 256,
                                     443, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff});
}

// A name near `cell`: itself, cut, stretched, or with a sub-identifier that is another, one more,
// one less, or would be the same in fewer bits.
inline snmp::Oid near(const snmp::Oid& cell, Random& random) {
  std::vector<snmp::SubId> ids(cell.begin(), cell.end());
  for (std::uint32_t changes = random.below(3); changes > 0; --changes) {
    const std::uint32_t at = random.below(ids.size());
    switch (random.below(6)) {
      case 0:
        ids.resize(at + 1);
        break;
      case 1:
        ids.push_back(random_sub_id(random));
        break;
      case 2:
        ids[at] = random_sub_id(random);
        break;
      case 3:
        ids[at] += 1;
        break;
      case 4:
        ids[at] -= 1;
        break;
      default:
        ids[at] += random.one_of<snmp::SubId>({256, 65536, 0x80000000});
    }
  }
  return snmp::Oid(ids);
}

// Real, cut, stretched and senseless names around `object` and its `cells`.
inline snmp::Oid probe(const tables::Managed& object, const std::vector<snmp::Cell>& cells,
                       Random& random) {
  if (!cells.empty() && random.chance(85))
    return near(random.one_of(cells).name, random);
  snmp::Oid name = random.chance(80) ? object.root() : snmp::Oid();
  for (std::uint32_t length = random.below(30); length > 0; --length)
    name.append(random_sub_id(random));
  return name;
}

}  // namespace tcpmibd::lab
