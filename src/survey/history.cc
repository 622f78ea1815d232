#include "survey/history.h"

#include <algorithm>
#include <tuple>

namespace tcpmibd::tcp {

void History::add(const Ended& ended, WallTime at, std::uint32_t number) {
  if (most_ == 0)
    return;
  const bool begins_anew = !rows_.empty() && number < newest(0).number;
  if (rows_.size() < most_) {
    rows_.push_back({number, at, ended});
  } else {
    rows_[next_] = {number, at, ended};
    next_ = (next_ + 1) % most_;
    before_new_count_ -= before_new_count_ == 0 ? 0 : 1;
  }
  if (begins_anew)
    before_new_count_ = rows_.size() - 1;
}

const NumberedEnd& History::in_order(std::size_t position) const {
  return by_age((before_new_count_ + position) % rows_.size());
}

const NumberedEnd& History::newest(std::size_t position) const {
  return by_age(rows_.size() - 1 - position);
}

namespace {

// What `slot` holds; read first where it is empty.
template <typename Part, typename Read>
const Part& once(std::optional<Part>& slot, Read read) {
  if (!slot)
    slot.emplace(read());
  return *slot;
}

std::vector<RemoteEnds> in_mib_order(std::vector<RemoteEnds> remotes) {
  std::ranges::sort(remotes, {}, [](const RemoteEnds& row) {
    return std::tuple(row.family, row.service.address, row.service.port);
  });
  return remotes;
}

}  // namespace

const EndCounts& EndsFigures::counts() const {
  return once(counts_, [this] { return source_.counts(); });
}

const std::vector<PortEnds>& EndsFigures::ports() const {
  return once(ports_, [this] { return source_.ports(); });
}

const std::vector<RemoteEnds>& EndsFigures::remotes() const {
  return once(remotes_, [this] { return in_mib_order(source_.remotes()); });
}

const std::vector<ClosedPort>& EndsFigures::closed_ports() const {
  return once(closed_ports_, [this] { return source_.closed_ports(); });
}

const EndLosses& EndsFigures::losses() const {
  return once(losses_, [this] { return source_.losses(); });
}

}  // namespace tcpmibd::tcp
