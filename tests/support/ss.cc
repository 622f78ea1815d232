#include "support/ss.h"

#include <algorithm>
#include <sstream>

#include "support/process.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

// "users:(("nginx",pid=12,fd=3),("nginx",pid=11,fd=3))" -> {11, 12}
std::vector<int> pids_in(const std::string& users) {
  std::vector<int> pids;
  for (std::size_t at = users.find("pid="); at != std::string::npos; at = users.find("pid=", at))
    pids.push_back(std::stoi(users.substr(at += 4)));
  std::ranges::sort(pids);
  pids.erase(std::ranges::unique(pids).begin(), pids.end());
  return pids;
}

// ss writes "[fe80::1]%eth0:80" for "[fe80::1%eth0]:80"; cuts the device out and returns it.
std::string take_device(std::string& end) {
  const std::size_t percent = end.find('%');
  if (percent == std::string::npos)
    return {};
  const std::size_t colon = end.rfind(':');
  const std::string device = end.substr(percent + 1, colon - percent - 1);
  end.erase(percent, colon - percent);
  return device;
}

SsRow row_of(const std::string& line) {
  SsRow row;
  std::string local, remote, users;
  std::istringstream(line) >> row.state >> row.received >> row.unsent >> local >> remote >> users;
  row.device = take_device(local);
  take_device(remote);
  row.ends.local = end_of(local);
  if (row.state != "LISTEN")
    row.ends.remote = end_of(remote);
  for (End* end : {&row.ends.local, &row.ends.remote}) {
    if (is_link_local(*end))
      end->zone = end_of("[fe80::%" + row.device + "]:0").zone;
  }
  row.pids = pids_in(users);
  return row;
}

// Neither listens nor has a connection: since 6.8 ss lists those, too.
bool is_bound_only(const SsRow& row) { return row.state == "UNCONN"; }

}  // namespace

std::vector<SsRow> list_sockets(const Namespace& space, Holders holders) {
  const Output output =
      run({"ss", holders == Holders::kYes ? "-HOtanp" : "-HOtan"}, {.in = &space});
  if (output.status != 0)
    throw Trouble("ss: " + output.err);
  return space.run([&] {
    std::vector<SsRow> rows;
    std::istringstream lines(output.out);
    for (std::string line; std::getline(lines, line);)
      rows.push_back(row_of(line));
    std::erase_if(rows, is_bound_only);
    return rows;
  });
}

std::string state_by_ss(const Namespace& space, const Ends& ends) {
  for (const SsRow& row : list_sockets(space)) {
    if (row.ends == ends && row.state != "LISTEN")
      return row.state;
  }
  return "gone";
}

std::string listener_by_ss(const Namespace& space, const End& local) {
  for (const SsRow& row : list_sockets(space)) {
    if (row.state == "LISTEN" && row.ends.local == local)
      return row.state;
  }
  return "gone";
}

}  // namespace tcpmibd::lab
