#pragma once

#include <cerrno>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tcpmibd {

// Why something could not be done, in words that an operator can act on.
struct Error {
  std::string doing;  // What was attempted, as an infinitive: "open /etc/tcpmibd/tcpmibd.toml".
  int code = 0;       // errno of the refusal; 0 where the kernel had no part in it.
  std::string cure;   // What to do about it; empty where we know nothing better than the cause.

  // Set for a mistake in what we were given, "tcpmibd.toml:7"; `doing` then says what is wrong.
  std::string place;

  // "cannot open FILE: Permission denied (run as root)", "FILE:7: unknown key 'colour'".
  std::string text() const;
};

// Whether what the kernel refused with this errno it may grant at another moment: descriptors,
// memory or threads were not to be had.
constexpr bool is_scarcity(int code) {
  return code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS || code == EAGAIN;
}

// A value, or why there is none.
template <typename T>
using Result = tl::expected<T, Error>;

// Done, or why not.
using Status = Result<void>;

// `return failure("bind UDP port 161", errno);`
inline tl::unexpected<Error> failure(std::string doing, int code = 0, std::string cure = {}) {
  return tl::unexpected<Error>(
      Error{.doing = std::move(doing), .code = code, .cure = std::move(cure), .place = {}});
}

// `return mistake("tcpmibd.toml:7", "unknown key 'colour'");`
inline tl::unexpected<Error> mistake(std::string place, std::string what) {
  return tl::unexpected<Error>(
      Error{.doing = std::move(what), .code = 0, .cure = {}, .place = std::move(place)});
}

}  // namespace tcpmibd
