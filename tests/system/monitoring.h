#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/nms.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// What the tests of docs/nms have in common: a service in trouble, and the way in which daemons of
// monitoring systems run.

namespace tcpmibd::lab {

inline constexpr unsigned kLeaked = 25;

// What a monitoring system may take to see something and to be sure of it.
inline constexpr std::chrono::seconds kMonitorsPatience{60};

// The exit status of a plugin.
inline constexpr int kOk = 0;
inline constexpr int kWarning = 1;
inline constexpr int kCritical = 2;
inline constexpr int kUnknown = 3;

// A service on the port that the files take for their examples: it has not closed what its
// clients have, and its accept queue is full.
class TroubledService {
 public:
  explicit TroubledService(const Namespace& space)
      : space_(space), listener_(listen_on(space, "127.0.0.1:443", {.backlog = 2})) {
    while (leaked_.size() < kLeaked) {
      connect_to(space, "127.0.0.1:443").close();
      leaked_.push_back(accept_from(listener_));
      leaked_.back().await_fin();
    }
    while (waiting_.size() < 3)
      waiting_.push_back(connect_to(space, "127.0.0.1:443"));
  }

  // A call more than the queue can take.
  void overflow() { waiting_.push_back(start_connecting(space_, "127.0.0.1:443")); }

 private:
  const Namespace& space_;
  TcpSocket listener_;
  std::vector<TcpSocket> leaked_{};
  std::vector<TcpSocket> waiting_{};
};

// One that is well.
inline TcpSocket quiet_service(const Namespace& space) { return listen_on(space, "127.0.0.1:443"); }

// With an alarm that the troubled service raises.
inline DaemonOptions watchful() {
  return {.configuration =
              "[watch]\ninterval = \"1s\"\n"
              "[alarm.leak]\nmeasure = \"closeWait\"\nper = \"port\"\nraise = 20\n"};
}

// A file of docs/nms.
inline std::string nms_text(const std::filesystem::path& below_nms) {
  return read_file((nms_folder() / below_nms).string());
}

inline void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// The user that a package made for its daemon: what it runs has no environment, and no right but
// to its own folder.
class DaemonUser {
 public:
  // Why nobody runs as `user` here, with a folder of its own at `place`.
  static std::optional<std::string> skip_reason(const std::string& user, const std::string& place) {
    if (run({"getent", "passwd", user}).status != 0)
      return "no user " + user;
    if (!place.empty() && !std::filesystem::exists(place))
      return "no folder " + place;
    return std::nullopt;
  }

  // It sees its folder at `place` as well, instead of what this host has there.
  explicit DaemonUser(std::string user, std::string place = {})
      : user_(std::move(user)), place_(std::move(place)) {
    run({"chown", user_ + ":" + user_, folder_.path().string()});
  }

  const TempFolder& folder() const { return folder_; }

  // `arguments` as this user's, for run() and Child.
  std::vector<std::string> command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{
        "unshare", "--mount", "sh", "-c", "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"",
        "sh"};
    const std::string mine = folder_.path().string();
    all.insert(all.end(), {mine, place_.empty() ? mine : place_, "setpriv", "--reuid=" + user_,
                           "--regid=" + user_, "--clear-groups", "env", "-i"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

 private:
  std::string user_;
  std::string place_;
  TempFolder folder_;
};

// An access file with what README and docs/nms take for their examples: the community "public" and
// the user "monitor".
inline std::string monitors_access(const TempFolder& folder) {
  return folder.write(
      "access",
      "rocommunity public 127.0.0.1\n"
      "createUser monitor SHA-256 \"authentication phrase\" AES \"privacy phrase\"\n"
      "rouser monitor priv\n");
}

}  // namespace tcpmibd::lab
