#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "support/daemon.h"
#include "support/netns.h"
#include "support/snmpd.h"

namespace tcpmibd::lab {

// For what takes a kernel timer or a look through every process, on a machine that has more to do.
inline constexpr std::chrono::seconds kGreatPatience{20};

// What a manager is told of a connection's state.
inline constexpr const char* kEstablished = "5";
inline constexpr const char* kGone = "noSuchInstance";

// Why no whole system can be put up here; none where it can.
inline std::optional<std::string> system_skip_reason() {
  const std::optional<std::string>& reason = Namespace::skip_reason();
  return reason ? reason : snmpd_skip_reason();
}

// A host whose snmpd has tcpmibd as its subagent. It looks for processes as often as it may.
struct Attached {
  explicit Attached(const Namespace& space, SnmpdOptions of_master = {}, DaemonOptions options = {})
      : master(space, std::move(of_master)), daemon(Daemon::under(master, eager(options))) {}

  static DaemonOptions eager(DaemonOptions options) {
    options.settings.insert(options.settings.end(),
                            {"snapshot.max-age=10ms", "process.max-age=100ms"});
    return options;
  }

  Manager manager() const { return master.manager().patient(kGreatPatience); }

  Snmpd master;
  Daemon daemon;
};

// What a GET of one cell tells: the value, the exception's name, or the error.
inline std::string told(const Manager& manager, const Oid& cell) {
  const Answer answer = manager.get({cell});
  if (!answer.ok())
    return answer.error;
  return answer.only().value.empty() ? answer.only().type : answer.only().value;
}

}  // namespace tcpmibd::lab
