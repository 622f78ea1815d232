#include "agent/commands/doctor/facts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "agent/agentx/instance_lock.h"
#include "agent/agentx/master_address.h"
#include "agent/agentx/master_start.h"
#include "agent/agentx/ping.h"
#include "agent/config/config.h"
#include "agent/netsnmp/query.h"
#include "base/drop_ins.h"
#include "base/input_file.h"
#include "base/mount.h"
#include "base/read_file.h"
#include "base/words.h"
#include "tables/groups.h"

namespace tcpmibd::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServiceUser = "tcpmibd";

// Empty where it cannot be read.
std::string text_of(const fs::path& file) { return read_file(file).value_or(""); }

std::string_view line_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos)
    return {};
  text.remove_prefix(at + word.size());
  return text.substr(0, text.find('\n'));
}

template <typename Number>
std::vector<Number> numbers(std::string_view text, int base = 10) {
  std::vector<Number> found;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    if (const std::optional<Number> read = number<Number>(word, base))
      found.push_back(*read);
  }
  return found;
}

// ---- the configuration --------------------------------------------------------------------------

std::string files_text(const Options& options) {
  const std::vector<std::string> files =
      configuration_files(options.config_file, options.config_given)
          .value_or(std::vector<std::string>());
  const bool has_main = !files.empty() && files.front() == options.config_file;
  const std::size_t drop_ins = files.size() - (has_main ? 1 : 0);
  const std::string first =
      has_main ? options.config_file : "the defaults, for there is no " + options.config_file;
  return drop_ins == 0 ? first : first + " and " + std::to_string(drop_ins) + " of conf.d";
}

// Of a configuration that cannot be read the defaults are judged: there is more to look at.
Config read_configuration(const Options& options, DoctorFacts& facts) {
  const Result<Config> config =
      load_config(options.config_file, options.config_given, options.overrides);
  if (config)
    facts.configuration_files = files_text(options);
  else
    facts.configuration = tl::unexpected(config.error());
  return config.value_or(Config());
}

void take_settings(const Config& config, DoctorFacts& facts) {
  facts.process_lookup = config.process.lookup;
  facts.watches_ends = config.ends.watch;
  facts.deletion = config.delete_tcb.policy;
  facts.scalars_served = config.mib.tables.contains(tables::Group::kScalars);
  facts.arc_served = config.mib.tables.contains(tables::Group::kTcpmibd);
  facts.standalone = !config.standalone.addresses.empty();
  facts.master = config.agentx.address;
}

// ---- the kernel ---------------------------------------------------------------------------------

void look_at_kernel(const DoctorSources& sources, DoctorFacts& facts) {
  facts.reading = sources.read_sockets();
  facts.mptcp = sources.look_at_mptcp();
  facts.destroying = sources.can_destroy();
  facts.bpf = sources.can_use_bpf();
  facts.ends = sources.can_watch_ends();
  facts.tcp_diag_loaded = ::access("/sys/module/tcp_diag", F_OK) == 0;
  facts.modules_disabled = text_of("/proc/sys/kernel/modules_disabled").starts_with('1');
  facts.hidepid = hidepid_of(text_of("/proc/self/mountinfo"));
}

// ---- whose rights are judged --------------------------------------------------------------------

std::string status_file(std::uint32_t pid) { return "/proc/" + std::to_string(pid) + "/status"; }

// The process behind the instance's name, where this user can find it.
std::optional<std::uint32_t> pid_of_instance(std::uint32_t inode, tcp::ProcessLookup& processes) {
  const Result<tcp::ProcessMap> map = processes.read({inode});
  if (!map || map->holders(inode).empty())
    return std::nullopt;
  return map->holders(inode).front().pid;
}

// The user that the package makes for the daemon, without any capability; none where there is none.
std::optional<Subject> service_user() {
  const passwd* user = ::getpwnam(kServiceUser);
  if (user == nullptr)
    return std::nullopt;
  std::array<gid_t, 64> groups{};
  int count = groups.size();
  if (::getgrouplist(kServiceUser, user->pw_gid, groups.data(), &count) < 0)
    count = groups.size();
  return Subject{.name = "the user tcpmibd",
                 .uid = user->pw_uid,
                 .groups = {groups.begin(), groups.begin() + count}};
}

Subject this_process() { return subject_of(text_of("/proc/self/status"), "this user"); }

// None once it has ended.
std::optional<Subject> running(std::uint32_t pid) {
  const std::string status = text_of(status_file(pid));
  if (status.empty())
    return std::nullopt;
  return subject_of(status, "tcpmibd (pid " + std::to_string(pid) + ")");
}

// Who else is judged: of root the user it would run as, else this process.
Subject find_subject() {
  if (::geteuid() == 0) {
    if (std::optional<Subject> user = service_user())
      return *std::move(user);
  }
  return this_process();
}

void find_instance(const MasterAddress& master, const DoctorSources& sources, DoctorFacts& facts) {
  std::optional<std::uint32_t> pid;
  if (const std::optional<std::string> identity = master.identity()) {
    const std::uint32_t inode = inode_of(text_of("/proc/net/unix"), instance_name(*identity));
    facts.instance = inode != 0;
    if (facts.instance)
      pid = pid_of_instance(inode, sources.processes);
  }
  const std::optional<Subject> daemon = pid ? running(*pid) : std::nullopt;
  facts.holdings.by_running = daemon.has_value();
  facts.subject = daemon ? *daemon : find_subject();
}

void look_at_capabilities(const Config& config, DoctorFacts& facts) {
  facts.holdings.used = needed_privileges(config, facts.subject.capabilities);
  facts.holdings.idle = idle_privileges(config, facts.subject.capabilities);
}

// ---- the master ---------------------------------------------------------------------------------

SocketPath look_at_path(const fs::path& path) {
  SocketPath found;
  fs::path step;
  for (const fs::path& name : path) {
    step /= name;
    struct stat status {};
    if (::stat(step.c_str(), &status) != 0) {
      found.error = errno;
      break;
    }
    found.steps.push_back({step, status.st_mode, status.st_uid, status.st_gid});
  }
  return found;
}

void look_at_module(const Config& config, DoctorFacts& facts) {
  const std::string& path = config.agentx.module_socket;
  facts.module = path.empty() ? ModuleSight::kOff : module_at(text_of("/proc/net/unix"), path);
}

void look_at_master(const MasterAddress& master, DoctorFacts& facts) {
  if (const std::optional<std::string> path = master.path())
    facts.socket = look_at_path(*path);
  facts.ping = ping_master(master);
}

// ---- snmpd's files ------------------------------------------------------------------------------

// They are not ours to judge, but a FIFO among them must not hold us either.
void read_snmpd_file(const fs::path& file, DoctorFacts& facts) {
  const Result<std::string> text =
      read_input({.name = file, .writers = InputFile::Writers::kAnybody});
  if (!text) {
    if (text.error().code != ENOENT)
      facts.unreadable.push_back(text.error().text());
    return;
  }
  if (const auto socket = MasterAddress(facts.master).path();
      socket && agentx::started_before(*socket, file))
    facts.too_new.push_back(file);
  const std::vector<SnmpdLine> lines = snmpd_lines(file, *text);
  facts.snmpd.insert(facts.snmpd.end(), lines.begin(), lines.end());
}

// The file and those of the folder snmpd.conf.d beside it, which Debian's includes; snmpd passes
// over hidden ones.
void read_snmpd_files(const fs::path& file, DoctorFacts& facts) {
  constexpr std::size_t kMost = 1000;
  const Result<std::vector<std::string>> files =
      drop_in_files(file.parent_path() / "snmpd.conf.d", ".conf", kMost);
  std::error_code error;
  if (!fs::exists(file, error) && !error)
    facts.unreadable.push_back("there is no " + file.string() +
                               ": is snmpd installed? --snmpd-conf names another");
  read_snmpd_file(file, facts);
  if (!files)
    facts.unreadable.push_back(files.error().text());
  for (const std::string& each : files.value_or(std::vector<std::string>()))
    read_snmpd_file(each, facts);
}

}  // namespace

DoctorFacts gather_facts(const Options& options, const DoctorSources& sources) {
  DoctorFacts facts;
  const Config config = read_configuration(options, facts);
  take_settings(config, facts);
  look_at_kernel(sources, facts);
  facts.subject = this_process();
  if (!facts.standalone) {
    const MasterAddress master(facts.master);
    find_instance(master, sources, facts);
    look_at_master(master, facts);
    look_at_module(config, facts);
    read_snmpd_files(options.snmpd_conf, facts);
  }
  look_at_capabilities(config, facts);
  if (!options.query.empty()) {
    facts.query = options.query;
    facts.seen = query_agent(options.query, options.community);
  }
  return facts;
}

Subject subject_of(std::string_view status, std::string name) {
  Subject subject{.name = std::move(name)};
  // Real, effective, saved and that of the file system.
  const std::vector<uid_t> users = numbers<uid_t>(line_after(status, "\nUid:"));
  const std::vector<gid_t> primary = numbers<gid_t>(line_after(status, "\nGid:"));
  const auto capabilities = numbers<std::uint64_t>(line_after(status, "\nCapEff:"), 16);
  if (users.size() == 4)
    subject.uid = users[3];
  subject.groups = numbers<gid_t>(line_after(status, "\nGroups:"));
  if (primary.size() == 4)
    subject.groups.push_back(primary[3]);
  if (!capabilities.empty())
    subject.capabilities = capabilities[0];
  return subject;
}

std::string hidepid_of(std::string_view mountinfo) {
  std::string value;
  while (const std::optional<Mount> mount = take_mount(mountinfo)) {
    if (mount->type == "proc" && mount->directory == "/proc")
      value = mount->option("hidepid");
  }
  return value;  // of the last one: it lies over the others
}

namespace {

// A line of /proc/net/unix: "0000…: 00000002 00000000 00010000 0001 01 18233 /run/socket"
struct UnixSocket {
  std::string_view state;
  std::optional<std::uint32_t> inode;
  std::string_view name;
};

UnixSocket take_unix_socket(std::string_view& sockets) {
  constexpr int kBeforeState = 5;
  std::string_view line = take_until(sockets, '\n');
  for (int i = 0; i < kBeforeState; ++i)
    take_word(line);
  UnixSocket socket{.state = take_word(line), .inode = {}, .name = {}};
  socket.inode = number<std::uint32_t>(take_word(line));
  socket.name = take_word(line);
  return socket;
}

}  // namespace

std::uint32_t inode_of(std::string_view sockets, std::string_view name) {
  while (!sockets.empty()) {
    const UnixSocket socket = take_unix_socket(sockets);
    if (socket.name == '@' + std::string(name))
      return socket.inode.value_or(0);
  }
  return 0;
}

// The daemon's end of a connection bears the name that it listens at.
ModuleSight module_at(std::string_view sockets, std::string_view path) {
  constexpr std::string_view kConnected = "03";  // SS_CONNECTED of <linux/net.h>
  ModuleSight sight = ModuleSight::kAbsent;
  while (!sockets.empty()) {
    const UnixSocket socket = take_unix_socket(sockets);
    if (socket.name == path && socket.state == kConnected)
      return ModuleSight::kConnected;
    if (socket.name == path)
      sight = ModuleSight::kAlone;
  }
  return sight;
}

}  // namespace tcpmibd::agent
