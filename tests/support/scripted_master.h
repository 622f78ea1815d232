#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/handle.h"
#include "support/agentx_pdu.h"
#include "support/deadline.h"
#include "support/netns.h"

namespace tcpmibd::lab {

// How a scripted master answers what a subagent asks of it: rightly, unless told otherwise.
struct Manners {
  std::uint32_t session = 17;     // the number it gives to the session
  std::uint32_t uptime = 36'000;  // its sysUpTime when it takes the call, in hundredths of a second
  std::chrono::milliseconds late{};  // each answer comes that much after its request
  bool in_pieces = false;            // each answer comes octet by octet
  // res.error for a request; none: it is never answered. Absent: no error.
  std::function<std::optional<std::uint16_t>(const agentx::Pdu&)> verdict{};
};

// One connection of a subagent, seen from its master.
//
// Thread:   the test's own. Nothing happens on it but in these calls; each has a deadline.
// Throws:   agentx::Malformed when the subagent breaks RFC 2741, Trouble when what a test waits
//           for does not come.
class MasterSession {
 public:
  MasterSession(FileDescriptor socket, Manners manners);

  Manners manners;

  // ---- The stream ----

  // The next PDU, whatever it is, and unanswered; none at the deadline or at the end of the stream.
  std::optional<agentx::Pdu> receive(std::chrono::milliseconds timeout = kPatience);

  // Whether the subagent has closed the connection; waits for that, and drops what comes.
  bool ends(std::chrono::milliseconds timeout = kPatience);
  bool has_ended() const { return ended_; }  // as far as it has been read

  // Writes it all. False when the subagent has closed the connection.
  bool send(const agentx::Bytes& bytes) const;
  bool send(const agentx::Pdu& pdu) const { return send(agentx::encode(pdu)); }
  bool send_in_pieces(const agentx::Bytes& bytes) const;

  // Writes as much as the subagent takes just now: its length, 0 when it takes nothing. None when
  // it has closed the connection.
  std::optional<std::size_t> send_what_fits(const agentx::Bytes& bytes) const;

  void close();
  void reset();  // over TCP: with a RST

  // ---- A master that does its duty ----

  // Answers as `manners` say whatever the subagent asks, until `done` holds: whether it came to
  // that before the deadline. Goes on waiting when the subagent has closed the connection.
  bool serve_until(const std::function<bool()>& done,
                   std::chrono::milliseconds timeout = kPatience);

  // As that, for one PDU. Of a Response it keeps the content. False when none came.
  bool serve_one(std::chrono::milliseconds timeout);

  void answer(const agentx::Pdu& request) const;  // as `manners` say

  std::uint32_t uptime() const;  // the master's sysUpTime now, in hundredths of a second

  // All requests of the subagent that were served, in their order.
  const std::vector<agentx::Pdu>& requests() const { return requests_; }

  // ---- Requests of the master ----

  // Sends `request` with the next packet number, and with this session's where it has none.
  // The packet number.
  std::uint32_t begin(agentx::Pdu request);

  // What the subagent has answered to that packet; serves meanwhile. None at the deadline or at
  // the end of the stream.
  std::optional<agentx::Response> answer_to(std::uint32_t packet,
                                            std::chrono::milliseconds timeout = kPatience);

  // Both. Trouble when there is no answer.
  agentx::Response ask(agentx::Pdu request, std::chrono::milliseconds timeout = kPatience);

  // All that have come to that packet: one, by right.
  std::vector<agentx::Response> answers_to(std::uint32_t packet) const;

 private:
  bool fill(std::chrono::steady_clock::time_point deadline);

  FileDescriptor socket_;
  agentx::Bytes received_;
  bool ended_ = false;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::vector<agentx::Pdu> requests_;
  std::multimap<std::uint32_t, agentx::Response> answers_;  // by packet
  std::uint32_t last_packet_ = 1'000;
};

// An AgentX master made of RFC 2741 alone. It does only what the test tells it to, at any moment
// anything that a real one never would. Subagents that call wait until the test takes them.
class ScriptedMaster {
 public:
  // On a socket in the file system; that file must not be there yet.
  explicit ScriptedMaster(const std::string& path);

  // On 127.0.0.1 of `space`, at a free port.
  static ScriptedMaster over_tcp(const Namespace& space);

  // For `--agentx`.
  const std::string& address() const { return address_; }

  // The next subagent that calls, and has not hung up before; none at the deadline.
  std::optional<MasterSession> take(Manners manners = {},
                                    std::chrono::milliseconds timeout = kPatience) const;

 private:
  ScriptedMaster(FileDescriptor socket, std::string address);

  FileDescriptor socket_;
  std::string address_;
};

}  // namespace tcpmibd::lab
