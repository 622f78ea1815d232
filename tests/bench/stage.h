#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/minimal_responder.h"
#include "support/crowd.h"
#include "support/daemon.h"
#include "support/netns.h"
#include "support/snmp_session.h"
#include "support/snmpd.h"
#include "support/temp_folder.h"

// Where a measure is taken: a namespace with a crowd of established connections, and the agents
// that are asked about them.

namespace tcpmibd::bench {

// An agent, and a manager that keeps its socket.
struct Agent {
  std::string subject;  // as tables name it
  lab::SnmpSession session;
  const lab::Process& process;  // the one that serves the TCP-MIB

  long get(const lab::Oid& oid);  // Trouble where it is not a number
};

// Agents start when they are first asked for, and run until they are dismissed. They stand side by
// side, each on a port of its own.
class Stage {
 public:
  explicit Stage(unsigned population);

  // From now on tcpmibd is this program. Dismisses those that are there.
  void use(const std::string& program);

  const lab::Namespace& space() const { return space_; }
  const lab::Crowd& crowd() const { return *crowd_; }
  unsigned population() const { return population_; }

  Agent& over_agentx();  // tcpmibd under a snmpd
  Agent& standalone();   // tcpmibd alone; "private" may write
  Agent& snmpd();        // the tables built into snmpd
  Agent& by_module();    // tcpmibd under a snmpd that has its module
  Agent& minimal();      // the hand-written responder under a snmpd

  std::string module_address() const { return module_master_->address(); }  // of by_module()

  void dismiss();   // every agent
  void disperse();  // the crowd
  void gather();    // it anew, complete

  // How many members were ended, from the last one on. Who ends some says so.
  unsigned ended() const { return ended_; }
  void note_ended(unsigned more) { ended_ += more; }

 private:
  unsigned population_;
  std::string program_ = lab::tcpmibd_binary();
  lab::TempFolder folder_;
  lab::Namespace space_;
  std::unique_ptr<lab::Crowd> crowd_;
  unsigned ended_ = 0;

  std::optional<lab::Snmpd> master_;
  std::optional<lab::Daemon> subagent_;
  std::optional<lab::Daemon> alone_;
  std::optional<lab::Snmpd> built_in_;
  std::optional<lab::Snmpd> module_master_;
  std::optional<lab::Daemon> behind_module_;
  std::optional<lab::Snmpd> minimal_master_;
  std::optional<MinimalResponder> responder_;
  std::unique_ptr<Agent> over_agentx_, standalone_, snmpd_, by_module_, minimal_;
};

inline const lab::Oid kConnectionState = lab::oid_of("1.3.6.1.2.1.6.19.1.7");
inline const lab::Oid kLegacyState = lab::oid_of("1.3.6.1.2.1.6.13.1.1");
inline const lab::Oid kTcpInSegs = lab::oid_of("1.3.6.1.2.1.6.10.0");
inline const lab::Oid kCurrEstab = lab::oid_of("1.3.6.1.2.1.6.9.0");
inline const lab::Oid kSnapshotTime = lab::oid_of("1.3.6.1.4.1.8072.9999.9999.4022.1.1.7.0");
inline const lab::Oid kSnapshots = lab::oid_of("1.3.6.1.4.1.8072.9999.9999.4022.1.1.9.0");
inline const lab::Oid kStateTotal = lab::oid_of("1.3.6.1.4.1.8072.9999.9999.4022.1.2.1.5");

constexpr int kRepetitions = 50;  // of a GETBULK; snmpbulkwalk asks for fewer, many managers for so

// How far a walk has come.
struct Walked {
  unsigned rows = 0;
  lab::Oid last;  // the name it has come to
};

// Goes through `column` from the name after `from`, to its end or for `most` rows. What finds the
// end is one question more, and it is answered from another column.
Walked walk_by_next(lab::SnmpSession& session, const lab::Oid& column, const lab::Oid& from,
                    unsigned most);
Walked walk_by_bulk(lab::SnmpSession& session, const lab::Oid& column, const lab::Oid& from,
                    unsigned most);

lab::Oid state_of(const lab::Crowd::Member& member);

}  // namespace tcpmibd::bench
