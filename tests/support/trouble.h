#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace tcpmibd::lab {

// The laboratory itself failed, not what is tested. GoogleTest reports it with its text.
class Trouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `check(::bind(…), "bind 10.0.0.1:80")`: the result of a system call, or Trouble with errno.
template <typename Number>
Number check(Number result, const std::string& doing) {
  if (result < 0)
    throw Trouble("cannot " + doing + ": " + std::generic_category().message(errno));
  return result;
}

}  // namespace tcpmibd::lab
