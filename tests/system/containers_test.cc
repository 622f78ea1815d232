#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The recipes of docs/containers.md. The namespace of a test is the network of its host.

namespace tcpmibd::lab {
namespace {

using nlohmann::json;
using testing::IsEmpty;
using testing::SizeIs;

class Containers : public SystemTest {
 protected:
  // What the program prints in a container made by unshare with these options.
  json in_container(std::vector<std::string> options, std::vector<std::string> arguments) const {
    std::vector<std::string> command{"unshare"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(tcpmibd_binary());
    arguments.emplace_back("--json");
    command.insert(command.end(), arguments.begin(), arguments.end());
    return json::parse(run(command, {.in = &host_}).out);
  }

  json listeners(const std::vector<std::string>& options) const {
    return in_container(options, {"show", "listeners"}).at("listeners");
  }

  // The state of one of the doctor's points.
  std::string point(const std::vector<std::string>& options, const std::string& name) const {
    const json all = in_container(options, {"doctor", "--standalone", Daemon::kAddress});
    for (const json& each : all.at("points")) {
      if (each.at("point") == name)
        return each.at("state");
    }
    return "not looked at";
  }

  const Namespace host_;
  const TcpSocket listener_ = listen_on(host_, "127.0.0.1:0");
};

const std::vector<std::string> kOwnProcesses{"--pid", "--fork", "--mount-proc"};
const std::vector<std::string> kOwnNetwork{"--net", "--pid", "--fork", "--mount-proc"};
const std::vector<std::string> kRootless{"--user", "--map-root-user", "--net",
                                         "--pid",  "--fork",          "--mount-proc"};
const std::vector<std::string> kRootlessOnHostsNetwork{"--user", "--map-root-user", "--pid",
                                                       "--fork", "--mount-proc"};

TEST_F(Containers, WithNetworkAndProcessesOfTheHostEverythingIsSeen) {
  const json seen = listeners({"--mount"});
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].at("processes").at(0).at("pid"), ::getpid());
}

TEST_F(Containers, WithProcessesOfItsOwnTheHostsHaveNoNumber) {
  const json seen = listeners(kOwnProcesses);
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].at("local").at("port"), listener_.local().port);
  EXPECT_THAT(seen[0].at("processes"), IsEmpty());
}

TEST_F(Containers, WithANetworkOfItsOwnTheHostsSocketsAreNotSeen) {
  EXPECT_THAT(listeners(kOwnNetwork), IsEmpty());
}

TEST_F(Containers, FromOutsideItHasTheHostsNumbers) {
  const Output output =
      run({"nsenter", "--net=" + host_.file(), tcpmibd_binary(), "show", "listeners", "--json"});
  const json seen = json::parse(output.out).at("listeners");
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].at("processes").at(0).at("pid"), ::getpid());
}

TEST_F(Containers, RootlessItMayEndConnectionsOfItsOwnNetworkOnly) {
  if (run({"unshare", "--user", "--map-root-user", "true"}).status != 0)
    GTEST_SKIP() << "no user namespace can be made here";
  EXPECT_EQ(point(kRootless, "INET_DIAG_DESTROY"), "ok");
  EXPECT_EQ(point(kRootlessOnHostsNetwork, "INET_DIAG_DESTROY"), "note");
  EXPECT_EQ(point(kRootless, "sock_diag"), "ok");
}

TEST_F(Containers, AContainerServesSnmpOnItsLoopback) {
  const TempFolder folder;
  const std::string script =
      "ip link set lo up; \"$0\" --standalone " + std::string(Daemon::kAddress) +
      " --set log.target=stderr --set standalone.state=\"$1\" & "
      "for try in 1 2 3 4 5 6 7 8 9 10; do snmpget -v2c -c public -t 1 -r 0 -Oqv " +
      Daemon::kAddress + " 1.3.6.1.2.1.6.17.0 && break; done; kill $!";
  std::vector<std::string> command{"unshare"};
  command.insert(command.end(), kOwnNetwork.begin(), kOwnNetwork.end());
  command.insert(command.end(), {"sh", "-c", script, tcpmibd_binary(), folder.file("state")});
  const Output output =
      run(command, {.in = &host_, .environment = isolated_snmp_environment(folder.path())});
  EXPECT_EQ(output.out, "0\n") << output.err;
}

}  // namespace
}  // namespace tcpmibd::lab
