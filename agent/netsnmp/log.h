#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/netsnmp/callback.h"
#include "base/log.h"

namespace tcpmibd::agent {

// Leads what Net-SNMP logs into our log: its levels, one line a message. What it reports of its
// own doings and we report better is kept for the level debug.
//
// One per process, made before anything else of the library is used.
class LibraryLog {
 public:
  LibraryLog();
  ~LibraryLog();
  LibraryLog(const LibraryLog&) = delete;
  LibraryLog& operator=(const LibraryLog&) = delete;

  // Sees every line first, and returns true to keep it from the log.
  using Listener = std::function<bool(log::Level, std::string_view)>;
  void set_listener(Listener listener) { listener_ = std::move(listener); }

  void take(int priority, std::string_view text);  // for the library's callback

 private:
  Listener listener_;
  log::LimitedKinds lines_;  // a wrong password logs one line a request
  Callback callback_;
};

}  // namespace tcpmibd::agent
