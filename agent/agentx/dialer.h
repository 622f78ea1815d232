#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "agent/agentx/master_address.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent::agentx {

class NameLookup;

// Reaches a master without waiting for it, nor for whoever knows its host's address.
class Dialer {
 public:
  // `patience`: how long one attempt may take.
  explicit Dialer(const MasterAddress& master, Duration patience = std::chrono::seconds(3));
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // Begins an attempt. Not while one is under way.
  void begin(Time now);

  bool is_under_way() const { return under_way_; }

  // What is to become writable; -1: nothing.
  int descriptor() const { return socket_.get(); }

  // When turn() is to be called at the latest. Of an attempt under way.
  Time wake() const;

  // A connected socket that does not block, or why there is none, with its cure; none while the
  // attempt goes on.
  std::optional<Result<FileDescriptor>> turn(Time now);

 private:
  using Outcome = std::optional<Result<FileDescriptor>>;

  Outcome connect_next();
  Outcome finish_connect();
  Outcome look_up();
  Outcome end(int code);
  Outcome end_with_socket();

  MasterAddress master_;
  Duration patience_;
  bool under_way_ = false;
  Time begun_{};
  Time wake_{};
  std::unique_ptr<NameLookup> lookup_;    // while a host's name is being looked up
  std::vector<SocketAddress> addresses_;  // to be tried, the next one first
  FileDescriptor socket_;                 // being connected
  int code_ = 0;                          // of the last address that failed
};

// The same for who can wait: `patience` at most.
Result<FileDescriptor> connect_to(const MasterAddress& master, Duration patience);

}  // namespace tcpmibd::agent::agentx
