#include "base/log.h"

// The library is built with syslog(3); its headers hide that unless asked.
#define BOOST_LOG_USE_NATIVE_SYSLOG
// Every message would name the one line of this file that sends them all.
#define SD_JOURNAL_SUPPRESS_LOCATION

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/syslog_backend.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/sources/severity_logger.hpp>
#include <boost/log/utility/formatting_ostream.hpp>
#include <boost/smart_ptr/make_shared_object.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/printable.h"

namespace tcpmibd::log {
namespace {

namespace boost_log = boost::log;
namespace sinks = boost::log::sinks;
namespace keywords = boost::log::keywords;

using Fields = std::span<const Field>;
using Sink = boost::shared_ptr<sinks::sink>;

// Where libsystemd sends; it drops messages without a word when nothing listens there.
constexpr std::string_view kJournalSocket = "/run/systemd/journal/socket";
constexpr const char* kIdentity = "tcpmibd";

struct LevelNames {
  std::string_view text;
  int priority;  // syslog(3)
};

// Indexed by Level.
constexpr std::array<LevelNames, 5> kLevels = {{
    {"debug", LOG_DEBUG},
    {"info", LOG_INFO},
    {"notice", LOG_NOTICE},
    {"warning", LOG_WARNING},
    {"error", LOG_ERR},
}};

const LevelNames& names_of(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

Level level_of(const boost_log::record_view& record) {
  return boost_log::extract_or_default<Level>("Severity", record, Level::kNotice);
}

std::string message_of(const boost_log::record_view& record) {
  return boost_log::extract_or_default<std::string>("Message", record, std::string());
}

// "warning: no answer from the master".
void write_stderr(Level level, const std::string& message) {
  std::string line(names_of(level).text);
  line += ": " + message + '\n';
  std::span<const char> rest(line);
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;  // There is nowhere left to say so.
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
}

// Writes each line at once and whole. Not a stream: after one failure (a full pipe) that would
// stay silent for good.
class StderrBackend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
 public:
  void consume(const boost_log::record_view& record) {
    write_stderr(level_of(record), message_of(record));
  }
};

// The journal's native protocol, which keeps fields apart.
class JournalBackend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
 public:
  void consume(const boost_log::record_view& record) {
    const Level level = level_of(record);
    const std::string message = message_of(record);
    std::vector<std::string> entries = {
        "MESSAGE=" + message,
        "PRIORITY=" + std::to_string(names_of(level).priority),
        std::string("SYSLOG_IDENTIFIER=") + kIdentity,
    };
    for (const Field& field : boost_log::extract_or_default<Fields>("Fields", record, Fields()))
      entries.push_back(std::string(field.name) + '=' + printable(field.value));
    if (send(entries) < 0)
      write_stderr(level, message);
  }

 private:
  static int send(std::vector<std::string>& entries) {
    std::vector<iovec> parts;
    for (std::string& entry : entries)
      parts.push_back({entry.data(), entry.size()});
    return sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }
};

Sink make_stderr() {
  return boost::make_shared<sinks::synchronous_sink<StderrBackend>>(
      boost::make_shared<StderrBackend>());
}

Sink make_journal() {
  return boost::make_shared<sinks::synchronous_sink<JournalBackend>>(
      boost::make_shared<JournalBackend>());
}

Sink make_syslog() {
  auto backend = boost::make_shared<sinks::syslog_backend>(
      keywords::facility = sinks::syslog::daemon, keywords::use_impl = sinks::syslog::native,
      keywords::ident = kIdentity);
  backend->set_severity_mapper([](const boost_log::record_view& record) {
    return sinks::syslog::make_level(names_of(level_of(record)).priority);
  });
  auto sink = boost::make_shared<sinks::synchronous_sink<sinks::syslog_backend>>(backend);
  sink->set_formatter(
      [](const boost_log::record_view& record, boost_log::formatting_ostream& stream) {
        stream << message_of(record);
      });
  return sink;
}

Status journal_listens() {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(kJournalSocket, address.sun_path);
  if (socket &&
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return {};
  return failure("log to the journal at " + std::string(kJournalSocket), errno,
                 "start systemd-journald, or set log.target to stderr or syslog");
}

// JOURNAL_STREAM is "device:inode" of the stream that systemd gave us; a redirected standard
// error is another one.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0)
    return false;
  return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == stream;
}

Result<Sink> make_sink(Target target) {
  switch (target) {
    case Target::kAuto:
      return stderr_is_journal() && journal_listens() ? make_journal() : make_stderr();
    case Target::kJournal:
      return journal_listens().map(make_journal);
    case Target::kSyslog:
      return make_syslog();
    case Target::kStderr:
      break;
  }
  return make_stderr();
}

// The one sink there is, and the right to use it.
class Writer {
 public:
  Writer() { use(make_stderr()); }

  void use(const Sink& sink) {
    const std::lock_guard lock(mutex_);
    boost_log::core::get()->remove_all_sinks();
    boost_log::core::get()->add_sink(sink);
  }

  void write(Level level, std::string_view message, Fields fields) {
    const std::lock_guard lock(mutex_);
    boost_log::record record = logger_.open_record(keywords::severity = level);
    if (!record)
      return;
    record.attribute_values().insert("Fields", boost_log::attributes::make_attribute_value(fields));
    boost_log::record_ostream stream(record);
    // One message is one line: a process may put anything into its name, and so into our messages.
    stream << printable(message) << std::flush;
    logger_.push_record(std::move(record));
  }

 private:
  std::mutex mutex_;  // Also keeps a line from falling between two sinks.
  boost_log::sources::severity_logger<Level> logger_;
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
    Result<Sink> sink = make_sink(target);
    if (!sink)
      return tl::unexpected(std::move(sink).error());
    writer().use(*std::move(sink));
    set_level(least);
    return {};
  } catch (const std::exception& error) {
    return failure(std::string("open the log: ") + error.what());
  }
}

void set_level(Level least) { least_written = least; }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (level < least_written)
    return;
  message = message.substr(0, message.find_last_not_of("\r\n") + 1);
  try {
    writer().write(level, message, Fields(fields.begin(), fields.size()));
  } catch (...) {  // Boost.Log throws what it likes; a lost line must not end the agent.
  }
}

void Limited::write(Level level, std::string_view message, Time now) {
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
    log::write(level, message);
  else
    log::write(level, std::string(message) + " (" + std::to_string(left_out) +
                          " more since the last such line)");
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
