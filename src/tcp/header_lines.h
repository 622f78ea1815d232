#pragma once

#include <string_view>
#include <utility>
#include <vector>

// Texts of the kernel that are no lines of one form: headings above values, and its own release.

namespace tcpmibd::tcp {

// Whether a kernel of this release, as uname(2) reports it ("6.18.44-1-amd64"), is one of `first`,
// "major, minor", or later. A text that is no release is not.
bool is_release_since(std::string_view release, std::pair<unsigned, unsigned> first);

struct NamedWord {
  std::string_view name;
  std::string_view value;  // empty where the line of values was cut short
};

// Pairs the words of the first two lines that begin with `prefix`, names above values, as in
// /proc/net/snmp and /proc/net/netstat: kernels append columns, so no position is taken for
// granted. Empty where there are no two such lines. Views point into the text that was given.
std::vector<NamedWord> words_under_header(std::string_view text, std::string_view prefix);

}  // namespace tcpmibd::tcp
