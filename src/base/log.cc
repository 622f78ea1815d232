#include "base/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/sources/severity_logger.hpp>
#include <boost/smart_ptr/make_shared_object.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "base/backlog.h"
#include "base/outlet.h"
#include "base/printable.h"

namespace tcpmibd::log {
namespace {

namespace boost_log = boost::log;
namespace sinks = boost::log::sinks;
namespace keywords = boost::log::keywords;

using Fields = std::span<const Field>;

// Longer ones are cut. What we say ourselves is never so long.
constexpr std::size_t kLongest = 8192;

// How often somebody looks whether a reader that is behind has caught up.
constexpr Duration kLookAgain = std::chrono::seconds(1);

using OwnedOutlet = std::unique_ptr<Outlet>;

// Boost.Log's own backends wait for whoever reads, or stay silent for good after one failure (a
// full disk).
class BacklogBackend
    : public sinks::basic_sink_backend<
          sinks::combine_requirements<sinks::synchronized_feeding, sinks::flushing>::type> {
 public:
  void redirect(OwnedOutlet outlet) { backlog_.redirect(std::move(outlet)); }

  void consume(const boost_log::record_view& record) { backlog_.write(to_record(record)); }

  void flush() { backlog_.catch_up(); }

  bool is_behind() const { return backlog_.is_behind(); }

 private:
  static Record to_record(const boost_log::record_view& from) {
    Record record{
        .level = boost_log::extract_or_default<Level>("Severity", from, Level::kNotice),
        .message = boost_log::extract_or_default<std::string>("Message", from, std::string())};
    // A copy: what Boost returns is a reference, and it may be to the default.
    const Fields fields = boost_log::extract_or_default<Fields>("Fields", from, Fields());
    for (const Field& field : fields)
      record.fields.emplace_back(field.name, printable(field.value));
    return record;
  }

  Backlog backlog_{std::make_unique<StderrOutlet>()};
};

// JOURNAL_STREAM is "device:inode" of the stream that systemd gave us; a redirected standard
// error is another one.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0)
    return false;
  return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == stream;
}

Result<OwnedOutlet> outlet_of(Target target) {
  const auto journal = [] { return std::make_unique<JournalOutlet>(kJournalSocket); };
  switch (target) {
    case Target::kAuto:
      if (stderr_is_journal() && journal_listens())
        return journal();
      break;
    case Target::kJournal:
      return journal_listens().map([&]() -> OwnedOutlet { return journal(); });
    case Target::kSyslog:
      return std::make_unique<SyslogOutlet>(kSyslogSocket);
    case Target::kStderr:
      break;
  }
  return std::make_unique<StderrOutlet>();
}

// The one sink there is, and the right to use it.
class Writer {
 public:
  Writer() { boost_log::core::get()->add_sink(sink_); }

  void use(OwnedOutlet outlet) {
    const std::lock_guard lock(mutex_);
    sink_->locked_backend()->redirect(std::move(outlet));
  }

  void write(Level level, std::string_view message, Fields fields) {
    const std::lock_guard lock(mutex_);
    boost_log::record record = logger_.open_record(keywords::severity = level);
    if (!record)
      return;
    record.attribute_values().insert("Fields", boost_log::attributes::make_attribute_value(fields));
    boost_log::record_ostream stream(record);
    // One message is one line: a process may put anything into its name, and so into our messages.
    stream << printable(message.substr(0, kLongest)) << std::flush;
    logger_.push_record(std::move(record));
  }

  // Whether it has.
  bool catch_up() {
    const std::lock_guard lock(mutex_);
    if (sink_->locked_backend()->is_behind())
      sink_->flush();
    return !sink_->locked_backend()->is_behind();
  }

 private:
  using Sink = sinks::synchronous_sink<BacklogBackend>;

  std::mutex mutex_;
  boost_log::sources::severity_logger<Level> logger_;
  const boost::shared_ptr<Sink> sink_ = boost::make_shared<Sink>();
};

// What is left of a line without its numbers: ports and process numbers never repeat.
std::string kind_of(std::string_view message) {
  std::string kind;
  std::ranges::copy_if(message, std::back_inserter(kind),
                       [](char c) { return c < '0' || c > '9'; });
  return kind;
}

std::atomic<Level> least_written = Level::kNotice;

// Never destroyed: other threads and static objects may log until the very end.
Writer& writer() {
  static Writer& writer = *new Writer;
  return writer;
}

}  // namespace

Status start(Target target, Level least) {
  try {
    Result<OwnedOutlet> outlet = outlet_of(target);
    if (!outlet)
      return tl::unexpected(std::move(outlet).error());
    writer().use(*std::move(outlet));
    set_level(least);
    return {};
  } catch (const std::exception& error) {
    return failure(std::string("open the log: ") + error.what());
  }
}

void set_level(Level least) { least_written = least; }

bool is_written(Level level) { return level >= least_written; }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!is_written(level))
    return;
  message = message.substr(0, message.find_last_not_of("\r\n") + 1);
  try {
    writer().write(level, message, Fields(fields.begin(), fields.size()));
  } catch (...) {  // Boost.Log throws what it likes; a lost line must not end the agent.
  }
}

std::optional<Duration> catch_up() {
  try {
    return writer().catch_up() ? std::nullopt : std::optional(kLookAgain);
  } catch (...) {  // Likewise.
    return std::nullopt;
  }
}

void finish(Duration patience) {
  constexpr std::chrono::milliseconds kApart{5};
  const Time deadline = Clock::now() + patience;
  while (catch_up() && Clock::now() < deadline)
    std::this_thread::sleep_for(kApart);
}

void Limited::write(Level level, std::string_view message, Time now) {
  write(level, message, std::initializer_list<Field>(), now);
}

void Limited::write(Level level, std::string_view message, std::initializer_list<Field> fields,
                    Time now) {
  if (now >= ends_) {
    ends_ = now + period_;
    written_ = 0;
  }
  if (written_ == burst_) {
    ++left_out_;
    return;
  }
  ++written_;
  const unsigned left_out = std::exchange(left_out_, 0);
  if (left_out == 0)
    log::write(level, message, fields);
  else
    log::write(
        level,
        std::string(message) + " (" + std::to_string(left_out) + " more since the last such line)",
        fields);
}

void LimitedKinds::write(Level level, std::string_view message, Time now) {
  limit_of(kind_of(message), now).write(level, message, now);
}

Limited& LimitedKinds::limit_of(std::string kind, Time now) {
  if (const auto known = limits_.find(kind); known != limits_.end())
    return known->second;
  if (limits_.size() == kMost)
    std::erase_if(limits_, [&](const auto& each) { return each.second.at_rest(now); });
  return limits_.size() == kMost ? others_ : limits_[std::move(kind)];
}

}  // namespace tcpmibd::log
