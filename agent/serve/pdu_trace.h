#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/serve/request.h"
#include "base/clock.h"
#include "snmp/oid.h"

namespace tcpmibd::agent {

// What a PDU asks, as its line in the log says it.
struct PduSummary {
  std::string_view kind;  // "GETNEXT"
  snmp::OidView first{};  // the name in its first binding; empty: there is none
  std::size_t bindings = 0;
  std::optional<std::uint32_t> repetitions{};  // of a GETBULK
  std::string_view context{};
};

// How it was answered.
struct PduOutcome {
  std::string_view error = "noError";  // of RFC 3416 or RFC 2741; or that it was not answered
  std::size_t index = 0;               // of the binding that was to blame; 0: none
};

// What became of one PDU of a manager on its way: for what it was parked and how long, and how old
// the data was that it was answered from. At its end that is a line of the log's level debug.
//
// Cost: a few stores a binding; a line is made only where it is written.
class PduTrace {
 public:
  explicit PduTrace(Time arrived) : arrived_(arrived) {}

  // A binding was answered, or has to wait.
  void note(const Answer& answer, Time now);
  void note(const SetAnswer& answer, Time now);

  Time arrived() const { return arrived_; }

  // What its answer is made from.
  const Basis& basis() const { return basis_; }

  // It is answered from the beginning.
  void begin_anew() { basis_ = {}; }

  // Whether lines are written at all.
  static bool is_wanted();

  // Writes the line, if it is wanted.
  void write(const PduSummary& pdu, const PduOutcome& outcome, Time now) const;

  std::string line(const PduSummary& pdu, const PduOutcome& outcome, Time now) const;

 private:
  static constexpr std::size_t kAwaited = 5;

  void wait(Awaited awaited, Time now);
  std::string parked() const;
  std::string age(Time now) const;

  Time arrived_;
  Basis basis_{};
  Awaited awaits_ = Awaited::kNothing;
  Time since_{};                             // when the wait under way began
  std::array<Duration, kAwaited> waited_{};  // by what for
};

}  // namespace tcpmibd::agent
