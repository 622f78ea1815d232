#include "bench/stage.h"

#include <algorithm>

#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::Oid;
using lab::SnmpSession;

constexpr const char* kBuiltInAddress = "udp:127.0.0.1:1261";
constexpr const char* kModuleAddress = "udp:127.0.0.1:1461";
constexpr const char* kMinimalAddress = "udp:127.0.0.1:1361";

std::unique_ptr<Agent> agent(const char* subject, const lab::Namespace& space,
                             const std::string& address, const lab::Process& process) {
  return std::make_unique<Agent>(subject, SnmpSession(space, address, "private"), process);
}

bool lies_in(const Oid& column, const Oid& name) {
  return name.size() > column.size() && std::equal(column.begin(), column.end(), name.begin());
}

// False at the end of the column. Where the view ends an agent repeats the last name with an
// exception.
bool take(const lab::NumberBinding& binding, const Oid& column, Walked& walked) {
  if (!lies_in(column, binding.oid) || !binding.number)
    return false;
  walked.last = binding.oid;
  ++walked.rows;
  return true;
}

}  // namespace

long Agent::get(const Oid& oid) {
  const lab::NumberBinding binding = session.get(oid);
  if (!binding.number)
    throw lab::Trouble(subject + " has no number at " + lab::text(oid));
  return *binding.number;
}

Stage::Stage(unsigned population)
    : population_(population), crowd_(std::make_unique<lab::Crowd>(space_, population)) {}

void Stage::use(const std::string& program) {
  dismiss();
  program_ = program;
}

Agent& Stage::over_agentx() {
  if (over_agentx_ == nullptr) {
    master_.emplace(space_);
    subagent_.emplace(lab::Daemon::under(*master_, {.program = program_}));
    over_agentx_ = agent("tcpmibd over AgentX", space_, master_->address(), subagent_->process());
  }
  return *over_agentx_;
}

Agent& Stage::standalone() {
  if (standalone_ == nullptr) {
    const std::string access =
        folder_.write("access.conf", "rocommunity public\nrwcommunity private\n");
    alone_.emplace(lab::Daemon::standalone(space_, {.program = program_}, access));
    standalone_ = agent("tcpmibd standalone", space_, lab::Daemon::kAddress, alone_->process());
  }
  return *standalone_;
}

Agent& Stage::snmpd() {
  if (snmpd_ == nullptr) {
    built_in_.emplace(space_, lab::SnmpdOptions{.address = kBuiltInAddress});
    snmpd_ = agent("snmpd", space_, built_in_->address(), built_in_->process());
  }
  return *snmpd_;
}

Agent& Stage::by_module() {
  if (by_module_ == nullptr) {
    const std::string socket = folder_.file("module.sock");
    module_master_.emplace(space_,
                           lab::SnmpdOptions{.module_socket = socket, .address = kModuleAddress});
    behind_module_.emplace(lab::Daemon::under(
        *module_master_, {.settings = {"agentx.module-socket=" + socket}, .program = program_}));
    if (!behind_module_->says("through its module", std::chrono::seconds(10)))
      throw lab::Trouble("snmpd's module does not come: " + module_master_->log());
    by_module_ = agent("tcpmibd by snmpd's module", space_, module_master_->address(),
                       behind_module_->process());
  }
  return *by_module_;
}

Agent& Stage::minimal() {
  if (minimal_ == nullptr) {
    minimal_master_.emplace(space_, lab::SnmpdOptions{.address = kMinimalAddress});
    responder_.emplace(*minimal_master_, crowd());
    minimal_ =
        agent("hand-written responder", space_, minimal_master_->address(), responder_->process());
  }
  return *minimal_;
}

void Stage::dismiss() {
  for (std::unique_ptr<Agent>* agent :
       {&over_agentx_, &standalone_, &snmpd_, &by_module_, &minimal_})
    agent->reset();
  responder_.reset();
  subagent_.reset();
  behind_module_.reset();
  alone_.reset();
  for (std::optional<lab::Snmpd>* snmpd : {&master_, &built_in_, &module_master_, &minimal_master_})
    snmpd->reset();
}

void Stage::disperse() { crowd_.reset(); }

void Stage::gather() {
  disperse();
  crowd_ = std::make_unique<lab::Crowd>(space_, population_);
  ended_ = 0;
}

Walked walk_by_next(SnmpSession& session, const Oid& column, const Oid& from, unsigned most) {
  Walked walked{.last = from};
  while (walked.rows < most && take(session.next(walked.last), column, walked)) {
  }
  return walked;
}

Walked walk_by_bulk(SnmpSession& session, const Oid& column, const Oid& from, unsigned most) {
  Walked walked{.last = from};
  while (walked.rows < most) {
    const auto wanted = std::min<unsigned>(kRepetitions, most - walked.rows);
    for (const lab::NumberBinding& binding : session.bulk(walked.last, static_cast<int>(wanted))) {
      if (!take(binding, column, walked))
        return walked;
    }
  }
  return walked;
}

Oid state_of(const lab::Crowd::Member& member) {
  return lab::connection_cell(lab::kStateColumn, member.ends);
}

}  // namespace tcpmibd::bench
