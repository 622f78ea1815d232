#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "support/deadline.h"
#include "support/trouble.h"

namespace tcpmibd::lab {

// A socket with a path that takes what others send to it, from any user: in the place of systemd's
// or the journal's.
class Datagrams {
 public:
  explicit Datagrams(const std::string& path)
      : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path.size() >= sizeof address.sun_path)
      throw Trouble("the path of a socket is too long: " + path);
    std::ranges::copy(path, address.sun_path);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), 0777) != 0)
      throw Trouble("cannot make a socket at " + path);
  }

  const std::string& path() const { return path_; }

  // Everything that has come so far, in order.
  const std::vector<std::string>& all() {
    std::array<char, 65536> buffer;
    for (ssize_t size = 0; (size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0)) >= 0;)
      received_.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    return received_;
  }

  // How many of all have `line` as one of their lines, or its beginning if it ends with '='.
  long count(std::string_view line) {
    return std::ranges::count_if(all(), [&](const std::string& each) { return has(each, line); });
  }

  // Waits until there are `wanted` of them.
  bool gets(std::string_view line, long wanted = 1, std::chrono::milliseconds timeout = kPatience) {
    return eventually([&] { return count(line) >= wanted; }, timeout);
  }

  // What follows "STATUS=" in the last datagram that has it.
  std::string last(std::string_view name) {
    for (auto each = all().rbegin(); each != received_.rend(); ++each) {
      const std::string text = '\n' + *each + '\n';
      const std::size_t at = text.find('\n' + std::string(name));
      if (at != std::string::npos)
        return text.substr(at + 1 + name.size(), text.find('\n', at + 1) - at - 1 - name.size());
    }
    return {};
  }

 private:
  static bool has(const std::string& datagram, std::string_view line) {
    const std::string text = '\n' + datagram + '\n';
    return text.find('\n' + std::string(line) + (line.ends_with('=') ? "" : "\n")) !=
           std::string::npos;
  }

  std::string path_;
  FileDescriptor socket_;
  std::vector<std::string> received_;
};

}  // namespace tcpmibd::lab
