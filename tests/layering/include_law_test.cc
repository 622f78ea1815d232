#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// The include law of docs/architecture.md, as data. A standard header (no dot, no slash) is
// everybody's unless kReserved says otherwise.

namespace tcpmibd {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kAnything = "*";

// A row of the law: for a folder with all below it ("src/tcp/"), or a file at the top of agent/.
struct Room {
  std::string_view prefix;
  std::vector<std::string_view> ours;    // folders whose headers it may name, or single headers
  std::vector<std::string_view> system;  // other headers that are not of the standard library
};

// The first row that fits a file is its own.
const std::vector<Room> kRooms{
    {"src/base/", {"base"}, {"boost/", "fcntl.h", "poll.h", "sys/", "syslog.h", "tl/", "unistd.h"}},
    {"src/tcp/", {"base", "tcp"}, {"arpa/inet.h"}},
    {"src/survey/", {"base", "tcp", "survey"}, {}},
    {"src/diag/",
     {"base", "tcp", "diag"},
     {"linux/inet_diag.h", "linux/mptcp.h", "linux/rtnetlink.h", "linux/sock_diag.h", "linux/tcp.h",
      "netinet/in.h", "sys/socket.h"}},
    {"src/snmp/", {"base", "snmp"}, {}},
    {"src/tables/", {"base", "tcp", "survey", "snmp", "tables"}, {}},
    {"src/kernel/", {"base", "tcp", "diag", "kernel"}, {kAnything}},
    {"agent/config/", {"base", "tcp", "survey", "tables/groups.h", "agent/config"}, {"toml++/"}},
    {"agent/agentx/",
     {"base", "snmp", "tables", "agent/agentx", "agent/config", "agent/process", "agent/serve"},
     {"arpa/inet.h", "netdb.h", "netinet/in.h", "poll.h", "pwd.h", "sys/socket.h", "sys/stat.h",
      "sys/types.h", "sys/un.h", "unistd.h"}},
    {"agent/process/",
     {"base", "tcp", "agent/config", "agent/process"},
     {"fcntl.h", "link.h", "malloc.h", "poll.h", "pthread.h", "sys/", "systemd/sd-daemon.h",
      "unistd.h"}},
    {"agent/serve/",
     {"base", "tcp", "survey", "snmp", "tables", "agent/process", "agent/serve"},
     {"fcntl.h", "sys/epoll.h", "sys/eventfd.h"}},
    {"agent/netsnmp/",
     {"base", "snmp", "tables", "agent/config", "agent/netsnmp", "agent/process", "agent/serve"},
     {"arpa/inet.h", "dlfcn.h", "fcntl.h", "net-snmp/", "netinet/in.h", "poll.h", "strings.h",
      "sys/eventfd.h", "sys/file.h", "sys/ioctl.h", "sys/random.h", "sys/socket.h", "sys/stat.h",
      "syslog.h", "unistd.h"}},
    {"agent/snmpd/",
     {"base", "snmp", "agent/agentx/connection.h", "agent/agentx/module_protocol.h",
      "agent/agentx/pdu.h", "agent/config/snmpd.h", "agent/netsnmp/net_snmp.h",
      "agent/netsnmp/oid.h", "agent/netsnmp/timer.h", "agent/netsnmp/varbind.h", "agent/snmpd"},
     {"dlfcn.h", "pwd.h", "sys/socket.h", "sys/types.h", "sys/un.h", "unistd.h"}},
    {"agent/commands/",
     {"base", "tcp", "survey", "snmp", "tables", "agent/agentx", "agent/commands", "agent/config",
      "agent/netsnmp/query.h", "agent/process"},
     {"CLI/", "curses.h", "dlfcn.h", "grp.h", "langinfo.h", "nlohmann/", "poll.h", "pwd.h",
      "sys/capability.h", "sys/ioctl.h", "sys/signalfd.h", "sys/stat.h", "sys/types.h",
      "uniwidth.h", "unistd.h"}},
    {"agent/reference/", {"tcp", "agent/commands", "agent/config", "agent/reference"}, {}},
    {"agent/daemon.",
     {"base", "tcp", "survey", "snmp", "tables", "agent", "agent/agentx", "agent/config",
      "agent/netsnmp", "agent/process", "agent/serve"},
     {}},
    {"agent/main.cc",
     {"base", "tcp", "survey", "snmp", "tables", "kernel", "agent", "agent/agentx",
      "agent/commands", "agent/config", "agent/netsnmp", "agent/process", "agent/serve"},
     {"unistd.h"}},
};

// What only a few may name, wherever else a room's own line would let it pass.
struct Reserved {
  std::string_view header;
  std::vector<std::string_view> files;
  std::string_view why;
};

const std::vector<Reserved> kReserved{
    {"net-snmp/", {"agent/netsnmp/net_snmp.h"}, "about 2 500 macros leak from it"},
    {"boost/", {"src/base/log.cc"}, "one place knows how lines are written"},
    {"systemd/sd-daemon.h", {"agent/process/service_manager.cc"}, "one place talks to systemd"},
    {"uniwidth.h", {"agent/commands/text_table.cc"}, "one place knows how wide a text is"},
    {"curses.h", {"agent/commands/watch/terminal.cc"}, "its names are macros, and one place draws"},
    {"netlink/", {"src/kernel/"}, "netlink is an edge"},
    {"bpf/",
     {"src/kernel/bpf_ends.cc", "src/kernel/bpf_object.", "src/kernel/bpf_processes.cc"},
     "one place talks to libbpf"},
    {"linux/", {"src/diag/", "src/kernel/"}, "kernel headers end at the values they become"},
    {"base/log.h",
     {"src/base/", "src/kernel/", "agent/agentx/module_socket.", "agent/agentx/subagent.",
      "agent/config/config.h", "agent/daemon.cc", "agent/main.cc", "agent/netsnmp/",
      "agent/serve/"},
     "pure code never logs"},
    {"iostream", {"agent/main.cc"}, "only the program talks to a terminal"},
    {"fstream", {}, "one place reads files: base/read_file.h"},
    {"filesystem",
     {"src/base/drop_ins.cc", "src/kernel/", "agent/commands/", "agent/config/", "agent/netsnmp/",
      "agent/serve/end_numbers.cc"},
     "pure code reads no files"},
};

struct Include {
  std::size_t line;
  std::string header;
  bool ours;
};

std::vector<Include> includes_of(std::istream& text) {
  std::vector<Include> includes;
  std::string line;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    if (!line.starts_with("#include"))
      continue;
    const std::size_t open = line.find_first_of("\"<");
    const std::size_t close = line.find_first_of("\">", open + 1);
    includes.push_back({number, line.substr(open + 1, close - open - 1), line[open] == '"'});
  }
  return includes;
}

// "base" of "base/error.h", "agent/config" of "agent/config/keys.h", "agent" of "agent/daemon.h";
// rooms below a folder of agent/ are its own.
std::string_view folder_of(std::string_view header) {
  const std::size_t first = header.find('/');
  if (header.substr(0, first) != "agent")
    return header.substr(0, first);
  const std::size_t second = header.find('/', first + 1);
  return header.substr(0, second == std::string_view::npos ? first : second);
}

bool is_standard(std::string_view header) {
  return header.find_first_of("./") == std::string_view::npos;
}

bool any_prefix_of(const std::vector<std::string_view>& prefixes, std::string_view text) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) {
    return prefix == kAnything || text.starts_with(prefix);
  });
}

bool room_allows(const Room& room, const Include& include) {
  if (!include.ours)
    return is_standard(include.header) || any_prefix_of(room.system, include.header);
  return std::ranges::any_of(room.ours, [&](std::string_view ours) {
    return ours == folder_of(include.header) || ours == include.header;
  });
}

const Room* room_of(std::string_view file) {
  const auto found =
      std::ranges::find_if(kRooms, [&](const Room& room) { return file.starts_with(room.prefix); });
  return found == kRooms.end() ? nullptr : &*found;
}

std::string why_forbidden(std::string_view file, const Include& include) {
  const Room* room = room_of(file);
  if (room == nullptr)
    return "the law does not know this place";
  if (!room_allows(*room, include))
    return std::string(room->prefix) + " may not use it";
  for (const Reserved& reserved : kReserved) {
    if (include.header.starts_with(reserved.header) && !any_prefix_of(reserved.files, file))
      return std::string(reserved.why);
  }
  return {};
}

// "src/tcp/socket.cc:3: net-snmp/net-snmp-config.h: src/tcp/ may not use it", one a breach.
std::vector<std::string> breaches(const std::string& file, std::istream& text) {
  std::vector<std::string> found;
  for (const Include& include : includes_of(text)) {
    const std::string why = why_forbidden(file, include);
    if (!why.empty())
      found.push_back(file + ":" + std::to_string(include.line) + ": " + include.header + ": " +
                      why);
  }
  return found;
}

std::vector<std::string> breaches_of(const std::string& file, const std::string& line) {
  std::istringstream text(line);
  return breaches(file, text);
}

// What is written in one place, for whoever needs it to call.
struct Home {
  std::string_view words;
  std::vector<std::string_view> files;
  std::string_view instead;
};

const std::vector<Home> kHomes{
    {"from_chars(", {"src/base/words.h"}, "number(), take_number()"},
    {"::pread(", {"src/base/read_file.cc"}, "read_opened(), read_at()"},
    {"opendir(", {"src/kernel/directory.cc"}, "open_directory()"},
    {"directory_iterator", {"src/base/drop_ins.cc"}, "drop_in_files()"},
    {"\\033[", {"agent/commands/colours.h"}, "coloured()"},
    {"\\x1b[", {}, "coloured()"},
    {"\"MESSAGE_ID\"", {"src/base/message_ids.h"}, "field_of()"},
};

std::vector<std::string> strangers(const std::string& file, std::istream& text) {
  std::vector<std::string> found;
  std::string line;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    for (const Home& home : kHomes) {
      if (line.find(home.words) != std::string::npos && !any_prefix_of(home.files, file))
        found.push_back(file + ":" + std::to_string(number) + ": use " + std::string(home.instead));
    }
  }
  return found;
}

std::vector<fs::path> sources_below(const fs::path& root) {
  std::vector<fs::path> files;
  for (const char* top : {"src", "agent"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / top)) {
      if (entry.path().extension() == ".h" || entry.path().extension() == ".cc")
        files.push_back(fs::relative(entry.path(), root));
    }
  }
  return files;
}

TEST(IncludeLaw, EverySourceKeepsIt) {
  const fs::path root = TCPMIBD_SOURCE_DIR;
  const std::vector<fs::path> files = sources_below(root);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    std::ifstream text(root / file);
    EXPECT_THAT(breaches(file.string(), text), IsEmpty());
  }
}

TEST(Homes, AreKeptByEverySource) {
  const fs::path root = TCPMIBD_SOURCE_DIR;
  for (const fs::path& file : sources_below(root)) {
    std::ifstream text(root / file);
    EXPECT_THAT(strangers(file.string(), text), IsEmpty());
  }
}

TEST(Homes, AreNamedToWhoeverWritesItAgain) {
  for (const Home& home : kHomes) {
    std::istringstream text("  call(" + std::string(home.words) + "x)\n");
    EXPECT_THAT(strangers("src/tcp/unit.cc", text),
                ElementsAre("src/tcp/unit.cc:1: use " + std::string(home.instead)));
  }
}

// A home that has moved away would let everybody pass.
TEST(Homes, HoldWhatTheyAreTheHomeOf) {
  for (const Home& home : kHomes) {
    for (const std::string_view file : home.files) {
      std::ifstream in(fs::path(TCPMIBD_SOURCE_DIR) / file);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      EXPECT_NE(text.find(home.words), std::string::npos) << file << " has no " << home.words;
    }
  }
}

TEST(IncludeLaw, LetsWhatIsAllowedPass) {
  EXPECT_THAT(breaches_of("src/tcp/socket.h", "#include <vector>\n#include \"base/error.h\"\n"),
              IsEmpty());
  EXPECT_THAT(breaches_of("agent/netsnmp/net_snmp.h", "#include <net-snmp/net-snmp-config.h>\n"),
              IsEmpty());
  EXPECT_THAT(breaches_of("agent/commands/doctor/facts.cc",
                          "#include \"agent/netsnmp/query.h\"\n#include \"agent/commands/x.h\"\n"),
              IsEmpty());
  EXPECT_THAT(breaches_of("agent/daemon.cc", "#include \"agent/daemon.h\"\n"), IsEmpty());
  EXPECT_THAT(breaches_of("agent/main.cc", "#include \"kernel/sock_diag.h\"\n"), IsEmpty());
}

TEST(IncludeLaw, NamesFileAndLineOfABreach) {
  EXPECT_THAT(breaches_of("src/tcp/socket.h", "#pragma once\n\n#include \"snmp/oid.h\"\n"),
              ElementsAre("src/tcp/socket.h:3: snmp/oid.h: src/tcp/ may not use it"));
}

TEST(IncludeLaw, KnowsEveryKindOfBreach) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"src/snmp/oid.cc", "#include \"tcp/state.h\""},
      {"src/tcp/state.cc", "#include <linux/tcp.h>"},
      {"src/tcp/snapshot.cc", "#include \"base/log.h\""},
      {"src/diag/message.cc", "#include <netlink/netlink.h>"},
      {"src/tables/index.cc", "#include <net-snmp/net-snmp-config.h>"},
      {"src/tables/index.cc", "#include \"diag/message.h\""},
      {"src/kernel/sock_diag.cc", "#include \"tables/registry.h\""},
      {"src/kernel/sock_diag.cc", "#include <boost/log/core.hpp>"},
      {"src/elsewhere/file.cc", "#include <vector>"},
      {"src/tcp/sources.h", "#include \"survey/sightings.h\""},
      {"src/kernel/sock_diag.cc", "#include \"survey/survey.h\""},
      {"agent/file.cc", "#include <vector>"},
      {"agent/elsewhere/file.cc", "#include <vector>"},
      {"agent/commands/show/show.cc", "#include \"kernel/sock_diag.h\""},
      {"agent/commands/show/show.cc", "#include \"agent/netsnmp/loop.h\""},
      {"agent/commands/show/show.cc", "#include <net-snmp/net-snmp-config.h>"},
      {"agent/commands/explain.cc", "#include <toml++/toml.h>"},
      {"agent/netsnmp/loop.cc", "#include <net-snmp/net-snmp-config.h>"},
      {"agent/netsnmp/query.h", "#include \"agent/commands/doctor/doctor.h\""},
      {"agent/serve/responder.h", "#include \"agent/config/config.h\""},
      {"agent/serve/responder.h", "#include \"agent/netsnmp/net_snmp.h\""},
      {"agent/agentx/session.cc", "#include \"agent/netsnmp/net_snmp.h\""},
      {"agent/agentx/session.cc", "#include \"base/log.h\""},
      {"agent/agentx/session.cc", "#include \"tcp/socket.h\""},
      {"agent/netsnmp/loop.h", "#include \"agent/agentx/session.h\""},
      {"agent/process/signals.h", "#include \"agent/serve/worker.h\""},
      {"agent/config/keys.cc", "#include <CLI/CLI.hpp>"},
      {"agent/daemon.cc", "#include \"kernel/sock_diag.h\""},
      {"agent/daemon.cc", "#include \"agent/commands/command_line.h\""},
      {"agent/main.cc", "#include \"agent/reference/manual.h\""},
  };
  for (const auto& [file, line] : wrong)
    EXPECT_FALSE(breaches_of(file, line).empty()) << file << ": " << line;
}

}  // namespace
}  // namespace tcpmibd
