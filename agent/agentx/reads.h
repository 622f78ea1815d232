#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "agent/agentx/objects.h"
#include "agent/agentx/pdu.h"
#include "agent/serve/pdu_trace.h"
#include "agent/serve/request.h"
#include "base/clock.h"

namespace tcpmibd::agent::agentx {

// What a master asks with a Get, GetNext or GetBulk (RFC 2741, 6.2.5 to 6.2.7).
struct ReadPdu {
  std::vector<SearchRange> ranges{};
  std::uint16_t non_repeaters = 0;
  std::uint16_t max_repetitions = 0;
};

// One of them under way. It can be left and taken up again between any two bindings.
class PendingRead {
 public:
  enum class Progress : std::uint8_t {
    kDone,   // response() can be sent
    kWaits,  // for what the worker fetches
    kGoesOn  // the time was up
  };

  // The PDU has been checked; see Reads.
  PendingRead(const Header& header, ReadPdu pdu, Time arrived, std::uint32_t master = 0);

  const Header& header() const { return header_; }

  // Answers one binding at least, and others until the time is up. Begins anew if what it has been
  // answered with has become older than promised while it waited.
  Progress work(const Objects& objects, ReadTarget& target, Time until);

  void append_response(Bytes& out) const;

  // What became of it, at the log's level debug.
  void write_trace(std::string_view outcome) const;
  void write_trace() const { write_trace(name_of(outcome_.error)); }

 private:
  bool is_finished() const { return at_ == ranges_.size(); }
  bool is_bulk() const { return header_.type == PduType::kGetBulk; }
  Answer answer_of(const Objects& objects, ReadTarget& target, Time now) const;
  Answer next(const SearchRange& range, const Objects& objects, ReadTarget& target, Time now) const;
  Read read_of(const tables::Managed& object, snmp::OidView name, Read::Kind kind, Time now) const;
  void begin_anew();
  void take(const Answer& answer);
  void add(const Answer& answer);
  void keep_within_limit(std::size_t before);
  void advance(const Answer& answer);
  void fail(ErrorCode error);

  Header header_;
  std::uint32_t master_;  // see transaction_of()
  std::size_t repeaters_from_;
  std::uint16_t max_repetitions_;
  std::uint16_t repetitions_left_;
  std::vector<SearchRange> ranges_;  // of a GetBulk's repeaters: where the next repetition begins
  std::vector<SearchRange> asked_;   // a GetBulk's at the beginning
  PduTrace trace_;

  std::size_t at_ = 0;      // the range to be answered next
  bool found_any_ = false;  // in this repetition
  Outcome outcome_;
  Bytes bindings_;
};

// All that are under way. None waits for another.
class Reads {
 public:
  // Both outlive it. For `master` see transaction_of().
  Reads(const Objects& objects, ReadTarget& target, std::uint32_t master = 0)
      : objects_(objects), target_(target), master_(master) {}
  ~Reads();
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;

  // A request has arrived. One that a master sends again, as it does every second, is answered
  // once; beyond kMost at a time they are refused at once, into `out`.
  void begin(const Header& header, ReadPdu pdu, Time now, Bytes& out);
  static constexpr std::size_t kMost = 256;

  // Goes on with what does not wait, until the time is up. Appends the answers to `out`.
  void work(Time until, Bytes& out);

  // The worker has news.
  void retry();

  // Whether work() has something to do.
  bool is_busy() const;

  std::size_t under_way() const { return reads_.size(); }

 private:
  struct UnderWay {
    PendingRead read;
    bool waits = false;
    bool done = false;
  };

  const Objects& objects_;
  ReadTarget& target_;
  std::uint32_t master_;
  std::deque<UnderWay> reads_;
};

}  // namespace tcpmibd::agent::agentx
