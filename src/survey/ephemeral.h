#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tcp/pressure.h"
#include "tcp/rows.h"

// Which ephemeral ports are gone, and for whom.

namespace tcpmibd::tcp {

// Whether connect() takes the port of this row over, to the same remote end, though it is in
// TIME_WAIT: so it does if it has chosen it. (A port that bind() has chosen nobody takes over, and
// bind() takes none.)
bool is_taken_over(const Ipv4Row& row, const TimeWaitReuse& reuse);
bool is_taken_over(const Ipv6Row& row, const TimeWaitReuse& reuse);

// Finds the local address at which most ports are gone for programs that bind it before they
// connect. For those a port that anybody has at that address is gone, to whatever remote end. Who
// chose a port is in no dump; but what connect() chooses is of one parity until a remote end has
// used up all of that, and what bind() chooses is of the other. So ports of connect()'s parity
// count no further than there are as many of bind()'s, until bind() has used up its own:
//
//     bind() alone      all ports in use count
//     connect() alone   none counts while no remote end has used up its parity
//     both              all count when nothing is left for bind(), and not before
//
// Address: of a row's local end. Rows come as a snapshot has them: by local address, then port; at
// last twins, in no order.
template <typename Address>
class BoundPorts {
 public:
  struct Fullest {
    std::uint32_t used = 0;
    Address local{};
  };

  // `bind_first` as EphemeralRange gives it for the port; `waits`: in TIME_WAIT, to be taken over
  // if connect() has chosen it.
  void add(const Address& local, std::uint16_t port, bool bind_first, bool waits) {
    if (addresses_.empty() || addresses_.back().local < local) {
      addresses_.push_back({.local = local});
      last_port_ = kNoPort;
    } else if (local < addresses_.back().local || port < last_port_) {
      return;  // A twin: its index was its row's.
    }
    const bool again = port == last_port_;
    if (bind_first)
      add_bind_first(addresses_.back(), again, waits);
    else if (!again)
      ++addresses_.back().by_connect;
    last_waits_ = waits && (!again || last_waits_);
    last_port_ = port;
  }

  // From this address connect() has used up its parity towards one remote end: what waits of the
  // other one, it may have chosen too.
  void overflow(const Address& local) {
    const auto found = std::ranges::lower_bound(addresses_, local, {}, &Ports::local);
    if (found != addresses_.end() && found->local == local)
      found->by_bind_waiting = 0;
  }

  // Of equals the first one. `bind_first`: all ports that bind() tries first, in use or not.
  Fullest fullest(std::uint32_t bind_first) const {
    Fullest fullest;
    for (const Ports& ports : addresses_) {
      if (const std::uint32_t used = used_of(ports, bind_first); used > fullest.used)
        fullest = {used, ports.local};
    }
    return fullest;
  }

 private:
  static constexpr std::uint16_t kNoPort = 0;  // No connection has it.

  // Ports of one address, by who tries them first.
  struct Ports {
    Address local{};
    std::uint32_t by_connect = 0;
    std::uint32_t by_bind = 0;
    std::uint32_t by_bind_waiting = 0;  // All that they have waits.
  };

  static std::uint32_t used_of(const Ports& ports, std::uint32_t bind_first) {
    const std::uint32_t by_bind = ports.by_bind + ports.by_bind_waiting;
    const bool is_used_up = by_bind >= bind_first;
    return by_bind + (is_used_up ? ports.by_connect : std::min(by_bind, ports.by_connect));
  }

  void add_bind_first(Ports& ports, bool again, bool waits) {
    if (!again) {
      ++(waits ? ports.by_bind_waiting : ports.by_bind);
    } else if (last_waits_ && !waits) {
      --ports.by_bind_waiting;
      ++ports.by_bind;
    }
  }

  std::vector<Ports> addresses_;  // ascending
  std::uint16_t last_port_ = kNoPort;
  bool last_waits_ = false;  // whether all that the last port has waits
};

}  // namespace tcpmibd::tcp
