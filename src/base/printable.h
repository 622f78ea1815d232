#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What somebody else has worded: a process, a cgroup, a file, a peer may put anything into a name.
// A terminal obeys what it is sent, and managers refuse a whole answer for one name that is no
// UTF-8 (RFC 3411, SnmpAdminString). Names are made printable where they are read; lines of the log
// and of tables once more, for they quote other text as well.

namespace tcpmibd {

// A character of UTF-8, or one octet that is none.
struct Character {
  std::string_view octets;
  char32_t code;

  static constexpr char32_t kInvalid = 0xffffffff;

  // Whether it steers what shows it instead of being shown: control characters (C0, DEL, C1),
  // those that end a line or turn its direction, and octets that are no UTF-8, for a terminal of
  // another character set may obey those.
  bool steers() const;
};

// Takes the first character off `text`, which is not empty.
Character take_character(std::string_view& text);

// "\u009b", as TOML and JSON write a character that steers: all of those lie below 0x10000.
std::string unicode_escape(char32_t code);

// Whether it is of printable ASCII alone, as nearly all names are: then each octet is one column.
bool is_plain(std::string_view text);

// `text` with each octet of what steers as "\x1b": always UTF-8, and on one line. What is printable
// already is not changed; that a backslash may have been there before is accepted, for names of
// systemd's units have them. No more than `most` octets, ending with a whole character or escape.
std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

// `name` without the first octets of a character at its end that lacks the others: for names that
// were cut at a number of octets.
std::string_view without_cut_character(std::string_view name);

}  // namespace tcpmibd
