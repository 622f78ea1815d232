#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "support/end.h"
#include "support/netns.h"
#include "support/sockets.h"

namespace tcpmibd::lab {

enum class Family { kV4, kV6, kMapped };

// Where a scene is played. The end that is looked at lives in `a`.
struct Stage {
  const Namespace& a;
  const Namespace& b;
  std::string address_a;  // without port, in brackets where v6
  std::string address_b;
};

Stage on_cable(const TwoHosts& hosts, Family family);
Stage on_loopback(const Namespace& space, Family family);

struct Connection {
  TcpSocket listener, client, server;
};

// A client in `a` of a listener in `b`, its ends of `family`'s sockets.
Connection connected(const Stage& stage, const ListenOptions& listen = {},
                     const ConnectOptions& connect = {});

// The same with the way from client to server stopped up: neither end needs privileges to be
// kept in FIN_WAIT_1, CLOSING or LAST_ACK. Moves on when the server reads.
Connection stopped_up(const Stage& stage);

struct Scene {
  Ends watched;                      // as seen from stage.a; a listener has no remote end
  std::vector<TcpSocket> sockets{};  // open for as long as the scene is to last
};

struct Recipe {
  const char* name;
  const char* ss;     // the state's name there
  int mib;            // and its number in TCP-MIB
  bool needs_filter;  // drops packets, hence nft and privileges
  Scene (*play)(const Stage&);
};
std::ostream& operator<<(std::ostream& stream, const Recipe& recipe);

// Every state that Linux can be held in, most of them in several ways.
std::span<const Recipe> recipes();

}  // namespace tcpmibd::lab
