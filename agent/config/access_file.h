#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tcpmibd::agent {

// A line of the access file, in the language of snmpd.conf: "rocommunity", "public 127.0.0.1".
struct AccessLine {
  std::size_t number;  // from 1
  std::string word;
  std::string value;
};

// The lines of a text that say something, in the order in which they stand; none is judged. For
// snmpd's own files as well, which are in the same language.
std::vector<AccessLine> conf_lines(std::string_view text);

// The lines of `file` that say something: who may read and write, the system group, and who gets
// notifications. Everything else is a mistake that names file, line, word and cause: a word that
// nobody knows, and one that snmpd knows and that means nothing here, or reads another file, or
// runs a program. What the library thinks of a value it says itself.
Result<std::vector<AccessLine>> read_access_file(const std::string& file);

// The same of a text: for tests, and for the other.
Result<std::vector<AccessLine>> access_lines(const std::string& file, std::string_view text);

// Whether they may let somebody read who has no address, as nobody has over unix:.
bool admit_without_address(const std::vector<AccessLine>& lines);

}  // namespace tcpmibd::agent
