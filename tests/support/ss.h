#pragma once

#include <string>
#include <vector>

#include "support/end.h"
#include "support/netns.h"

namespace tcpmibd::lab {

// One socket as `ss` of iproute2 tells it: the judge that shares no line with tcpmibd.
struct SsRow {
  std::string state;   // "ESTAB", "FIN-WAIT-1", …
  Ends ends;           // a listener's remote end is empty
  std::string device;  // the socket is bound to it, or its address is link-local on it
  unsigned long received = 0;
  unsigned long unsent = 0;
  std::vector<int> pids{};  // ascending, each once
};

// Every TCP socket of the namespace that listens or has a connection; holders only when asked for.
enum class Holders { kNo, kYes };
std::vector<SsRow> list_sockets(const Namespace& space, Holders holders = Holders::kNo);

// The state of one connection, or "gone".
std::string state_by_ss(const Namespace& space, const Ends& ends);

// "LISTEN" or "gone".
std::string listener_by_ss(const Namespace& space, const End& local);

}  // namespace tcpmibd::lab
