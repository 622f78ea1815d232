#include "base/outlet.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>

namespace tcpmibd::log {
namespace {

constexpr const char* kIdentity = "tcpmibd";

// A pipe that poll(2) calls writable takes as much at once.
constexpr std::size_t kPipeTakes = 4096;

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

// One message is one line: a process may put anything into its name, and so into our messages.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string line_of(const Record& record) {
  return std::string(names_of(record.level).text) + ": " + on_one_line(record.message) + '\n';
}

// None where the path is too long.
std::optional<sockaddr_un> address_of(std::string_view path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path)
    return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

// "NAME=value", or where the value has several lines the name, its length (little endian) and it.
void add_field(std::string_view name, std::string_view value, std::string& entry) {
  entry += name;
  if (value.find('\n') == std::string_view::npos) {
    entry += '=';
  } else {
    entry += '\n';
    for (std::uint64_t rest = value.size(), octet = 0; octet < sizeof rest; ++octet, rest >>= 8)
      entry += static_cast<char>(rest & 0xff);
  }
  entry += value;
  entry += '\n';
}

std::string journal_entry(const Record& record) {
  std::string entry;
  add_field("MESSAGE", record.message, entry);
  add_field("PRIORITY", std::to_string(names_of(record.level).priority), entry);
  add_field("SYSLOG_IDENTIFIER", kIdentity, entry);
  for (const auto& [name, value] : record.fields)
    add_field(name, value, entry);
  return entry;
}

// "<29>Nov 29 06:52:07 tcpmibd: no answer from the master".
std::string syslog_line(const Record& record) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, sizeof "Nov 29 06:52:07"> time{};
  std::strftime(time.data(), time.size(), "%b %e %T", &local);
  return '<' + std::to_string(LOG_DAEMON | names_of(record.level).priority) + '>' + time.data() +
         ' ' + kIdentity + ": " + on_one_line(record.message);
}

// What a peer that is behind and one that is not there mean for a record.
bool sent_or_behind(int code, const Record& record, StderrOutlet& otherwise) {
  if (code == 0)
    return true;
  return code != EAGAIN && code != ENOBUFS && otherwise.write(record);
}

}  // namespace

bool StderrOutlet::write(const Record& record) {
  const std::string line = line_of(record);
  std::string_view rest = std::string_view(line).substr(std::min(sent_, line.size()));
  while (!rest.empty()) {
    const std::size_t taken = send(rest);
    if (taken == 0) {
      sent_ = line.size() - rest.size();
      return false;
    }
    rest.remove_prefix(taken);
  }
  sent_ = 0;
  return true;
}

// How much of it is taken at once. Whatever stands in the way, a full disk or a reader who is gone,
// may be over the next time.
std::size_t StderrOutlet::send(std::string_view text) {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0)
    return 0;
  ssize_t taken;
  do {
    if (S_ISSOCK(status.st_mode))
      taken = ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
      taken = send_to_pipe(text, status.st_dev, status.st_ino);
    else
      taken = ::write(STDERR_FILENO, text.data(), text.size());
  } while (taken < 0 && errno == EINTR);
  return static_cast<std::size_t>(std::max<ssize_t>(taken, 0));
}

// Another user's pipe cannot be opened anew; one without a reader neither.
ssize_t StderrOutlet::send_to_pipe(std::string_view text, dev_t device, ino_t inode) {
  if (!own_ || own_device_ != device || own_inode_ != inode) {
    own_ = FileDescriptor(::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    own_device_ = device;
    own_inode_ = inode;
  }
  if (own_)
    return ::write(own_.get(), text.data(), text.size());
  pollfd waiting{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, 0) != 1 || waiting.revents != POLLOUT)
    return 0;
  return ::write(STDERR_FILENO, text.data(), std::min(text.size(), kPipeTakes));
}

int Datagrams::send(std::string_view datagram) {
  const std::optional<sockaddr_un> address = address_of(path_);
  if (!address)
    return ENAMETOOLONG;
  if (!socket_)
    socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_)
    return errno;
  const ssize_t sent =
      ::sendto(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  return sent < 0 ? errno : 0;
}

bool JournalOutlet::write(const Record& record) {
  return sent_or_behind(journal_.send(journal_entry(record)), record, otherwise_);
}

bool SyslogOutlet::write(const Record& record) {
  return sent_or_behind(daemon_.send(syslog_line(record)), record, otherwise_);
}

Status journal_listens() {
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::optional<sockaddr_un> address = address_of(kJournalSocket);
  if (socket &&
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0)
    return {};
  return failure("log to the journal at " + std::string(kJournalSocket), errno,
                 "start systemd-journald, or set log.target to stderr or syslog");
}

}  // namespace tcpmibd::log
