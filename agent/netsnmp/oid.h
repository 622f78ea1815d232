#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "snmp/oid.h"

namespace tcpmibd::agent {

// An object identifier as Net-SNMP has it: its `oid`, one sub-identifier, is an unsigned long.
class LibraryOid {
 public:
  explicit LibraryOid(snmp::OidView name) {
    for (const snmp::SubId id : name.first(std::min(name.size(), ids_.size())))
      ids_[size_++] = id;
  }

  const unsigned long* data() const { return ids_.data(); }
  unsigned long* data() { return ids_.data(); }  // The library forgets its consts.
  std::size_t size() const { return size_; }

 private:
  std::array<unsigned long, snmp::kMaxOidLength> ids_;
  std::size_t size_ = 0;
};

inline snmp::Oid from_library(const unsigned long* ids, std::size_t size) {
  snmp::Oid name;
  for (std::size_t i = 0; i < size; ++i)
    name.append(static_cast<snmp::SubId>(ids[i]));
  return name;
}

}  // namespace tcpmibd::agent
