#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/netsnmp/pdu_log.h"
#include "agent/netsnmp/stream_peers.h"
#include "agent/netsnmp/timer.h"
#include "agent/process/exit_status.h"
#include "base/handle.h"
#include "base/log.h"

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct netsnmp_transport_s;
struct snmp_pdu;
struct snmp_session;

namespace tcpmibd::agent {

// Where managers come in when we are the agent: datagrams, and connections over a stream, which the
// library accepts without end, keeps for ever, and writes to for as long as it takes.
//
// Nobody waits here for a peer: one that does not take an answer whole is dropped, one that is
// silent for too long ended, one too many closed as it comes. A session that a request still waits
// on stays until that is done, though nobody is left to hear of it; the library would use it after
// it was freed. And no answer is longer than its manager can take; see message_size.h.
//
// One per process: the library's functions know no other way to find it.
class ManagerPorts {
 public:
  // `pdus` outlives it.
  ManagerPorts(const Config::Connections& limits, PduLog& pdus);
  // Closes everything.
  ~ManagerPorts();
  ManagerPorts(const ManagerPorts&) = delete;
  ManagerPorts& operator=(const ManagerPorts&) = delete;

  // `address` is one of the library's: "udp:127.0.0.1:1161", "unix:/run/snmp".
  Start open(const std::string& address);

  void set_limits(const Config::Connections& limits);

  // Ends who has been idle for too long, and lets go of those that have ended. To be called at
  // every turn of the loop, outside of the library.
  void settle(Time now);

 private:
  struct Calls;  // for the library

  // What a listening transport did itself before we stood before it.
  struct Originals {
    int (*accept)(netsnmp_transport_s*);
    int (*receive)(netsnmp_transport_s*, void*, int, void**, int*);
    int (*close)(netsnmp_transport_s*);
  };

  Start listen(netsnmp_transport_s& transport, const std::string& address);
  void stand_before(netsnmp_transport_s& transport);

  int accept(netsnmp_transport_s& listening);
  int accept_one(netsnmp_transport_s& listening) const;
  bool admits(int socket);
  void turn_away_without_descriptor(netsnmp_transport_s& listening, int code);
  void welcome(snmp_session& session);
  bool takes(snmp_session& session, snmp_pdu& pdu);
  void end_unanswered();
  void drop(netsnmp_transport_s& transport, const std::string& why);
  void end(netsnmp_transport_s& transport);
  void let_go(StreamPeers::Key peer);

  static ManagerPorts* only;

  PduLog& pdus_;
  StreamPeers peers_;
  std::map<StreamPeers::Key, snmp_session*> sessions_;  // of the peers, by their transports
  std::map<const void*, Originals> originals_;          // by the transport's domain
  std::vector<snmp_session*> listening_;
  FileDescriptor silent_;
  FileDescriptor spare_;  // given up so that one more can be turned away
  Reminder reminder_;
  log::Limited refusals_;
  log::Limited drops_;
  bool is_closing_ = false;
};

}  // namespace tcpmibd::agent
