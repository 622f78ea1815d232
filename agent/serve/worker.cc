#include "agent/serve/worker.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace tcpmibd::agent {

namespace {

// A look-up reads every descriptor of the host, so it may begin this often at most, and take no
// more than this part of the time.
constexpr Duration kProcessesApart = std::chrono::seconds(1);
constexpr int kProcessesShare = 4;

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const WorkerSources& sources,
                                              const tcp::AddressForms& forms) {
  FileDescriptor ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ready)
    return failure("create an eventfd", errno);
  std::unique_ptr<Worker> worker(new Worker(sources, forms, std::move(ready)));
  if (const Status begun = worker->begin(); !begun)
    return tl::unexpected(begun.error());
  return worker;
}

Worker::Worker(const WorkerSources& sources, const tcp::AddressForms& forms, FileDescriptor ready)
    : sources_(sources),
      forms_(forms),
      ready_(std::move(ready)),
      surveyor_({sources.sockets, sources.pressure, sources.units}) {}

Status Worker::begin() try {
  thread_ = std::thread([this] { work(); });
  return {};
} catch (const std::system_error& error) {
  return failure("start a thread", error.code().value(),
                 "see TasksMax and the limits of processes");
}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wanted_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void Worker::want_snapshot() {
  {
    const std::lock_guard lock(mutex_);
    const bool on_its_way = under_way_ == Job::kSnapshot || news_.snapshot != nullptr;
    wishes_.snapshot = wishes_.snapshot || !on_its_way;
  }
  wanted_.notify_one();
}

void Worker::want_counts() {
  {
    const std::lock_guard lock(mutex_);
    const bool on_their_way = under_way_ == Job::kSnapshot || under_way_ == Job::kCounts ||
                              news_.snapshot != nullptr || news_.counts != nullptr;
    wishes_.counts = wishes_.counts || !on_their_way;
  }
  wanted_.notify_one();
}

void Worker::retire(std::shared_ptr<const tcp::Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  retired_.swap(snapshot);
}

void Worker::want_survey(Time oldest) {
  {
    const std::lock_guard lock(mutex_);
    wishes_.survey = std::max(oldest, wishes_.survey.value_or(oldest));
  }
  wanted_.notify_one();
}

void Worker::want_processes(const std::vector<std::uint32_t>& asked) {
  {
    const std::lock_guard lock(mutex_);
    wishes_.processes = wishes_.processes || under_way_ != Job::kProcesses;
    wishes_.asked.insert(wishes_.asked.end(), asked.begin(), asked.end());
  }
  wanted_.notify_one();
}

void Worker::want_owners() {
  {
    const std::lock_guard lock(mutex_);
    wishes_.owners = wishes_.owners || !owners_under_way_;
  }
  wanted_.notify_one();
}

News Worker::take() {
  eventfd_t ignored;
  ::eventfd_read(ready_.get(), &ignored);
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, News());
}

void Worker::work() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    Wishes wishes;
    under_way_ = next_job(wishes);
    if (under_way_ == Job::kNone && (wishes_.processes || wishes_.owners)) {
      wanted_.wait_until(lock, next_processes_);
    } else if (under_way_ == Job::kNone) {
      wanted_.wait(lock);
    } else {
      const Job job = under_way_;
      lock.unlock();
      build(job, std::move(wishes));
      lock.lock();
    }
  }
}

void Worker::build(Job job, Wishes wishes) {
  switch (job) {
    case Job::kNone:
      return;
    case Job::kSnapshot:
      return build_sockets(wishes);
    case Job::kCounts:
      return build_counts();
    case Job::kProcesses:
      return build_processes(std::move(wishes));
  }
}

// A snapshot comes before a process map, so that the map knows the snapshot's sockets. What the
// job fulfils is moved to `taken`. Whoever wants counts is served by a snapshot as well.
Worker::Job Worker::next_job(Wishes& taken) {
  if (wishes_.snapshot || wishes_.survey) {
    taken.snapshot = std::exchange(wishes_.snapshot, false);
    taken.survey = std::exchange(wishes_.survey, std::nullopt);
    wishes_.counts = wishes_.counts && !taken.snapshot;
    return Job::kSnapshot;
  }
  if (std::exchange(wishes_.counts, false))
    return Job::kCounts;
  if ((wishes_.processes || wishes_.owners) && Clock::now() >= next_processes_) {
    taken = std::exchange(wishes_, Wishes());
    owners_under_way_ = taken.owners;
    return Job::kProcesses;
  }
  return Job::kNone;
}

bool Worker::has_surveyed(const tcp::Snapshot* snapshot) const {
  return snapshot != nullptr && surveyor_.last() != nullptr &&
         surveyor_.last()->taken_at() >= snapshot->taken_at();
}

void Worker::build_sockets(const Wishes& wishes) {
  News news;
  std::shared_ptr<const tcp::Snapshot> snapshot = last_.lock();
  const bool usable =
      snapshot != nullptr && wishes.survey && snapshot->taken_at() >= *wishes.survey;
  if (wishes.snapshot || !usable) {
    snapshot.reset();  // At most two are to be alive, one being built.
    snapshot = build_snapshot(news);
  }
  if (wishes.survey && has_surveyed(snapshot.get()))
    news.survey = surveyor_.last();
  else if (wishes.survey && snapshot != nullptr)
    news.survey = surveyor_.survey(*snapshot, listen_drops_before_last_);
  snapshot.reset();  // Who takes the news decides how long it lives.
  publish(std::move(news));
}

// Null, and the failure among the news, where the kernel could not be read.
std::shared_ptr<const tcp::Snapshot> Worker::build_snapshot(News& news) {
  tcp::SnapshotBuilder builder = this->builder();
  const auto listen_drops = surveyor_.listen_drops_before_dump();
  const Time began = Clock::now();
  if (const Status status = sources_.sockets.read_all(builder); !status) {
    news.snapshot_failure = Failure{status.error(), began};
    return nullptr;
  }
  listen_drops_before_last_ = listen_drops;
  last_ = news.snapshot = std::make_shared<tcp::Snapshot>(builder.finish());
  return news.snapshot;
}

// Not in the memory of the snapshot that made way: there are few rows, and none is kept.
void Worker::build_counts() {
  News news;
  tcp::SnapshotBuilder builder(forms_);
  const Time began = Clock::now();
  if (const Status status = sources_.sockets.read_counts(builder); status)
    news.counts = std::make_shared<const tcp::Snapshot>(builder.finish().counts_alone());
  else
    news.snapshot_failure = Failure{status.error(), began};
  publish(std::move(news));
}

// Every snapshot is made below, and not as a constant: who has the only pointer may take it apart.
tcp::SnapshotBuilder Worker::builder() {
  std::shared_ptr<const tcp::Snapshot> retired;
  {
    const std::lock_guard lock(mutex_);
    retired.swap(retired_);
  }
  tcp::SnapshotBuilder builder(forms_);
  if (retired.use_count() == 1)
    builder.reuse(std::move(*std::const_pointer_cast<tcp::Snapshot>(retired)));
  if (const auto last = last_.lock())
    builder.reserve(*last);
  return builder;
}

void Worker::build_processes(Wishes wishes) {
  const Time began = Clock::now();
  News news;
  std::shared_ptr<const tcp::Snapshot> snapshot = last_.lock();
  if (wishes.owners && snapshot == nullptr)
    snapshot = build_snapshot(news);
  if (snapshot != nullptr)
    std::ranges::copy(snapshot->inodes(), std::back_inserter(wishes.asked));
  Result<tcp::ProcessMap> map = sources_.processes.read(std::move(wishes.asked));
  const Duration rest = (Clock::now() - began) * kProcessesShare;
  next_processes_ = began + std::max(kProcessesApart, rest);
  news.processes_serve_until = rest > kProcessesApart ? next_processes_ : began;
  if (map)
    news.processes = std::make_shared<const tcp::ProcessMap>(std::move(*map));
  else
    news.processes_failure = Failure{map.error(), began};
  if (map && snapshot != nullptr && (wishes.owners || has_surveyed(snapshot.get())))
    news.owners = surveyor_.owners(*snapshot, news.processes);
  snapshot.reset();  // Likewise.
  publish(std::move(news));
}

// What has not been taken yet stays, unless there is newer. The work is over in the same moment:
// who receives its outcome and wants another must not be taken to want this one.
void Worker::publish(News news) {
  std::shared_ptr<const tcp::Snapshot> unused;
  {
    const std::lock_guard lock(mutex_);
    unused.swap(retired_);
    under_way_ = Job::kNone;
    owners_under_way_ = false;
    if (news.snapshot != nullptr || news.snapshot_failure) {
      news_.snapshot = std::move(news.snapshot);
      news_.snapshot_failure = std::move(news.snapshot_failure);
    }
    if (news.counts != nullptr)
      news_.counts = std::move(news.counts);
    if (news.survey != nullptr)
      news_.survey = std::move(news.survey);
    if (news.processes != nullptr || news.processes_failure) {
      news_.processes = std::move(news.processes);
      news_.processes_serve_until = news.processes_serve_until;
      news_.processes_failure = std::move(news.processes_failure);
    }
    if (news.owners != nullptr) {
      news_.owners = std::move(news.owners);
      wishes_.owners = false;  // Who needs newer ones asks again.
    }
  }
  ::eventfd_write(ready_.get(), 1);
}

}  // namespace tcpmibd::agent
