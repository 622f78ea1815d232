#include "agent/serve/audit.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/message_ids.h"
#include "tcp/deletion.h"

namespace tcpmibd::agent {

Audit::~Audit() {
  for (const Waiting& waiting : waiting_)
    write(waiting.deletion, std::nullopt);
}

void Audit::record(Deletion deletion) {
  ++(deletion.done ? done_ : refused_);
  Waiting waiting{std::move(deletion), Clock::now()};
  if (write_if_known(waiting))
    return;
  owners_.want(waiting.deletion.socket.inode);
  waiting_.push_back(std::move(waiting));
}

void Audit::settle() {
  const std::shared_ptr<const tcp::ProcessMap> map = owners_.newest();
  if (map == nullptr || map->taken_at() == settled_by_)
    return;
  settled_by_ = map->taken_at();
  std::erase_if(waiting_, [&](const Waiting& waiting) { return write_if_known(waiting); });
  // The one that was under way when they were wanted need not have heard of them.
  for (const Waiting& waiting : waiting_)
    owners_.want(waiting.deletion.socket.inode);
}

// A socket keeps its inode after its connection has been ended, for as long as it is held.
bool Audit::write_if_known(const Waiting& waiting) const {
  const std::uint32_t inode = waiting.deletion.socket.inode;
  const std::shared_ptr<const tcp::ProcessMap> map = owners_.newest();
  std::optional<std::uint32_t> pid;
  if (inode == 0)
    pid = 0;
  else if (map != nullptr)
    pid = map->lowest(inode);
  const bool is_final = map != nullptr && map->taken_at() >= waiting.since;
  if (!pid && !is_final)
    return false;
  write(waiting.deletion, pid.value_or(0));
  return true;
}

std::string Audit::owner(std::optional<std::uint32_t> pid, const std::string& command) {
  if (!pid)
    return "owner unknown";
  if (*pid == 0)
    return "no process";
  return "pid " + std::to_string(*pid) + (command.empty() ? "" : " ") + command;
}

void Audit::write(const Deletion& deletion, std::optional<std::uint32_t> pid) const {
  const std::string ends = tcp::to_text(deletion.socket);
  const std::string state(tcp::names_of(deletion.socket.state).mib);
  const std::string command = pid.value_or(0) == 0 ? "" : owners_.command_of(*pid);
  const std::size_t space = ends.find(' ');
  log::write(
      log::Level::kNotice,
      "deleteTCB " + ends + " (" + state + ", " + owner(pid, command) + "): " + deletion.outcome,
      {log::field_of(deletion.done ? log::kConnectionEnded : log::kDeletionRefused),
       {"TCP_LOCAL", ends.substr(0, space)},
       {"TCP_REMOTE", ends.substr(space + 1)},
       {"TCP_STATE", state},
       {"TCP_PID", std::to_string(pid.value_or(0))},
       {"TCP_COMMAND", command},
       {"TCP_OUTCOME", deletion.outcome}});
  if (owners_.on_written)
    owners_.on_written(deletion, pid.value_or(0), command);
}

}  // namespace tcpmibd::agent
