#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/serve/end_numbers.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "survey/history.h"

namespace tcpmibd::agent {

// Takes what the kernel has recorded of ends into the history. Nothing ends: no wake-up. At full
// load ten a second: one says that there is something, and 200 ms later it is taken.
//
// Thread: the agent's.
class EndsWatch {
 public:
  struct Options {
    std::size_t history = 0;  // ends kept
    std::string state_folder;
  };

  // Between the first record and taking it. The kernel has room for 7 000.
  static constexpr Duration kPause = std::chrono::milliseconds(200);

  // Without a history nothing wakes us when connections end, and the rows that are counted by port
  // and service are to be kept within their bounds all the same.
  static constexpr Duration kRoom = std::chrono::seconds(10);

  // So old may the figures be.
  static constexpr Duration kMostAge = std::chrono::milliseconds(100);

  // `news` is another descriptor that the loop waits for. The source may be null: then nothing is
  // watched, and figures() is null. It outlives the watch.
  static Result<std::unique_ptr<EndsWatch>> start(tcp::EndsSource* source, int news,
                                                  const Options& options);

  // Readable when `news` is, or when records have come.
  int descriptor() const { return both_.get(); }

  // To be called when the descriptor is readable; makes it unreadable, as far as it is our doing.
  void on_news(Time now);

  // At every turn of the loop, and after what it returns at the latest.
  std::optional<Duration> on_turn(Time now);

  // Takes what there is. Null: nothing is watched. The history in it goes on with the next call of
  // any function of ours; the rest is read when it is first asked for. The watch outlives it.
  std::shared_ptr<const tcp::EndsFigures> figures(Time now);

 private:
  EndsWatch(tcp::EndsSource* source, const Options& options, FileDescriptor both, Time now);

  void take();
  void listen();

  tcp::EndsSource* source_;
  FileDescriptor both_;                // epoll(7)
  std::optional<EndNumbers> numbers_;  // where records are kept
  tcp::History history_;
  Time since_;
  std::uint32_t newest_ = 0;
  std::optional<Time> due_;
  std::shared_ptr<const tcp::EndsFigures> figures_;
  Time figures_at_{};
};

}  // namespace tcpmibd::agent
