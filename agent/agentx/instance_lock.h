#pragma once

#include <string>

#include "agent/agentx/master_address.h"
#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// The abstract name that stands for the master with this identity.
std::string instance_name(const std::string& identity);

// One tcpmibd for each master: holds an abstract socket name made of the master's identity, which
// the kernel gives back whatever end we come to. A second one would be refused every object (they
// have one priority) and then stand idle.
class InstanceLock {
 public:
  explicit InstanceLock(MasterAddress master) : master_(std::move(master)) {}

  // Takes the name of the master that is there now. Nothing to do when it is held already or no
  // master is there; an earlier master's name is kept until the new one's is taken. An error says
  // that another process has it.
  Status take();

  bool held() const { return static_cast<bool>(socket_); }

 private:
  MasterAddress master_;
  std::string identity_;  // that `socket_` stands for
  FileDescriptor socket_;
};

}  // namespace tcpmibd::agent
