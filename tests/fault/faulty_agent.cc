#include "fault/faulty_agent.h"

#include <utility>

#include "system/scripted.h"

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Response;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What is asked is read anew each time, and an alarm is judged every second.
DaemonOptions reading_anew() {
  return {.configuration =
              "[watch]\ninterval = \"1s\"\n[alarm.many]\nmeasure = "
              "\"established\"\nraise = 100000\n",
          .settings = {"snapshot.max-age=10ms", "process.max-age=100ms"}};
}

// ---- Under a scripted master ----

class FaultySubagent : public FaultyAgent {
 public:
  FaultySubagent(const Namespace& space, const FaultInjector& injector)
      : agent_(space, injector.supervised(reading_anew())) {}

  Daemon& daemon() override { return agent_.daemon(); }

  bool attend() override {
    try {
      session_.emplace(agent_.attend());
      return true;
    } catch (const Trouble&) {
      if (agent_.runs())
        throw;
      return false;
    }
  }

  Answer walk(const Oid& root) override {
    constexpr std::uint16_t kMostRows = 2'000;
    if (session_->has_ended() && !attend())
      return {.varbinds = {}, .error = "it has ended"};
    Oid end = root;
    ++end.back();
    const auto answer = ask(agentx::get_bulk(0, kMostRows, {{.start = root, .end = end}}));
    if (!answer)
      return {.varbinds = {}, .error = "no answer"};
    if (answer->error != agentx::kNoError)
      return {.varbinds = {}, .error = "res.error " + std::to_string(answer->error)};
    std::vector<Varbind> rows = answer->varbinds;
    std::erase_if(rows, [](const Varbind& row) { return row.type == "endOfMibView"; });
    return {.varbinds = std::move(rows), .error = ""};
  }

  SetOutcome set(const std::vector<SetRequest>& requests) override {
    ++transaction_;
    if (!is_done(ask(agentx::test_set(transaction_, requests)))) {
      clean_up();
      return SetOutcome::kRefused;
    }
    if (is_done(ask(agentx::phase(agentx::Type::kCommitSet, transaction_)))) {
      clean_up();
      return SetOutcome::kDone;
    }
    const bool is_undone = is_done(ask(agentx::phase(agentx::Type::kUndoSet, transaction_)));
    return is_undone ? SetOutcome::kRefused : SetOutcome::kBrokenOff;
  }

  bool reconnect() override {
    session_->close();
    return attend();
  }

  std::optional<int> terminate() override {
    daemon().process().signal(SIGTERM);
    eventually([&] {
      return !agent_.runs() || (session_ && session_->serve_one(milliseconds(10)), false);
    });
    return daemon().process().wait();
  }

 private:
  static bool is_done(const std::optional<Response>& answer) {
    return answer && answer->error == agentx::kNoError;
  }

  // None where the session ends instead, or has ended.
  std::optional<Response> ask(const Pdu& request) {
    if (!session_ || session_->has_ended())
      return std::nullopt;
    return session_->answer_to(session_->begin(request), kGreatPatience);
  }

  void clean_up() {
    if (session_ && !session_->has_ended())
      session_->begin(agentx::phase(agentx::Type::kCleanupSet, transaction_));
  }

  Scripted agent_;
  std::optional<MasterSession> session_;
  std::uint32_t transaction_ = 0;
};

// ---- By itself ----

class FaultyStandalone : public FaultyAgent {
 public:
  FaultyStandalone(const Namespace& space, const FaultInjector& injector)
      : daemon_(space, injector.supervised(standalone(access_))),
        reader_(Manager::v2c(space, Daemon::kAddress).patient(seconds(1), 5)),
        writer_(Manager::v2c(space, Daemon::kAddress, "private")) {}

  Daemon& daemon() override { return daemon_; }

  bool attend() override {
    eventually(
        [&] {
          return daemon_.log().find("serving SNMP on") != std::string::npos ||
                 !daemon_.process().running();
        },
        kGreatPatience);
    return daemon_.process().running();
  }

  Answer walk(const Oid& root) override { return reader_.bulk_walk(root, 500); }

  // A request that was lost has done nothing; neither has a refused one, unless it says so.
  SetOutcome set(const std::vector<SetRequest>& requests) override {
    const std::string error = writer_.set(requests).error;
    if (error.empty())
      return SetOutcome::kDone;
    const bool may_be_done = error == "undoFailed" || error == "timeout";
    return may_be_done ? SetOutcome::kBrokenOff : SetOutcome::kRefused;
  }

  bool reconnect() override { return daemon_.process().running(); }

  std::optional<int> terminate() override {
    daemon_.process().signal(SIGTERM);
    return daemon_.process().wait();
  }

 private:
  static DaemonOptions standalone(const TempFolder& folder) {
    DaemonOptions options = reading_anew();
    options.arguments = {"--standalone", Daemon::kAddress, "--access",
                         folder.write("access",
                                      "rocommunity public 127.0.0.1\n"
                                      "rwcommunity private 127.0.0.1\n")};
    return options;
  }

  TempFolder access_;
  Daemon daemon_;
  Manager reader_;
  Manager writer_;
};

}  // namespace

std::unique_ptr<FaultyAgent> start_agent(Role role, const Namespace& space,
                                         const FaultInjector& injector) {
  if (role == Role::kSubagent)
    return std::make_unique<FaultySubagent>(space, injector);
  return std::make_unique<FaultyStandalone>(space, injector);
}

}  // namespace tcpmibd::lab
