#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/handle.h"

namespace tcpmibd::lab {

// A fresh network namespace with its loopback up. It lives as long as this object, its sockets
// and its processes do; it has no name and leaves nothing behind.
//
// Rights:   root, or a user namespace of one's own (`unshare -rn`).
// Thread:   run() moves the calling thread only. /proc/net shows the main thread's namespace,
//           /proc/thread-self/net the caller's; /proc/sys/net always the caller's.
class Namespace {
 public:
  // Why no namespace can be made here; none where it can. A test then skips with this reason.
  static const std::optional<std::string>& skip_reason();

  // As skip_reason(), and for the packet filter as well.
  static const std::optional<std::string>& filter_skip_reason();

  Namespace();

  // The one the calling thread is in: a holder's own, for it has no descriptor of the test's.
  static Namespace current();

  // Does `act` on the calling thread, which is in this namespace meanwhile.
  template <typename Act>
  auto run(Act&& act) const {
    const Inside inside(*this);
    return std::forward<Act>(act)();
  }

  // Moves the calling thread in for good: for a child that was just forked. False and errno when
  // it cannot.
  bool enter() const noexcept;

  // The file that `ip` takes for this namespace. Good while this process lives.
  std::string file() const;

  // `name` with dots or slashes: "net.ipv4.tcp_fin_timeout".
  void set_sysctl(std::string_view name, std::string_view value) const;
  std::string sysctl(std::string_view name) const;

  // Feeds `rules` to `nft -f -`.
  void nft(std::string_view rules) const;

  // Drops what comes in, or would go out, and matches, as nft writes it: "tcp dport 80".
  void drop_input(std::string_view match) const;
  void drop_output(std::string_view match) const;

  // Lets everything pass again; retransmissions carry the connections on.
  void clear() const;

 private:
  explicit Namespace(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  class Inside {
   public:
    explicit Inside(const Namespace& space);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    FileDescriptor before_;
  };

  void drop(const std::string& hook, std::string_view match) const;

  FileDescriptor descriptor_;
};

// One end of a cable: the name of the device and its addresses with prefix, "10.77.1.1/24".
struct Plug {
  std::string device;
  std::vector<std::string> addresses;
};

// Lays a cable between two namespaces; both ends are up and every address usable on return. Each
// device has a link-local address as well.
void veth_pair(const Namespace& a, const Plug& at_a, const Namespace& b, const Plug& at_b);

// Two hosts and a cable: 10.77.1.1 and fd77::1 on `va` in a, 10.77.1.2 and fd77::2 on `vb` in b.
struct TwoHosts {
  TwoHosts();

  Namespace a;
  Namespace b;
};

}  // namespace tcpmibd::lab
