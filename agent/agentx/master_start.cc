#include "agent/agentx/master_start.h"

#include <sys/stat.h>

#include <tuple>

namespace tcpmibd::agent::agentx {
namespace {

bool is_later(const timespec& left, const timespec& right) {
  return std::tie(left.tv_sec, left.tv_nsec) > std::tie(right.tv_sec, right.tv_nsec);
}

}  // namespace

// Of the file the time of change: a copy may have kept the time of modification of its original.
bool started_before(const std::string& socket, const std::string& file) {
  struct stat made {};
  struct stat written {};
  return ::stat(socket.c_str(), &made) == 0 && ::stat(file.c_str(), &written) == 0 &&
         is_later(written.st_ctim, made.st_mtim);
}

std::string restart_cure(const std::string& file) {
  return "restart snmpd: it was started before " + file + " was written";
}

}  // namespace tcpmibd::agent::agentx
