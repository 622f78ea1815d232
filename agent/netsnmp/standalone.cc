#include "agent/netsnmp/standalone.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <optional>
#include <system_error>

#include "agent/netsnmp/callback.h"
#include "agent/netsnmp/loop.h"
#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/sys_or_row.h"
#include "agent/netsnmp/trap.h"
#include "agent/netsnmp/view_guard.h"
#include "base/log.h"
#include "tables/arc.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// The view of lines that name none; the library makes it include everything.
constexpr const char* kDefaultView = "_all_";
constexpr snmp::SubId kEverything[] = {0, 1, 2};
constexpr snmp::SubId kSystem[] = {1, 3, 6, 1, 2, 1, 1};
constexpr snmp::SubId kTcp[] = {1, 3, 6, 1, 2, 1, 6};

// What an agent tells the receivers of its notifications first (RFC 3418).
constexpr snmp::SubId kColdStart[] = {1, 3, 6, 1, 6, 3, 1, 1, 5, 1};

constexpr const char* kLoopbackOnly[] = {"rocommunity public 127.0.0.1", "rocommunity6 public ::1"};

// A line of configuration, as if it stood in a file.
void tell(std::string line) {
  netsnmp_config_remember(line.data());
  netsnmp_config_process_memories();
}

void narrow_default_view() {
  for (const snmp::SubId first : kEverything) {
    LibraryOid name(snmp::OidView(&first, 1));
    vacm_viewEntry* entry =
        vacm_getViewEntry(kDefaultView, name.data(), name.size(), VACM_MODE_FIND);
    if (entry != nullptr)
      entry->viewType = SNMP_VIEW_EXCLUDED;
  }
  for (const snmp::OidView seen : std::initializer_list<snmp::OidView>{kSystem, kTcp, tables::kArc})
    tell("view " + std::string(kDefaultView) + " included ." + snmp::to_text(seen));
}

// The library adds one at each start; of all its doings this is the one we do not leave to it.
void tell_identity(const EngineState& engine) {
  tell("exactEngineID 0x" + engine.id());
  tell("oldEngineID 0x" + engine.id());
  tell("engineBoots " + std::to_string(engine.boots() - 1));
}

std::string cure_of(int code) {
  switch (code) {
    case EADDRINUSE:
      return "another agent, perhaps snmpd, has this port: stop it or choose another";
    case EACCES:
    case EPERM:
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one";
    case EADDRNOTAVAIL:
      return "no interface has this address";
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return "see the limits of this process and the memory of this host";
    default:
      return "write it as udp:ADDRESS:PORT or udp6:[ADDRESS]:PORT";
  }
}

// Whether the kernel refused, and not the address itself was senseless.
bool is_refusal(int code) {
  return code == EADDRINUSE || code == EACCES || code == EPERM || code == EADDRNOTAVAIL ||
         is_scarcity(code);
}

Start listen_on(const std::string& address) {
  errno = 0;
  if (netsnmp_agent_listen_on(address.c_str()) >= 0)
    return {};
  const int code = is_refusal(errno) ? errno : 0;
  return start_failure(failure("listen on " + address, code, cure_of(code)),
                       code != 0 ? ExitStatus::kFailed : ExitStatus::kUsage);
}

std::string_view after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string_view::npos ? text : text.substr(at + mark.size());
}

// What the library says of a file, as we say such things. Where it names no line, it is the whole
// file that is meant.
Error mistake_in(const std::string& file, std::string_view line) {
  if (line.starts_with("Warning: no access control information"))
    return mistake(file,
                   "it lets nobody read; begin with a line like \"rocommunity public "
                   "127.0.0.1\"")
        .value();
  constexpr std::string_view kMark = ": line ";
  const std::string_view rest = after(line, kMark);
  if (rest == line)
    return mistake(file, std::string(line)).value();
  const std::string_view name = line.substr(0, line.size() - rest.size() - kMark.size());
  const std::string_view what = after(after(after(rest, ": "), "Error: "), "Warning: ");
  return mistake(std::string(name) + ':' + std::string(rest.substr(0, rest.find(':'))),
                 std::string(what))
      .value();
}

// The errno, where the library says in the system's words that it could not open a file for want of
// something. That is no mistake in the file.
std::optional<int> scarcity_in(const Error& complaint) {
  for (const int code : {EMFILE, ENFILE, ENOMEM}) {
    if (complaint.doing.ends_with(std::generic_category().message(code)))
      return code;
  }
  return std::nullopt;
}

extern "C" int on_configure(int, int, void*, void* self) noexcept {
  static_cast<Standalone*>(self)->configure();
  return 0;
}

}  // namespace

Standalone::Standalone(const Config::Standalone& config, Registration& registration,
                       LibraryLog& library_log)
    : config_(config), registration_(registration), library_log_(library_log) {
  library_log_.set_listener(
      [this](log::Level level, std::string_view line) { return hear(level, line); });
}

Standalone::~Standalone() { library_log_.set_listener({}); }

Start Standalone::start() {
  if (!config_.access.empty() && ::access(config_.access.c_str(), R_OK) != 0)
    return start_failure(failure("read the access file " + config_.access, errno,
                                 "make it readable for this user, or name another"),
                         ExitStatus::kUsage);
  if (Start start = open_state(); !start)
    return start;
  init_agent(kApplication);
  serve_discovery();
  if (Status status = registration_.announce(); !status)
    return start_failure(status.error());
  const Callback configuring(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG,
                             on_configure, this);
  init_snmp(kApplication);
  library_log_.set_listener({});
  if (Start start = check_access(); !start)
    return start;
  narrow_default_view();
  keep_groups_in_view();
  return listen();
}

Standing Standalone::standing() const {
  std::string addresses;
  for (const std::string& address : config_.addresses)
    addresses += (addresses.empty() ? "" : ", ") + address;
  return {.serving = true, .text = "serving SNMP on " + addresses};
}

// Without a state there is no SNMPv3: an agent that forgets how often it was started could be
// fooled with old messages. What is merely short now is no reason to do without it for good.
Start Standalone::open_state() {
  Result<EngineState> engine = EngineState::raise(engine_state_folder(config_.state));
  if (engine) {
    engine_ = *std::move(engine);
    return {};
  }
  if (is_scarcity(engine.error().code))
    return start_failure(tl::unexpected(engine.error()));
  log::warning("SNMPv3 is refused, v1 and v2c are served: " + engine.error().text());
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_V3, 1);
  return {};
}

// Before init_snmp(), for these bring the words of the access file with them.
void Standalone::serve_discovery() {
  init_vacm_vars();
  init_usmUser();
  init_system_mib();
  init_snmp_mib();
  init_snmpEngine();
  init_sysORTable();
  announce_capabilities();
}

void Standalone::configure() {
  if (engine_)
    tell_identity(*engine_);
  if (!config_.access.empty()) {
    read_config_with_type(config_.access.c_str(), kApplication);
    return;
  }
  for (const char* line : kLoopbackOnly)
    tell(line);
}

// The library takes a file with mistakes for a good one, and tells only the log of them:
// "FILE: line 7: Warning: Unknown token: rocomunity."
bool Standalone::hear(log::Level level, std::string_view line) {
  if (level < log::Level::kWarning)
    return false;
  complaints_.push_back(mistake_in(config_.access, line));
  return true;
}

// Of several mistakes the first one that has a line is the one to begin with.
Start Standalone::check_access() {
  if (complaints_.empty())
    return {};
  for (const Error& complaint : complaints_) {
    if (const std::optional<int> code = scarcity_in(complaint))
      return start_failure(failure("read the access file " + config_.access, *code));
  }
  std::stable_partition(complaints_.begin(), complaints_.end(),
                        [&](const Error& mistake) { return mistake.place != config_.access; });
  for (std::size_t i = 1; i < complaints_.size(); ++i)
    log::error(complaints_[i].text());
  return start_failure(tl::unexpected(complaints_.front()), ExitStatus::kUsage);
}

// Not with init_master_agent(), which opens a port for SMUX, too.
Start Standalone::listen() {
  netsnmp_set_lookup_cache_size(-1);  // the default, off until everything is registered
  for (const std::string& address : config_.addresses) {
    if (Start start = listen_on(address); !start)
      return start;
    log::notice("serving SNMP on " + address);
  }
  send_notification({.name = snmp::Oid(kColdStart), .objects = {}});
  return {};
}

}  // namespace tcpmibd::agent
