#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "support/programs.h"
#include "system/monitoring.h"
#include "system/system_test.h"

// docs/nms/nagios/icinga2.conf in an Icinga 2 that tells somebody of what it sees.

namespace tcpmibd::lab {
namespace {

constexpr const char* kIcingaUser = "nagios";
constexpr const char* kIcingaFolder = "/var/lib/nagios";

// What an installation has besides our file: a checker, somebody to tell, and two hosts that are
// one, asked by SNMPv2c and by SNMPv3. $ is written twice where Icinga is not to read it.
constexpr const char* kIcingaObjects = R"(
include <itl>
const PluginDir = "/usr/lib/nagios/plugins"
object CheckerComponent "checker" { }
object NotificationComponent "notification" { }
object User "somebody" { }
object NotificationCommand "note" {
  command = [ "/bin/sh", "-c", "echo \"$$0 $$1 $$2\" >>NOTES", "$host.name$", "$service.name$", "$service.state$" ]
}
apply Notification "note" to Service {
  command = "note"
  users = [ "somebody" ]
  interval = 0
  states = [ OK, Warning, Critical ]
  assign where true
}
template Host "one" {
  check_command = "dummy"
  address = "127.0.0.1"
  vars.tcpmibd = true
  vars.tcpmibd_port = "2161"
  vars.tcpmibd_ports = [ "443" ]
}
object Host "v2c" {
  import "one"
}
object Host "v3" {
  import "one"
  vars.tcpmibd_version = "3"
  vars.tcpmibd_user = "monitor"
  vars.tcpmibd_auth_phrase = "authentication phrase"
  vars.tcpmibd_priv_phrase = "privacy phrase"
}
)";

// Icinga's own folders are not the host's: they are gone with the mounts of its process.
constexpr const char* kOwnFolders = R"(
set -e
for folder in /run /var/lib/icinga2 /var/cache/icinga2 /var/log/icinga2 /var/spool/icinga2; do
  test -d $folder || continue
  mount -t tmpfs none $folder
done
mkdir -p /run/icinga2
for folder in /run/icinga2 /var/lib/icinga2 /var/cache/icinga2 /var/log/icinga2 /var/spool/icinga2; do
  test -d $folder && chown nagios:nagios $folder
done
exec "$@"
)";

class IcingaDaemon {
 public:
  IcingaDaemon(const Namespace& space, const std::string& program)
      : child_(in_own_folders({program, "daemon", "-c", configuration()}), {.in = &space}) {}

  ~IcingaDaemon() {
    child_.process().signal(SIGTERM);  // It has a child of its own, which is to go as well.
    child_.process().wait(kGreatPatience);
  }

  // What somebody was told, a line each.
  std::string notes() const { return read_file(user_.folder().file("notes")); }

  void expect_note(const std::string& note) const {
    EXPECT_TRUE(eventually([&] { return count_of(note + "\n", notes()) > 0; }, kMonitorsPatience))
        << note << " is not in\n"
        << notes() << child_.out() << child_.err();
  }

 private:
  std::vector<std::string> in_own_folders(const std::vector<std::string>& program) const {
    std::vector<std::string> all{"unshare", "--mount", "sh", "-c", kOwnFolders, "sh"};
    const std::vector<std::string> command = user_.command(program);
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  // Our file as it is, but for its minutes, which take two seconds.
  std::string configuration() const {
    std::string ours = nms_text("nagios/icinga2.conf");
    replace_all(ours, "_interval = 1m", "_interval = 2s");
    std::string objects = kIcingaObjects;
    replace_all(objects, "NOTES", user_.folder().file("notes"));
    return user_.folder().write("icinga2.conf", objects + ours);
  }

  DaemonUser user_{kIcingaUser, kIcingaFolder};
  Child child_;
};

class Icinga : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (!is_installed("icinga2"))
      GTEST_SKIP() << "no icinga2 (package icinga2-bin)";
    if (!is_installed("check_snmp"))
      GTEST_SKIP() << "no check_snmp (package monitoring-plugins-standard)";
    if (const auto reason = DaemonUser::skip_reason(kIcingaUser, kIcingaFolder))
      GTEST_SKIP() << *reason;
  }
};

TEST_F(Icinga, TellsOfTroubleThatComesAndGoes) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  std::optional<TroubledService> service(space);
  const IcingaDaemon icinga(space, *find_program("icinga2"));
  for (const std::string host : {"v2c", "v3"}) {
    icinga.expect_note(host + " tcp-queue-443 CRITICAL");
    icinga.expect_note(host + " tcp-close-wait-443 WARNING");
  }
  service.reset();
  for (const std::string host : {"v2c", "v3"})
    icinga.expect_note(host + " tcp-listens-443 CRITICAL");
  const TcpSocket again = quiet_service(space);
  for (const std::string host : {"v2c", "v3"}) {
    for (const char* name : {"tcp-listens-443", "tcp-queue-443", "tcp-close-wait-443"})
      icinga.expect_note(host + " " + name + " OK");
  }
}

}  // namespace
}  // namespace tcpmibd::lab
