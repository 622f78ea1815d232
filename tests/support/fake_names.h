#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tcp/sources.h"

// Units and processes by formula, so that no test has to make any up.

namespace tcpmibd::lab {

// Cgroup 7 is "u7.service", unless told otherwise.
class FakeUnitLookup final : public tcp::UnitLookup {
 public:
  void set(std::uint64_t cgroup, std::string unit) { units_[cgroup] = std::move(unit); }

  std::string unit_of(std::uint64_t cgroup) override {
    const auto known = units_.find(cgroup);
    return known != units_.end() ? known->second : "u" + std::to_string(cgroup) + ".service";
  }

 private:
  std::map<std::uint64_t, std::string> units_;
};

// Process 7 is "p7" of user 1007.
class FakeProcessNames final : public tcp::ProcessNames {
 public:
  tcp::ProcessIdentity identity_of(std::uint32_t pid) override {
    return {.command = "p" + std::to_string(pid), .uid = 1000 + pid};
  }
};

}  // namespace tcpmibd::lab
