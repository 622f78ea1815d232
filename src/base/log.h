#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace tcpmibd::log {

// Syslog's priorities, of which we use these.
enum class Level : std::uint8_t { kDebug, kInfo, kNotice, kWarning, kError };

enum class Target : std::uint8_t { kAuto, kJournal, kSyslog, kStderr };

// A value of its own in the journal, upper case by its rules: {"TCP_STATE", "closeWait"}.
// Other targets show only the message, so it must not say less than its fields.
struct Field {
  std::string_view name;
  std::string value;
};

// Opens the target and sets the least level that is written. kAuto is the journal under systemd
// (JOURNAL_STREAM names our standard error), otherwise standard error. May be called again.
// Until the first call messages of kNotice and above go to standard error.
Status start(Target target, Level least);

void set_level(Level least);

// Whether lines of that level are written: for those that cost something to word.
bool is_written(Level level);

// Writes one line, or keeps it until whoever reads it takes it: never waits for them. What does not
// fit into some 256 KiB is dropped; a line reports how many were. Any thread; never throws.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

// Writes what is kept, as far as it is taken. When to be called again at the latest; none: nothing
// is left. Any thread.
std::optional<Duration> catch_up();

// The same until nothing is left, for `patience` at most: before the program ends.
void finish(Duration patience);

inline void debug(std::string_view message) { write(Level::kDebug, message); }
inline void info(std::string_view message) { write(Level::kInfo, message); }
inline void notice(std::string_view message) { write(Level::kNotice, message); }
inline void warning(std::string_view message) { write(Level::kWarning, message); }
inline void error(std::string_view message) { write(Level::kError, message); }

// Keeps a line that repeats from filling the log: the first `burst` are written, then as many a
// `period`; the first of them says how many were left out. Not for use from several threads.
class Limited {
 public:
  explicit Limited(Duration period = std::chrono::seconds(30), unsigned burst = 1)
      : period_(period), burst_(burst) {}

  void write(Level level, std::string_view message, Time now = Clock::now());
  void write(Level level, std::string_view message, std::initializer_list<Field> fields,
             Time now = Clock::now());

  // Whether the next line would be written. What was left out before is then the only memory.
  bool at_rest(Time now) const { return now >= ends_; }

 private:
  Duration period_;
  unsigned burst_;
  Time ends_{};  // of the period under way
  unsigned written_ = 0;
  unsigned left_out_ = 0;
};

// The same for each of many lines that somebody else words. Lines that differ in numbers only are
// of one kind. Who makes up ever new kinds does not fill the log either: beyond kMost at a time
// they count as one. Not for use from several threads.
class LimitedKinds {
 public:
  static constexpr std::size_t kMost = 64;

  void write(Level level, std::string_view message, Time now = Clock::now());

 private:
  Limited& limit_of(std::string kind, Time now);

  std::map<std::string, Limited> limits_;
  Limited others_;
};

}  // namespace tcpmibd::log
