#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "support/end.h"
#include "support/netns.h"
#include "support/process.h"

namespace tcpmibd::lab {

// One variable as the manager's tool printed it.
struct Varbind {
  Oid oid;
  std::string type;   // "INTEGER", "Gauge32", "Counter64", "Timeticks", …; or an exception:
                      // "noSuchObject", "noSuchInstance", "endOfMibView"
  std::string value;  // a number, or text; of Timeticks the hundredths

  bool operator==(const Varbind&) const = default;
};
std::ostream& operator<<(std::ostream& stream, const Varbind& varbind);

// What the manager got.
struct Answer {
  std::vector<Varbind> varbinds;
  std::string
      error;  // "noSuchName", "notWritable", …, "timeout", or the tool's own words; empty: none

  bool ok() const { return error.empty(); }
  const Varbind& only() const;  // Trouble unless there is exactly one and no error
};

// SNMPv3 with authentication and privacy. Without a phrase there is no privacy, or neither.
struct User {
  std::string name = "operator";
  std::string authentication = "authentication phrase";
  std::string privacy = "privacy phrase";
  std::string digest = "SHA";
  std::string cipher = "AES";
};

struct SetRequest {
  Oid oid;
  char type;  // as snmpset takes it: 'i', 'u', 's', …
  std::string value;
};

// A manager: the tools of Net-SNMP, which read no configuration and no MIB of this host.
class Manager {
 public:
  static Manager v1(const Namespace& space, std::string address, std::string community = "public");
  static Manager v2c(const Namespace& space, std::string address, std::string community = "public");
  static Manager v3(const Namespace& space, std::string address, const User& user = {});

  // States in SNMPv3 that it takes no message of more `octets`; the most there can be unless told.
  Manager stating(int octets) const;

  // Waits this long for each of `tries` requests; 5 s and one try unless told.
  Manager patient(std::chrono::milliseconds timeout, int tries = 1) const;

  Answer get(const std::vector<Oid>& oids) const;
  Answer next(const std::vector<Oid>& oids) const;
  Answer bulk(int non_repeaters, int repetitions, const std::vector<Oid>& oids) const;
  Answer set(const std::vector<SetRequest>& requests) const;

  // Everything below `root`, exceptions left out. An OID that does not increase is an error.
  Answer walk(const Oid& root) const;                             // by GETNEXT
  Answer bulk_walk(const Oid& root, int repetitions = 50) const;  // by GETBULK

  // Any of the tools: `{"snmptable", "-M", folder}`, then the access, then `{"TCP-MIB::…"}`.
  Output run(std::vector<std::string> tool, const std::vector<std::string>& objects) const;

 private:
  Manager(const Namespace& space, std::string address, std::vector<std::string> access);
  Answer ask(std::vector<std::string> tool, const std::vector<std::string>& objects) const;

  const Namespace* space_;
  std::string address_;
  std::vector<std::string> access_;
  std::chrono::milliseconds timeout_{5000};
  int tries_ = 1;
};

// Reads what the tools print with -On -Oe -OU.
std::vector<Varbind> parse_varbinds(std::string_view output);

// Keeps the tools and daemons of Net-SNMP off this host's configuration, MIBs and state.
std::map<std::string, std::string> isolated_snmp_environment(const std::string& folder);

}  // namespace tcpmibd::lab
