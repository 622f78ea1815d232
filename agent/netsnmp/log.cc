#include "agent/netsnmp/log.h"

#include <syslog.h>

#include <algorithm>
#include <string>

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// How the lines begin that say nothing an operator has to know, or what we say in our own words.
constexpr std::string_view kChatter[] = {
    "NET-SNMP version",
    "Error opening specified endpoint",
    // In one group with the next line, as is usual for answers to a manager that is gone.
    "send response",
    "    -- ",
};

log::Level level_of(int priority) {
  if (priority <= LOG_ERR)
    return log::Level::kError;
  switch (priority) {
    case LOG_WARNING:
      return log::Level::kWarning;
    case LOG_NOTICE:
      return log::Level::kNotice;
    case LOG_INFO:
      return log::Level::kInfo;
    default:
      return log::Level::kDebug;
  }
}

bool is_chatter(std::string_view text) {
  return std::ranges::any_of(kChatter,
                             [&](std::string_view start) { return text.starts_with(start); });
}

std::string_view trimmed(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \r\n\t") + 1);
}

extern "C" int on_log(int, int, void* message, void* self) noexcept {
  const auto& line = *static_cast<const snmp_log_message*>(message);
  static_cast<LibraryLog*>(self)->take(line.priority, line.msg);
  return 0;
}

}  // namespace

LibraryLog::LibraryLog() : callback_(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, this) {
  snmp_disable_stderrlog();
  snmp_enable_calllog();
}

LibraryLog::~LibraryLog() { snmp_disable_calllog(); }

void LibraryLog::take(int priority, std::string_view text) {
  text = trimmed(text);
  const log::Level level = level_of(priority);
  if (text.empty() || (listener_ && listener_(level, text)))
    return;
  const std::string line = "Net-SNMP: " + std::string(text);
  if (is_chatter(text))
    log::debug(line);
  else
    lines_.write(level, line);
}

}  // namespace tcpmibd::agent
