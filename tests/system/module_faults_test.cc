#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/random.h"
#include "support/scripted_module_daemon.h"
#include "support/snmp_session.h"
#include "system/deleting.h"
#include "system/system_test.h"

// Whatever happens between snmpd's module and the daemon, snmpd answers everything else.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Moment = std::chrono::steady_clock::time_point;

const Oid kPlayed = oid_of("1.3.6.1.4.1.8072.9999.9999.7");  // by scripted daemons
const Oid kPlayedScalar = oid_of("1.3.6.1.4.1.8072.9999.9999.7.1.0");

// What happens to the daemon while a manager waits for its answer.
enum class Fault : std::uint8_t { kKilled, kStopped, kSlow, kGarbled, kReplaced };
constexpr std::array kFaults{Fault::kKilled, Fault::kStopped, Fault::kSlow, Fault::kGarbled,
                             Fault::kReplaced};

// An snmpd with the module, a daemon that the test plays, and a manager of each kind.
class Bed {
 public:
  Bed(const Namespace& space, const TempFolder& folder, int number)
      : space_(space),
        path_(folder.file("daemon" + std::to_string(number))),
        listener_(std::make_unique<ScriptedModuleDaemon>(path_)),
        snmpd_(space, {.module_socket = path_,
                       .address = "udp:127.0.0.1:" + std::to_string(4000 + number)}),
        other_(space, snmpd_.address(), "public") {}

  // A manager asks what the daemon serves, which has to begin with.
  void ask() {
    if (!session_)
      session_.emplace(listener_->serve(kPlayed));
    asking_.emplace(std::vector<std::string>{"snmpget", "-v2c", "-c", "public", "-t", "4", "-r",
                                             "0", "-On", snmpd_.address(), text(kPlayedScalar)},
                    ProcessOptions{.in = &space_, .environment = {{"MIBS", ""}}});
    request_ = received();
  }

  void suffer(Fault fault, Random& random) {
    switch (fault) {
      case Fault::kKilled:
        session_.reset();
        break;
      case Fault::kReplaced:
        std::filesystem::remove(path_);
        listener_ = std::make_unique<ScriptedModuleDaemon>(path_);
        session_.reset();
        break;
      case Fault::kGarbled:
        session_->send(garbled(random));
        break;
      case Fault::kStopped:
      case Fault::kSlow:
        break;
    }
    fault_ = fault;
  }

  // What is to come after a while.
  void go_on() {
    if (fault_ == Fault::kSlow)
      session_->send(answer_to(request_, 0, {{kPlayedScalar, 'i', "1"}}));
    if (fault_ == Fault::kGarbled)
      session_.reset();
  }

  // The manager has its answer, whichever it is.
  void expect_an_answer() {
    EXPECT_TRUE(asking_->process().wait(kGreatPatience));
    EXPECT_THAT(asking_->err(), Not(HasSubstr("Timeout"))) << static_cast<int>(fault_);
    if (fault_ == Fault::kStopped)
      session_.reset();  // one that only goes on may find the next request refused yet
  }

  // How long another object of this snmpd takes, in milliseconds.
  double time_of_another() {
    const Moment before = std::chrono::steady_clock::now();
    other_.get(kSysUpTime);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before)
        .count();
  }

 private:
  // The module asks at times whether a silent daemon is there: that is a Get of nothing.
  Pdu received() {
    for (;;) {
      const std::optional<Pdu> pdu = session_->receive(kGreatPatience);
      if (!pdu)
        throw Trouble("snmpd's module does not ask: " + snmpd_.log());
      if (pdu->type == agentx::Type::kGet && !pdu->payload.empty())
        return *pdu;
    }
  }

  agentx::Bytes garbled(Random& random) const {
    agentx::Bytes bytes = agentx::encode(answer_to(request_, 0, {{kPlayedScalar, 'i', "1"}}));
    for (int spoilt = 0; spoilt < 4; ++spoilt)
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.bits());
    return bytes;
  }

  const Namespace& space_;
  std::string path_;
  std::unique_ptr<ScriptedModuleDaemon> listener_;
  Snmpd snmpd_;
  SnmpSession other_;
  std::optional<MasterSession> session_;
  std::optional<Child> asking_;
  Pdu request_;
  Fault fault_{};
};

int faults_wanted() {
  int wanted = 40;
  if (const char* told = std::getenv("TCPMIBD_MODULE_FAULTS"))
    std::from_chars(told, told + std::char_traits<char>::length(told), wanted);
  return wanted;
}

class ModuleFaults : public SystemTest {};

// A module that has lost its daemon comes back after a second: a long run takes several at once.
TEST_F(ModuleFaults, LeaveSnmpdAnsweringEverythingElse) {
  const Namespace space;
  const TempFolder folder;
  Random random;
  SCOPED_TRACE(random.text());
  const int wanted = faults_wanted();
  std::vector<std::unique_ptr<Bed>> beds;
  for (int i = 0; i < std::clamp(wanted / 20, 2, 20); ++i)
    beds.push_back(std::make_unique<Bed>(space, folder, i));
  std::vector<double> times;
  const auto look_at_others = [&] {
    for (const auto& bed : beds)
      times.push_back(bed->time_of_another());
  };
  for (int had = 0, round = 0; had < wanted; ++round) {
    for (const auto& bed : beds)
      bed->ask();
    for (std::size_t i = 0; i < beds.size(); ++i, ++had)
      beds[i]->suffer(kFaults[(i + static_cast<std::size_t>(round)) % kFaults.size()], random);
    for (int i = 0; i < 5; ++i)
      look_at_others();
    for (const auto& bed : beds)
      bed->go_on();
    look_at_others();
    for (const auto& bed : beds)
      bed->expect_an_answer();
  }
  std::ranges::sort(times);
  const auto late = times.end() - std::ranges::upper_bound(times, 50.0);
  std::printf("%d faults; of %zu GETs of another object the longest took %.1f ms, %td above 50\n",
              wanted, times.size(), times.back(), late);
}

// ---- Sanitizers ----

std::string all_in(const std::string& folder, const std::string& begin) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(begin))
      text += read_file(entry.path());
  }
  return text;
}

// What snmpd itself does not free is its own; ours is the module's, which is gone by then.
TEST_F(ModuleFaults, TheModuleUnderSanitizersHasNothingToReport) {
  if (std::string(TCPMIBD_SANITIZED_MODULE).empty())
    GTEST_SKIP() << "the compiler's sanitizers cannot be given to an snmpd without them";
  const Namespace space;
  const TempFolder folder;
  Random random;
  SCOPED_TRACE(random.text());
  const std::string socket = folder.file("daemon");
  {
    Snmpd snmpd(space, {.module_socket = socket,
                        .module = TCPMIBD_SANITIZED_MODULE,
                        .environment = {{"LD_PRELOAD", TCPMIBD_SANITIZER},
                                        {"ASAN_OPTIONS", "detect_leaks=1:exitcode=99:log_path=" +
                                                             folder.file("report")}}});
    Daemon daemon(space, Attached::eager({.settings = {"agentx.module-socket=" + socket}}));
    ASSERT_TRUE(daemon.says("through its module", kGreatPatience)) << snmpd.log();
    EXPECT_FALSE(snmpd.manager().bulk_walk(kTcp, 7).varbinds.empty());
    EXPECT_TRUE(snmpd.manager().get({kTcpRtoMin, kSysDescr}).ok());
    EXPECT_NE(snmpd.writer().set({{kTcpRtoMin, 'i', "1"}}).error, "");
    daemon.process().kill();
    EXPECT_TRUE(snmpd.manager().get({kSysDescr}).ok());
    snmpd.process().signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return snmpd.manager().get({kSysDescr}).ok(); }, kGreatPatience));
    snmpd.process().signal(SIGTERM);
    EXPECT_TRUE(snmpd.process().wait(kGreatPatience));
  }
  const std::string report = all_in(folder.path(), "report");
  EXPECT_THAT(report, Not(HasSubstr("ERROR: AddressSanitizer")));
  EXPECT_THAT(report, Not(HasSubstr("runtime error")));
  EXPECT_THAT(report, Not(HasSubstr("tcpmibd")));
  EXPECT_THAT(report, Not(HasSubstr("<unknown module>")));
}

}  // namespace
}  // namespace tcpmibd::lab
