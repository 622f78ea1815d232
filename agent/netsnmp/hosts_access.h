#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace tcpmibd::agent {

// The verdicts of hosts_access(5), kept until its files change. The SNMP library asks libwrap for
// one at each request, and that reads both files anew each time.
//
// What a verdict may need besides the files is not kept: rules with a command or another option,
// with the name of a file, a netgroup or a user. Where such a rule stands, each request is asked
// for. A verdict is kept when two requests in a row have got it, for libwrap does not report a file
// that it could not open; and for a minute at most, as a file can change twice within one tick of
// its clock.
//
// Thread:   the one of the SNMP library.
// Cost:     two stat(2) where the verdict is known.
class HostsAccess {
 public:
  using Ask = std::function<bool()>;  // libwrap

  HostsAccess(std::string allow, std::string deny)
      : allow_{.path = std::move(allow), .seen = {}}, deny_{.path = std::move(deny), .seen = {}} {}

  // Whether the client that `key` names may be served; `ask` is called where that is not known.
  bool admits(const std::string& key, const Ask& ask, Time now);

 private:
  struct File {
    std::string path;
    std::optional<struct stat> seen;  // as it was when the verdicts began; none: it was not there
  };

  struct Verdict {
    bool admits = false;
    bool is_confirmed = false;  // given twice
  };

  bool is_as_before(File& file) const;
  void begin_anew();
  void note(const std::string& key, bool verdict);

  File allow_;
  File deny_;
  bool is_kept_ = false;       // verdicts may be kept with the files as they are
  std::optional<Time> since_;  // of the verdicts; none before the first
  std::unordered_map<std::string, Verdict> verdicts_;
};

// Whether the rules of one of the two files depend on nothing but the file and the client's
// address: lists of daemons and clients with "allow" or "deny" behind them, if anything.
bool is_of_plain_rules(std::string_view text);

}  // namespace tcpmibd::agent
