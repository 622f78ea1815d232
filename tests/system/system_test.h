#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.h"
#include "support/end.h"
#include "support/snmp_client.h"
#include "support/trouble.h"
#include "system/attached.h"

namespace tcpmibd::lab {

inline const Oid kSysDescr = oid_of("1.3.6.1.2.1.1.1.0");
inline const Oid kSysUpTime = oid_of("1.3.6.1.2.1.1.3.0");
inline const Oid kTcp = oid_of("1.3.6.1.2.1.6");
inline const Oid kArc = oid_of("1.3.6.1.4.1.8072.9999.9999.4022");
inline const Oid kTcpRtoMin = oid_of("1.3.6.1.2.1.6.2.0");
inline const Oid kTcpHcInSegs = oid_of("1.3.6.1.2.1.6.17.0");  // no snmpd has it of its own
inline const Oid kConnectionState = oid_of("1.3.6.1.2.1.6.19.1.7");
inline const Oid kConnectionProcess = oid_of("1.3.6.1.2.1.6.19.1.8");

// An OID of TCPMIBD-MIB, below its arc.
inline Oid own(std::initializer_list<std::uint32_t> below) {
  Oid oid = kArc;
  oid.insert(oid.end(), below);
  return oid;
}

// A test that needs namespaces and a real snmpd; skips with the reason why there is none.
class SystemTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::optional<std::string> reason = system_skip_reason())
      GTEST_SKIP() << *reason;
  }
};

// One that nobody owns anything as: "nobody".
inline constexpr uid_t kPlainUser = 65534;

// Why no plain user can run the program; none where one can.
inline std::optional<std::string> plain_user_skip_reason() {
  try {
    run({tcpmibd_binary(), "--version"}, {.user = kPlainUser});
    return std::nullopt;
  } catch (const Trouble& trouble) {
    return "a plain user cannot run the program where it was built: " + std::string(trouble.what());
  }
}

// As SystemTest, with somebody who has no privileges.
class PlainUserTest : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const std::optional<std::string> reason = plain_user_skip_reason())
      GTEST_SKIP() << *reason;
  }
};

inline long count_of(std::string_view part, std::string_view text) {
  long count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

// Whether every OID is greater than the one before.
inline bool strictly_increasing(const std::vector<Varbind>& varbinds) {
  return std::ranges::adjacent_find(varbinds, [](const Varbind& a, const Varbind& b) {
           return a.oid >= b.oid;
         }) == varbinds.end();
}

// Rests until `duration` is over, or `disturbed` holds: whether it was quiet throughout.
template <typename Predicate>
bool quiet_for(std::chrono::milliseconds duration, Predicate&& disturbed) {
  return !eventually(disturbed, duration);
}

}  // namespace tcpmibd::lab
