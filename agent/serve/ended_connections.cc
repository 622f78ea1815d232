#include "agent/serve/ended_connections.h"

#include <variant>

namespace tcpmibd::agent {

void EndedConnections::add(const tcp::Socket& ended, Time now) {
  last_ = now;
  if (ended.state == tcp::State::kListen || ended.id.interface != 0)
    unnamed_at_ = now;
  else
    ended_.insert_or_assign(tcp::ends_of(ended), now);
}

bool EndedConnections::hides(const tcp::Question& question, Time taken_at) const {
  const auto* connection = std::get_if<tcp::ConnectionQuery>(&question);
  if (connection == nullptr)
    return false;
  const auto found = ended_.find(tcp::ends_of(*connection));
  return found != ended_.end() && taken_at < found->second;
}

void EndedConnections::forget_before(Time oldest) {
  std::erase_if(ended_, [&](const auto& ended) { return ended.second <= oldest; });
}

}  // namespace tcpmibd::agent
