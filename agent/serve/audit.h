#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tcp/process_map.h"
#include "tcp/socket.h"

namespace tcpmibd::agent {

// One attempt to end a connection.
struct Deletion {
  tcp::Socket socket;
  std::string outcome;  // "ended", "refused, notWritable: ..."
  bool done = false;
};

// Writes one line a deletion, done or refused: both ends, state, owner and outcome. The owner may
// first have to be looked up, which is the worker's: such a line waits for it, the Set does not.
//
// Counts:  deletions done and refused since the start.
class Audit {
 public:
  struct Owners {
    std::function<std::shared_ptr<const tcp::ProcessMap>()> newest;  // null before the first
    // Asks for a map that knows the inode; the next one may be one already under way.
    std::function<void(std::uint32_t inode)> want;
    std::function<std::string(std::uint32_t pid)> command_of;
    // With each line; pid 0 and an empty command where nobody is known. May be empty.
    std::function<void(const Deletion&, std::uint32_t pid, const std::string& command)>
        on_written{};
  };

  explicit Audit(Owners owners) : owners_(std::move(owners)) {}
  ~Audit();  // writes what still waits, its owner unknown
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  void record(Deletion deletion);

  // To be called when there may be a newer process map.
  void settle();

  std::uint32_t done() const { return done_; }
  std::uint32_t refused() const { return refused_; }

 private:
  struct Waiting {
    Deletion deletion;
    Time since;
  };

  bool write_if_known(const Waiting& waiting) const;
  static std::string owner(std::optional<std::uint32_t> pid, const std::string& command);
  void write(const Deletion& deletion, std::optional<std::uint32_t> pid) const;

  Owners owners_;
  std::vector<Waiting> waiting_;
  Time settled_by_{};  // when the map was taken that was last looked into for them
  std::uint32_t done_ = 0;
  std::uint32_t refused_ = 0;
};

}  // namespace tcpmibd::agent
