#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/log.h"

namespace tcpmibd::log {

// A message, for as long as it has not been written.
struct Record {
  Level level = Level::kNotice;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields{};  // name, value; see Field
};

// Where messages go. No outlet ever waits for whoever reads.
class Outlet {
 public:
  virtual ~Outlet() = default;

  // False: it cannot take all of it now. The same record is then to be given again before any
  // other; if a part of it has been written, only the rest follows.
  virtual bool write(const Record& record) = 0;
};

// "warning: no answer from the master", on standard error, whatever that is and becomes.
//
// A pipe or a terminal is written to by a description of our own, which alone does not block: that
// of standard error is shared with others who may rely on its waiting.
class StderrOutlet final : public Outlet {
 public:
  bool write(const Record& record) override;

 private:
  std::size_t send(std::string_view text);
  ssize_t send_to_pipe(std::string_view text, dev_t device, ino_t inode);

  std::size_t sent_ = 0;  // of the record under way
  FileDescriptor own_;    // where standard error is a pipe or a terminal
  dev_t own_device_ = 0;
  ino_t own_inode_ = 0;
};

// Datagrams to a socket that has a name in the file system. It is not connected, so whoever makes
// the socket anew gets them.
class Datagrams {
 public:
  explicit Datagrams(std::string path) : path_(std::move(path)) {}

  // 0, or the errno. EAGAIN: whoever reads there is behind.
  int send(std::string_view datagram);

 private:
  std::string path_;
  FileDescriptor socket_;
};

// The journal's own protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), which keeps fields apart
// and newlines as they are. libsystemd would wait for a journal that is behind. What no journal
// takes goes to standard error.
class JournalOutlet final : public Outlet {
 public:
  explicit JournalOutlet(std::string path) : journal_(std::move(path)) {}

  bool write(const Record& record) override;

 private:
  Datagrams journal_;
  StderrOutlet otherwise_;
};

// syslog(3)'s datagrams (RFC 3164), facility daemon; that function would wait as well. What no
// daemon takes goes to standard error.
class SyslogOutlet final : public Outlet {
 public:
  explicit SyslogOutlet(std::string path) : daemon_(std::move(path)) {}

  bool write(const Record& record) override;

 private:
  Datagrams daemon_;
  StderrOutlet otherwise_;
};

// Where libsystemd and syslog(3) send.
inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";
inline constexpr const char* kSyslogSocket = "/dev/log";

// Whether somebody listens at the journal's socket; if not, why.
Status journal_listens();

}  // namespace tcpmibd::log
