#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "system/deleting.h"
#include "system/odd_names.h"
#include "system/system_test.h"

// What processes call themselves, wherever it is told: the same text, printable and on one line.

namespace tcpmibd::lab {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const Oid kPortCommand = own({1, 4, 1, 3});
const Oid kListenerCommand = own({1, 5, 1, 5});

class OddNames : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped())
      space_.emplace();
  }

  std::string shown(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "show");
    const Output output = run_tcpmibd(*space_, arguments);
    EXPECT_EQ(output.status, 0) << output.err;
    return output.out;
  }

  json shown_json(const std::string& what) const {
    return json::parse(shown({what, "--json"})).at(what);
  }

  std::optional<Namespace> space_;
};

// "61 0A 62 " as the tools print a string with -Ox.
std::string octets_in_hex(const std::string& printed) {
  const std::size_t open = printed.find('"');
  std::istringstream words(printed.substr(open + 1, printed.rfind('"') - open - 1));
  std::string octets;
  for (std::string word; words >> word;)
    octets += static_cast<char>(std::stoi(word, nullptr, 16));
  return octets;
}

// The only string that an object holds: its octets, whatever they are.
std::string octets_told(const Manager& manager, Oid object, std::vector<std::uint32_t> index) {
  object.insert(object.end(), index.begin(), index.end());
  const Output got = manager.run({"snmpget", "-Onqx"}, {"." + text(object)});
  EXPECT_EQ(got.status, 0) << got.err;
  return octets_in_hex(got.out);
}

// UTF-8, of which our JSON library is the judge, without what odd_names() has for a terminal.
bool is_printable(const std::string& text) {
  for (const char* steering : {"\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8", "\x7f"}) {
    if (text.find(steering) != std::string::npos)
      return false;
  }
  const auto is_control = [](char octet) { return octet >= 0 && octet < 0x20 && octet != '\n'; };
  try {
    return std::ranges::none_of(text, is_control) && !json(text).dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

TEST_F(OddNames, AreTheSameInEveryColumn) {
  const auto processes = oddly_named(*space_);
  const Daemon daemon = Daemon::standalone(*space_);
  const Manager manager = Manager::v2c(*space_, Daemon::kAddress).patient(kDeletingPatience);
  for (const auto& process : processes) {
    const std::uint32_t port = process->port();
    EXPECT_EQ(octets_told(manager, kPortCommand, {port}), process->shown());
    EXPECT_EQ(octets_told(manager, kListenerCommand, {1, 4, 127, 0, 0, 1, port}), process->shown());
  }
}

TEST_F(OddNames, AreShownToPeopleWithNothingThatSteersATerminal) {
  const auto processes = oddly_named(*space_);
  for (const char* what : {"ports", "listeners", "connections"})
    EXPECT_TRUE(is_printable(shown({what}))) << what;
  const std::string table = shown({"listeners"});
  for (const auto& process : processes) {
    const std::string name = process->shown().empty() ? "" : " " + process->shown();
    EXPECT_THAT(table, HasSubstr("  " + std::to_string(process->pid()) + name + "\n"));
  }
}

TEST_F(OddNames, AreShownToProgramsAsTheyAreToPeople) {
  const auto processes = oddly_named(*space_);
  const json listeners = shown_json("listeners");
  const json ports = shown_json("ports");
  ASSERT_THAT(listeners, SizeIs(processes.size()));
  for (const auto& process : processes) {
    const auto listener = std::find_if(listeners.begin(), listeners.end(), [&](const json& row) {
      return row.at("local").at("port").get<int>() == process->port();
    });
    ASSERT_NE(listener, listeners.end());
    EXPECT_EQ(listener->at("processes").at(0).at("command").get<std::string>(), process->shown());
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const json& row) {
      return row.at("port").get<int>() == process->port();
    });
    ASSERT_NE(port, ports.end());
    EXPECT_EQ(port->at("command").get<std::string>(), process->shown());
  }
}

TEST_F(OddNames, ChooseAProcessAsTheyAreShownOrGiven) {
  const auto processes = oddly_named(*space_);
  const auto ports_of = [&](const std::string& name) {
    std::vector<int> ports;
    const json told = json::parse(shown({"listeners", "--process", name, "--json"}));
    for (const json& row : told.at("listeners"))
      ports.push_back(row.at("local").at("port").get<int>());
    return ports;
  };
  EXPECT_THAT(ports_of(R"(a\x0ab)"), ElementsAre(kFirstOddPort + 3));
  EXPECT_THAT(ports_of("a\nb"), ElementsAre(kFirstOddPort + 3));
  EXPECT_THAT(ports_of("\xff\xfe\x80"), ElementsAre(kFirstOddPort + 5));
  EXPECT_THAT(ports_of("job-同步任"), ElementsAre(kFirstOddPort + 14));
}

// A record is one line that names the owner as every table does.
TEST_F(OddNames, AreInTheRecordsOfDeletions) {
  const auto processes = oddly_named(*space_);
  const Snmpd master(*space_);
  const Daemon daemon = Daemon::under(master);
  const Manager writer = master.writer().patient(kDeletingPatience);
  for (const std::size_t chosen :
       {2UL, 3UL, 4UL, 5UL, 10UL, 14UL}) {  // Each waits a second for its owner.
    const auto& process = processes.at(chosen);
    const TcpSocket client = connect_to(*space_, process->address());
    const Ends theirs{client.remote(), client.local()};
    // Only what has been accepted has a holder.
    ASSERT_TRUE(eventually(
        [&] {
          return shown({"connections", "--port", std::to_string(process->port())})
                     .find(' ' + std::to_string(process->pid())) != std::string::npos;
        },
        kDeletingPatience));
    ASSERT_EQ(writer.set({deletion(connection_cell(kStateColumn, theirs))}).error, "");
    const std::string owner = "pid " + std::to_string(process->pid()) +
                              (process->shown().empty() ? "" : " " + process->shown());
    EXPECT_THAT(audit_line(daemon, theirs, ""), HasSubstr(", " + owner + "): "));
  }
  EXPECT_TRUE(is_printable(daemon.log()));
}

}  // namespace
}  // namespace tcpmibd::lab
