#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "agent/netsnmp/timer.h"
#include "agent/snmpd/link.h"

struct netsnmp_agent_request_info_s;
struct netsnmp_request_info_s;
struct netsnmp_handler_registration_s;

namespace tcpmibd::agent::snmpd {

// The module in snmpd: registers what the daemon serves, hands each list of requests to it whole,
// and fills in what it answers. It knows nothing of what it serves.
//
// A request is delegated: snmpd goes on, and comes back to it when the answer can be read. What
// the daemon serves is taken back when it has gone and no request that came to us is under way
// any more, for the library keeps pointers to a registration until then.
//
// Thread: snmpd's one, from its event loop. Nothing is thrown into it.
class Module final : private LinkOwner {
 public:
  explicit Module(Link::Settings settings);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Whether requests that came to us are under way: then snmpd still calls us, or follows pointers
  // to what we have registered.
  bool is_in_use() const { return uses_ > 0; }

  // Takes back all that is registered and lets go of the daemon, as soon as it can be done; whether
  // it has been. resume() calls it off.
  bool retire();
  void resume();

  // snmpd calls us.
  void on_requests(const netsnmp_handler_registration_s& registration,
                   netsnmp_agent_request_info_s& info, netsnmp_request_info_s* requests);
  void on_ready() { turn(); }
  void on_end(netsnmp_agent_request_info_s* info);  // of a manager's PDU

 private:
  struct Registered {
    Served served;
    bool lives;  // else it is to be taken back
  };

  // Requests of one PDU, under way to the daemon.
  struct Call {
    netsnmp_agent_request_info_s* info;
    std::vector<netsnmp_request_info_s*> requests;  // in the order of the bindings that were sent
    std::string context;
    std::size_t non_repeaters;  // of them
  };

  agentx::ErrorCode register_subtree(const Served& served) override;
  bool on_answer(std::uint32_t packet, const agentx::Response& response,
                 agentx::Reader bindings) override;
  void on_notification(const std::vector<agentx::Found>& bindings) override;
  void on_lost() override;
  void report(bool is_trouble, const std::string& line) override;
  std::uint32_t uptime() const override;

  void note_use(netsnmp_agent_request_info_s& info);
  void ask(Call call);
  std::optional<std::uint32_t> send(Call& call);
  std::optional<std::uint32_t> send_get(const Call& call);
  std::optional<std::uint32_t> send_search(Call& call);
  static agentx::Bytes written(const Call& call);

  bool fill(Call& call, agentx::Reader& bindings);
  static bool fill_get(const Call& call, agentx::Reader& bindings);
  static bool fill_search(const Call& call, agentx::Reader& bindings,
                          std::vector<netsnmp_request_info_s*>& unfilled);

  void turn();
  void sweep();
  static void take_back(const Served& served);
  void watch();

  Link link_;
  std::deque<Registered> registered_;
  std::map<std::uint32_t, Call> calls_;  // by packet
  std::size_t uses_ = 0;                 // PDUs of managers that came to us and are not over
  int cache_id_;                         // one call a PDU and phase for all that is ours
  bool retiring_ = false;

  int watched_ = -1;  // the descriptors that snmpd watches for us
  int watched_for_sending_ = -1;
  Reminder reminder_;
};

}  // namespace tcpmibd::agent::snmpd
