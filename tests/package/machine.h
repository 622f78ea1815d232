#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "support/process.h"

namespace tcpmibd::lab {

// A fresh Debian under its own systemd, in namespaces of its own: what is installed and written
// there is gone with this object. Its only network is its loopback.
//
// Rights: root.
class Machine {
 public:
  // Boots `root`, a folder that stays as it is, or several: "upper:lower". Trouble when it is not
  // up at the deadline.
  explicit Machine(const std::string& root);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Runs lines of bash as root, from the folder /root, where `sudo` just runs its arguments.
  Output run(const std::string& script) const;

  // As run(); what it wrote, without the last line's end. Trouble with all it said when it fails.
  std::string must(const std::string& script) const;

  // Whether it succeeds at the deadline at the latest; it is run again and again.
  bool eventually(const std::string& script,
                  std::chrono::milliseconds timeout = std::chrono::seconds(20)) const;

  // Whether it succeeds now.
  bool holds(const std::string& script) const { return run(script).status == 0; }

  void write(const std::string& file, std::string_view text) const;

  // A file of the machine's by the name that this host has for it.
  std::string outside(const std::string& file) const;

  // Brings a file of this host into /root.
  void bring(const std::string& file) const;

 private:
  Child boot_;
  pid_t init_ = -1;  // its pid 1, by our number
};

}  // namespace tcpmibd::lab
