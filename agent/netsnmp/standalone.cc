#include "agent/netsnmp/standalone.h"

#include <algorithm>
#include <cerrno>
#include <initializer_list>

#include "agent/netsnmp/callback.h"
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

// What an agent sends to the receivers of its notifications first (RFC 3418).
constexpr snmp::SubId kColdStart[] = {1, 3, 6, 1, 6, 3, 1, 1, 5, 1};

// Who can open a socket of ours in the file system is on this host, too.
constexpr const char* kThisHostOnly[] = {
    "rocommunity public 127.0.0.1",
    "rocommunity6 public ::1",
    "com2secunix tcpmibdHere default public",
    "group tcpmibdHere v1 tcpmibdHere",
    "group tcpmibdHere v2c tcpmibdHere",
    "access tcpmibdHere \"\" any noauth exact _all_ none none"};

// A line of configuration, as if it stood in a file.
void hand_over(std::string line) {
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
    hand_over("view " + std::string(kDefaultView) + " included ." + snmp::to_text(seen));
}

// The library adds one at each start; of all its doings this is the one we do not leave to it.
void configure_identity(const EngineState& engine) {
  hand_over("exactEngineID 0x" + engine.id());
  hand_over("oldEngineID 0x" + engine.id());
  hand_over("engineBoots " + std::to_string(engine.boots() - 1));
}

std::string_view without(std::string_view text, std::string_view start) {
  return text.starts_with(start) ? text.substr(start.size()) : text;
}

// What the library says of a line of ours, "(null): line 0: Warning: Unknown token: rocomunity.",
// without what it believes to know of files.
std::string said_of_line(std::string_view text) {
  constexpr std::string_view kPlace = "(null): line 0: ";
  return std::string(without(without(without(text, kPlace), "Error: "), "Warning: "));
}

// What it says of the file as a whole.
std::string said_of_file(std::string_view text) {
  if (text.starts_with("Warning: no access control information"))
    return "it lets nobody read; begin with a line like \"rocommunity public 127.0.0.1\"";
  return std::string(text);
}

extern "C" int on_configure(int, int, void*, void* self) noexcept {
  static_cast<Standalone*>(self)->configure();
  return 0;
}

}  // namespace

Standalone::Standalone(const Config::Standalone& config, Registration& registration,
                       LibraryLog& library_log, PduLog& pdus)
    : config_(config),
      registration_(registration),
      library_log_(library_log),
      ports_(config.connections, pdus) {
  library_log_.set_listener(
      [this](log::Level level, std::string_view line) { return hear(level, line); });
}

Standalone::~Standalone() { library_log_.set_listener({}); }

Start Standalone::start() {
  if (Status status = read_access(); !status)
    return start_failure(tl::unexpected(status.error()), status_of_mistake(status.error()));
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
  receivers_.guard();
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

void Standalone::set_limits(const Config::Connections& limits) { ports_.set_limits(limits); }

void Standalone::settle() { ports_.settle(Clock::now()); }

Status Standalone::read_access() {
  if (config_.access.empty())
    return {};
  return read_access_file(config_.access).map([this](std::vector<AccessLine> lines) {
    access_ = std::move(lines);
  });
}

// Each for our own type of files: by its own way the library would try all that it knows.
void Standalone::configure_access() {
  for (const AccessLine& line : access_) {
    line_ = line.number;
    hand_over('[' + std::string(kApplication) + "] " + line.word + ' ' + line.value);
  }
  line_ = 0;
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
    configure_identity(*engine_);
  if (!config_.access.empty()) {
    configure_access();
    return;
  }
  for (const char* line : kThisHostOnly)
    hand_over(line);
}

// The library takes lines with mistakes for good ones, and reports them in the log only.
bool Standalone::hear(log::Level level, std::string_view line) {
  if (level < log::Level::kWarning)
    return false;
  complaints_.push_back(
      line_ == 0
          ? mistake(config_.access, said_of_file(line)).value()
          : mistake(config_.access + ':' + std::to_string(line_), said_of_line(line)).value());
  return true;
}

// Of several mistakes the first one that has a line is the one to begin with.
Start Standalone::check_access() {
  if (complaints_.empty())
    return {};
  std::stable_partition(complaints_.begin(), complaints_.end(),
                        [&](const Error& mistake) { return mistake.place != config_.access; });
  for (std::size_t i = 1; i < complaints_.size(); ++i)
    log::error(complaints_[i].text());
  return start_failure(tl::unexpected(complaints_.front()), ExitStatus::kUsage);
}

// An access file that admits nobody over unix: is valid, but hardly what was meant.
void Standalone::judge_unix(const std::string& address) const {
  if (config_.access.empty() || !address.starts_with("unix:") || admit_without_address(access_))
    return;
  log::warning("nobody can read over " + address + ": " + config_.access +
               " needs a user of SNMPv3, or for communities the lines \"com2secunix here default "
               "COMMUNITY\", \"group here v2c here\" and \"access here \"\" any noauth exact VIEW "
               "none none\"");
}

// Not with init_master_agent(), which opens a port for SMUX, too.
Start Standalone::listen() {
  netsnmp_set_lookup_cache_size(-1);  // the default, off until everything is registered
  for (const std::string& address : config_.addresses) {
    if (Start start = ports_.open(address); !start)
      return start;
    log::notice("serving SNMP on " + address);
    judge_unix(address);
  }
  send_notification({.name = snmp::Oid(kColdStart), .objects = {}});
  return {};
}

}  // namespace tcpmibd::agent
