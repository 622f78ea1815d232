#include "support/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>

#include "support/shared_memory.h"
#include "support/sockets.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

// Local ports stay below the ephemeral ones, which a bound port would take from real clients.
constexpr unsigned kFirstLocalPort = 2'000;
constexpr unsigned kLocalPorts = 30'000;

// A member takes some 15 µs.
constexpr std::chrono::seconds kPatienceToBegin{60};
constexpr std::chrono::milliseconds kPatiencePerMember{1};

Ends ends_of_member(unsigned number, bool v6) {
  const std::string address = v6 ? "[::1]:" : "127.0.0.1:";
  return {.local = end_of(address + std::to_string(kFirstLocalPort + number % kLocalPorts)),
          .remote = end_of(address + std::to_string(1 + number / kLocalPorts))};
}

void raise_file_limit() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "tell the limit of files");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "raise the limit of files");
}

// One holder's life: `count` members from `first` on.
Errand hold_members(const Namespace& space, unsigned first, unsigned count, bool v6) {
  const auto members = std::make_shared<std::vector<TcpSocket>>();
  return {.prepare =
              [=] {
                raise_file_limit();
                for (unsigned number = first; number < first + count; ++number)
                  members->push_back(repaired(ends_of_member(number, v6)));
              },
          .in = &space};
}

// ---- Churn ----

constexpr unsigned kTicksPerSecond = 100;
constexpr unsigned kKeptOpen = 20;
constexpr std::uint16_t kChurnPort = 1999;

// Sixty-four loopback addresses in turn, so that the ephemeral ports suffice for a minute of
// TIME_WAIT, and the services that are called do not fill a table of their own.
std::string next_address(std::uint64_t number) {
  return "127.9.0." + std::to_string(1 + number % 64) + ":" + std::to_string(kChurnPort);
}

struct Couple {
  TcpSocket client, server;
};

void end_somehow(Couple couple, std::uint64_t number) {
  switch (number % 4) {
    case 0:
      couple.client.close();
      couple.server.close();
      break;
    case 1:
      couple.server.close();
      couple.client.close();
      break;
    default:
      couple.client.reset();
      break;
  }
}

[[noreturn]] void come_and_go(const TcpSocket& listener, unsigned per_second,
                              std::atomic<std::uint64_t>& made) {
  const Namespace here = Namespace::current();
  std::deque<Couple> open;
  auto next_tick = std::chrono::steady_clock::now();
  for (;;) {
    for (unsigned i = 0; i < std::max(1U, per_second / kTicksPerSecond); ++i) {
      TcpSocket client = connect_to(here, next_address(made));
      open.push_back({std::move(client), accept_from(listener)});
      ++made;
      if (open.size() > kKeptOpen) {
        end_somehow(std::move(open.front()), made);
        open.pop_front();
      }
    }
    next_tick += std::chrono::microseconds(1'000'000 / kTicksPerSecond);
    eventually([&] { return std::chrono::steady_clock::now() >= next_tick; });
  }
}

Errand churning(const Namespace& space, unsigned per_second,
                std::shared_ptr<std::atomic<std::uint64_t>> made) {
  const auto listener = std::make_shared<TcpSocket>();
  return {.prepare =
              [=] {
                *listener = listen_on(Namespace::current(), "0.0.0.0:" + std::to_string(kChurnPort),
                                      {.backlog = 128});
              },
          .forever = [=] { come_and_go(*listener, per_second, *made); },
          .in = &space};
}

}  // namespace

Crowd::Crowd(const Namespace& space, unsigned size, bool v6) : size_(size), v6_(v6) {
  for (unsigned first = 0; first < size; first += kMostPerProcess)
    holders_.emplace_back(hold_members(space, first, std::min(kMostPerProcess, size - first), v6));
  for (Holder& holder : holders_)
    holder.await_ready(kPatienceToBegin + size * kPatiencePerMember);
}

Crowd::Member Crowd::member(unsigned number) const {
  return {.ends = ends_of_member(number, v6_),
          .pid = holders_.at(number / kMostPerProcess).process().pid()};
}

unsigned Crowd::number_of(std::uint16_t local_port, std::uint16_t remote_port) {
  return (remote_port - 1U) * kLocalPorts + local_port - kFirstLocalPort;
}

Churn::Churn(const Namespace& space, unsigned per_second)
    : made_(shared_with_children<std::atomic<std::uint64_t>>()),
      holder_(churning(space, per_second, made_)) {
  holder_.await_ready();
}

std::uint64_t Churn::made() const { return *made_; }

}  // namespace tcpmibd::lab
