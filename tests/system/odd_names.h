#pragma once

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/sockets.h"

// A host whose processes have names that nobody would choose.

namespace tcpmibd::lab {

struct OddName {
  std::string given;  // as the process calls itself; the kernel keeps 15 octets
  std::string shown;  // wherever it appears
};

inline std::vector<OddName> odd_names() {
  return {
      {"plain", "plain"},
      {"fifteen_letters", "fifteen_letters"},
      {"", ""},
      {"a\nb", R"(a\x0ab)"},
      {"\x1b[31mred", R"(\x1b[31mred)"},
      {"\xff\xfe\x80", R"(\xff\xfe\x80)"},
      {"caf\xe9", R"(caf\xe9)"},
      {"\"q\"\\", R"("q"\)"},
      {"a\nb\"\\", R"(a\x0ab"\)"},
      {"\xc2\x9b"
       "31mc1",
       R"(\xc2\x9b31mc1)"},
      {"x\xe2\x80\xae"
       "y",
       R"(x\xe2\x80\xaey)"},
      {"\xe2\x80\xa8", R"(\xe2\x80\xa8)"},
      {"€€€€€€", "€€€€€"},
      {"aéééééééééé", "aééééééé"},
      {"job-同步任务服务", "job-同步任"},
  };
}

// A process of such a name that listens on a port of the loopback and accepts who calls.
class OddlyNamed {
 public:
  OddlyNamed(const Namespace& space, OddName name, std::uint16_t port)
      : name_(std::move(name)), port_(port), holder_(errand(space)) {}

  const std::string& shown() const { return name_.shown; }
  std::uint16_t port() const { return port_; }
  std::uint32_t pid() const { return static_cast<std::uint32_t>(holder_.process().pid()); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  OddlyNamed& await_ready() {
    holder_.await_ready();
    return *this;
  }

 private:
  // The sockets of the laboratory do not wait.
  static void accept_forever(const TcpSocket& listener) {
    pollfd call{.fd = listener.get(), .events = POLLIN, .revents = 0};
    while (::poll(&call, 1, -1) >= 0)
      ::accept(listener.get(), nullptr, nullptr);
  }

  Errand errand(const Namespace& space) const {
    const auto listener = std::make_shared<TcpSocket>();
    return {.prepare =
                [listener, given = name_.given, address = address()] {
                  ::prctl(PR_SET_NAME, given.c_str());
                  *listener = listen_on(Namespace::current(), address);
                },
            .forever = [listener] { accept_forever(*listener); },
            .in = &space};
  }

  OddName name_;
  std::uint16_t port_;
  Holder holder_;
};

inline constexpr std::uint16_t kFirstOddPort = 7300;

// All of them, on ports that follow each other.
inline std::vector<std::unique_ptr<OddlyNamed>> oddly_named(const Namespace& space) {
  std::vector<std::unique_ptr<OddlyNamed>> all;
  std::uint16_t port = kFirstOddPort;
  for (const OddName& name : odd_names())
    all.push_back(std::make_unique<OddlyNamed>(space, name, port++));
  for (const auto& each : all)
    each->await_ready();
  return all;
}

}  // namespace tcpmibd::lab
