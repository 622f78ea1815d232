#include "agent/serve/stock.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace tcpmibd::agent {

void Stock::receive(News news) {
  if (news.snapshot != nullptr) {
    note(*news.snapshot);
    previous_ = std::exchange(current_, std::move(news.snapshot));
  }
  if (news.counts != nullptr) {
    warn_of_mptcp(news.counts->mptcp_sight());
    note_gauges(news.counts->gauge_doubt());
    counts_ = std::move(news.counts);
  }
  if (news.survey != nullptr)
    survey_ = std::move(news.survey);
  if (news.snapshot_failure) {
    fail(*news.snapshot_failure);
    failed_at_ = news.snapshot_failure->began;
    failure_ = news.snapshot_failure->error;
    ++figures_.failures;
  }
  receive_processes(news);
}

// Without a look-up every process is unknown, which the MIB writes as 0.
void Stock::receive_processes(News& news) {
  if (news.processes != nullptr) {
    processes_ = std::move(news.processes);
    processes_denied_ = processes_->denied();
    processes_serve_until_ = news.processes_serve_until;
  }
  if (news.owners != nullptr)
    owners_ = std::move(news.owners);
  if (!news.processes_failure)
    return;
  fail(*news.processes_failure);
  const Time began = news.processes_failure->began;
  processes_ = std::make_shared<const tcp::ProcessMap>(tcp::ProcessMap::build({}, {}, 0, began));
  owners_ = std::make_shared<const tcp::Owners>(tcp::Owners::none(began));
}

void Stock::fail(const Failure& failure) {
  failures_.write(log::Level::kError, failure.error.text());
}

void Stock::note(const tcp::Snapshot& snapshot) {
  figures_.taken_at = snapshot.taken_at();
  figures_.rows = static_cast<std::uint32_t>(snapshot.rows());
  figures_.merged = snapshot.merged();
  figures_.took = snapshot.took();
  figures_.took_most = std::max(figures_.took_most, snapshot.took());
  figures_.unknown_states += snapshot.unknown_states();
  ++figures_.taken;
  warn_of_mptcp(snapshot.mptcp_sight());
  if (snapshot.gauge_doubt() == tcp::GaugeDoubt::kRefuted)
    note_gauges(tcp::GaugeDoubt::kRefuted);
}

// When it changes. That they are wrong is for good, and nobody expects it.
void Stock::note_gauges(tcp::GaugeDoubt doubt) {
  if (std::exchange(gauge_doubt_, doubt) == doubt)
    return;
  if (doubt == tcp::GaugeDoubt::kNone)
    return log::debug("counts by state are made by the kernel's gauges");
  log::write(doubt == tcp::GaugeDoubt::kRefuted ? log::Level::kWarning : log::Level::kDebug,
             "counts by state take a dump of all sockets: " + std::string(reason_of(doubt)));
}

// Once; where there is nothing to be seen for a while, nothing has changed.
void Stock::warn_of_mptcp(tcp::MptcpSight sight) {
  if (sight == tcp::MptcpSight::kHidden && !mptcp_hidden_)
    log::warning(std::string(tcp::kMptcpHidden) + " (" + tcp::kMptcpCure + ")");
  mptcp_hidden_ =
      sight == tcp::MptcpSight::kHidden || (mptcp_hidden_ && sight != tcp::MptcpSight::kSeen);
}

std::optional<Time> Stock::oldest() const {
  const SharedSnapshot& oldest = previous_ != nullptr ? previous_ : current_;
  return oldest != nullptr ? std::optional(oldest->taken_at()) : std::nullopt;
}

std::optional<Duration> Stock::tidy(Time now, const Freshness& freshness) {
  std::optional<Duration> longest;
  const auto is_idle = [&](const auto& data, Duration most_age) {
    if (data == nullptr)
      return false;
    const Duration left = Freshness::kept_until(data->taken_at(), most_age) - now;
    if (left > Duration())
      longest = std::max(left, longest.value_or(left));
    return left <= Duration();
  };
  for (SharedSnapshot* snapshot : {&previous_, &current_}) {
    if (*snapshot != nullptr && is_idle(*snapshot, freshness.most_age((*snapshot)->took())))
      snapshot->reset();
  }
  if (counts_ != nullptr && is_idle(counts_, freshness.most_age(counts_->took())))
    counts_.reset();
  if (is_idle(processes_, freshness.ages().processes)) {
    last_listeners_ = listeners();
    processes_.reset();
  }
  if (is_idle(owners_, freshness.ages().processes))
    last_owners_ =
        std::make_shared<const tcp::Owners>(std::exchange(owners_, nullptr)->rows_alone());
  const auto forget_when_old = [&](auto& data) {
    if (data != nullptr && now - data->taken_at() > Freshness::kMostAgeOnEntering)
      data.reset();
  };
  forget_when_old(last_listeners_);
  forget_when_old(last_owners_);
  return longest;
}

// Who holds the sockets that listen: far less than all of the map.
Stock::SharedProcesses Stock::listeners() const {
  std::vector<std::uint32_t> inodes;
  if (survey_ != nullptr)
    std::ranges::transform(survey_->listening(), std::back_inserter(inodes),
                           &tcp::ListeningSocket::inode);
  return std::make_shared<const tcp::ProcessMap>(processes_->only(std::move(inodes)));
}

}  // namespace tcpmibd::agent
