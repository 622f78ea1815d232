#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "survey/surveyor.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// An attempt that came to nothing.
struct Failure {
  Error error;
  Time began;
};

// What the worker has finished since it was asked last.
struct News {
  std::shared_ptr<const tcp::Snapshot> snapshot{};  // null: no new one
  std::shared_ptr<const tcp::Snapshot> counts{};    // likewise; no rows
  std::shared_ptr<const tcp::Survey> survey{};      // likewise
  std::shared_ptr<const tcp::ProcessMap> processes{};
  Time processes_serve_until{};  // whatever their age, for the look-up took long
  std::shared_ptr<const tcp::Owners> owners{};
  std::optional<Failure> snapshot_failure{};
  std::optional<Failure> processes_failure{};
};

// Where the worker reads. Its thread's own from start() on, but for `pressure`, which anybody may
// read at any time. All outlive the worker.
struct WorkerSources {
  tcp::SocketSource& sockets;
  tcp::ProcessLookup& processes;
  tcp::PressureSource& pressure;
  tcp::UnitLookup& units;
};

// Builds snapshots, surveys and process maps on a thread of its own, only when asked.
//
// Thread:  the public functions are the agent thread's; none of them waits for work under way.
// Cost:    nothing while nobody asks: the thread sleeps without a timeout.
class Worker {
 public:
  // Fails where there is no descriptor or no thread to be had.
  static Result<std::unique_ptr<Worker>> start(const WorkerSources& sources,
                                               const tcp::AddressForms& forms);
  ~Worker();  // finishes what is under way
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Readable when there are news. An eventfd; belongs to the worker.
  int descriptor() const { return ready_.get(); }

  // One snapshot, be it one under way or waiting to be taken: never is a third one alive beside
  // the asker's. Who finds it too old when it is there asks again.
  void want_snapshot();

  // The same of counts alone. A snapshot that is on its way serves as well: whoever finds it too
  // old asks again.
  void want_counts();

  // A snapshot that the asker no longer reads: its memory serves the next one, and is not freed on
  // the asker's time.
  void retire(std::shared_ptr<const tcp::Snapshot> snapshot);

  // One survey: of the newest snapshot, if that was begun at `oldest` or later, else of a new one.
  void want_survey(Time oldest);

  // One process map and the owners' figures by it, and by the newest snapshot. Otherwise as
  // want_processes().
  void want_owners();

  // One process map, likewise; none begins within a second of the last one's beginning.
  // `asked` are inodes of sockets that the newest snapshot may not hold. The owners' figures come
  // with it if that snapshot has been surveyed: who reads surveys mostly wants them next.
  void want_processes(const std::vector<std::uint32_t>& asked = {});

  News take();

 private:
  Worker(const WorkerSources& sources, const tcp::AddressForms& forms, FileDescriptor ready);

  // What has been asked for.
  struct Wishes {
    bool snapshot = false;
    bool counts = false;
    bool processes = false;
    bool owners = false;
    std::optional<Time> survey{};  // its oldest moment
    std::vector<std::uint32_t> asked{};
  };
  enum class Job : std::uint8_t { kNone, kSnapshot, kCounts, kProcesses };

  Status begin();
  void work();
  Job next_job(Wishes& taken);
  bool has_surveyed(const tcp::Snapshot* snapshot) const;
  void build(Job job, Wishes wishes);
  void build_sockets(const Wishes& wishes);
  void build_counts();
  std::shared_ptr<const tcp::Snapshot> build_snapshot(News& news);
  tcp::SnapshotBuilder builder();
  void build_processes(Wishes wishes);
  void publish(News news);

  const WorkerSources sources_;
  const tcp::AddressForms forms_;
  const FileDescriptor ready_;

  std::mutex mutex_;
  std::condition_variable wanted_;
  // Guarded by mutex_:
  bool stop_ = false;
  Job under_way_ = Job::kNone;
  bool owners_under_way_ = false;
  Wishes wishes_;
  News news_;
  std::shared_ptr<const tcp::Snapshot> retired_;

  // The worker thread's own:
  std::weak_ptr<const tcp::Snapshot> last_;
  std::optional<std::uint64_t> listen_drops_before_last_;  // before its dump
  tcp::Surveyor surveyor_;
  Time next_processes_{};

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tcpmibd::agent
