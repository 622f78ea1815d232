#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "agent/agentx/objects.h"
#include "agent/agentx/session.h"
#include "agent/agentx/uptime_origin.h"
#include "agent/config/config.h"
#include "agent/serve/request.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "base/log.h"

namespace tcpmibd::agent::agentx {

// A unix socket that listens at a path which others can reach, and is gone with this object.
class ListeningSocket {
 public:
  // Takes the place of one that nobody listens at any more.
  static Result<ListeningSocket> open(const std::string& path);

  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept = default;
  ~ListeningSocket();

  int descriptor() const { return socket_.get(); }

 private:
  ListeningSocket(FileDescriptor socket, std::string path, dev_t device, ino_t inode)
      : socket_(std::move(socket)), path_(std::move(path)), device_(device), inode_(inode) {}

  FileDescriptor socket_;  // none: moved from
  std::string path_;
  dev_t device_;
  ino_t inode_;
};

// Where the module in snmpd reaches us (docs/module.md): each that comes is a master, with which we
// open a session. That this cannot be done is no reason to end: AgentX does without.
//
// Logs:  who comes and goes, who is refused, why there is no such socket.
class ModuleSocket {
 public:
  // What it refers to outlives it.
  ModuleSocket(const Config::Agentx& config, const Objects& objects, ReadTarget& reads,
               WriteTarget& writes);
  ~ModuleSocket();

  // How many modules may be connected at once: one for each snmpd of the host.
  static constexpr std::size_t kMost = 8;

  void open();

  // Whether one serves now.
  bool is_serving() const;
  const std::string& path() const { return config_.module_socket; }

  // What poll(2) is to wait for, appended; and when turn() is to be called at the latest.
  void append_to(std::vector<pollfd>& waiting) const;
  Time wake() const;
  bool is_busy() const;

  // Does what can be done now.
  void turn(Time now);

  // The worker has news.
  void retry();

  // Of the first that serves. See Role.
  bool notify(const tables::Notification& notification);
  std::size_t unconfirmed() const;
  Time uptime_zero() const { return uptime_.zero(); }

 private:
  struct Module {
    Module(FileDescriptor socket, const ModuleSocket& of, UptimeOrigin& uptime,
           std::uint32_t master, pid_t process, Time now);

    Session session;
    pid_t process;
    bool announced = false;
  };

  void find_users();
  void accept(Time now);
  void take(FileDescriptor socket, Time now);
  bool may_come(uid_t user) const;
  void look_at(Module& module);
  void tell_end(const Module& module);
  const Module* serving() const;

  Config::Agentx config_;
  const Objects& objects_;
  ReadTarget& reads_;
  WriteTarget& writes_;

  std::optional<ListeningSocket> socket_;
  std::vector<uid_t> users_;
  UptimeOrigin uptime_{Clock::now()};
  std::list<Module> modules_;
  std::uint32_t come_ = 0;  // so far, which numbers them

  log::Limited changes_{std::chrono::minutes(1), 6};
  log::Limited refusals_{std::chrono::minutes(1), 3};
};

}  // namespace tcpmibd::agent::agentx
