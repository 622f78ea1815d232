#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "agent/agentx/objects.h"
#include "agent/agentx/pdu.h"
#include "agent/serve/request.h"
#include "base/clock.h"

namespace tcpmibd::agent::agentx {

// What a master asks with a Get, GetNext or GetBulk (RFC 2741, 6.2.5 to 6.2.7).
struct ReadRequest {
  std::vector<SearchRange> ranges{};
  std::uint16_t non_repeaters = 0;
  std::uint16_t max_repetitions = 0;
};

// One of them under way. It can be left and taken up again between any two bindings.
class Read {
 public:
  enum class Progress : std::uint8_t {
    kDone,   // response() can be sent
    kWaits,  // for what the worker fetches
    kGoesOn  // the time was up
  };

  // The request has been checked; see Reads.
  Read(const Header& header, ReadRequest request, Time arrived);

  const Header& header() const { return header_; }

  // Answers one binding at least, and others until the time is up.
  Progress work(const Objects& objects, const Answerer& ask, Time until);

  void append_response(Bytes& out) const;

 private:
  bool is_finished() const { return at_ == ranges_.size(); }
  bool is_bulk() const { return header_.type == PduType::kGetBulk; }
  Answer answer_of(const Objects& objects, const Answerer& ask) const;
  Answer next(const SearchRange& range, const Objects& objects, const Answerer& ask) const;
  Answer ask_for(const tables::Managed& object, snmp::OidView name, Inquiry::Kind kind,
                 const Answerer& ask) const;
  void take(const Answer& answer);
  void add(const Answer& answer);
  void keep_within_limit(std::size_t before);
  void advance(const Answer& answer);
  void fail(ErrorCode error);

  Header header_;
  std::size_t repeaters_from_;
  std::uint16_t repetitions_left_;
  Time arrived_;
  std::vector<SearchRange> ranges_;  // of a GetBulk's repeaters: where the next repetition begins

  std::size_t at_ = 0;      // the range to be answered next
  bool found_any_ = false;  // in this repetition
  Outcome outcome_;
  Bytes bindings_;
};

// All that are under way. None waits for another.
class Reads {
 public:
  Reads(const Objects& objects, Answerer ask) : objects_(objects), ask_(std::move(ask)) {}

  // A request has arrived. One that a master sends again, as it does every second, is answered
  // once; beyond kMost at a time they are refused at once, into `out`.
  void begin(const Header& header, ReadRequest request, Time now, Bytes& out);
  static constexpr std::size_t kMost = 256;

  // Goes on with what does not wait, until the time is up. Appends the answers to `out`.
  void work(Time until, Bytes& out);

  // The answerer has learned something.
  void retry();

  // Whether work() has something to do.
  bool is_busy() const;

  std::size_t under_way() const { return reads_.size(); }

 private:
  struct UnderWay {
    Read read;
    bool waits = false;
    bool done = false;
  };

  const Objects& objects_;
  Answerer ask_;
  std::deque<UnderWay> reads_;
};

}  // namespace tcpmibd::agent::agentx
