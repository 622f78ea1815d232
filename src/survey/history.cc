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

EndsFigures figures_of(EndsSource& source) {
  EndsFigures figures{.counts = source.counts(),
                      .ports = source.ports(),
                      .remotes = source.remotes(),
                      .closed_ports = source.closed_ports(),
                      .losses = source.losses()};
  std::ranges::sort(figures.remotes, {}, [](const RemoteEnds& row) {
    return std::tuple(row.family, row.service.address, row.service.port);
  });
  return figures;
}

}  // namespace tcpmibd::tcp
