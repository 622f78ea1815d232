#pragma once

#include <cerrno>
#include <utility>

#include "base/error.h"

namespace tcpmibd::agent {

// The exit statuses that users and systemd rely on; it does not restart us after kUsage.
enum class ExitStatus : int { kAsked = 0, kFailed = 1, kUsage = 2 };

// What a mistake in what we were given ends the process with. What is merely short now is none, nor
// is a disk that fails to give us the file: both may be over when we are started again.
inline ExitStatus status_of_mistake(const Error& error) {
  return is_scarcity(error.code) || error.code == EIO ? ExitStatus::kFailed : ExitStatus::kUsage;
}

// Why the agent could not start, and what the process ends with because of it.
struct StartError {
  Error error;
  ExitStatus status = ExitStatus::kFailed;
};

using Start = tl::expected<void, StartError>;

// `return start_failure(failure("listen on udp:161", errno));`
inline tl::unexpected<StartError> start_failure(tl::unexpected<Error> failure,
                                                ExitStatus status = ExitStatus::kFailed) {
  return tl::unexpected<StartError>(StartError{std::move(failure).value(), status});
}
inline tl::unexpected<StartError> start_failure(Error error) {
  return tl::unexpected<StartError>(StartError{std::move(error), ExitStatus::kFailed});
}

}  // namespace tcpmibd::agent
