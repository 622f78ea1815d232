#include "floods/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <functional>

#include "base/handle.h"
#include "support/end.h"
#include "support/shared_memory.h"
#include "support/snmp_session.h"
#include "support/sockets.h"
#include "support/trouble.h"

namespace tcpmibd::floods {
namespace {

using lab::Namespace;
using lab::Oid;
using lab::SnmpSession;
using std::chrono::milliseconds;

const Oid kConnectionState = lab::oid_of("1.3.6.1.2.1.6.19.1.7");
constexpr int kRepetitions = 50;

// The rows it has met; it ends with the column.
void walk(SnmpSession& session) {
  Oid last = kConnectionState;
  for (;;) {
    for (const lab::NumberBinding& binding : session.bulk(last, kRepetitions)) {
      const bool is_below =
          binding.oid.size() > kConnectionState.size() &&
          std::equal(kConnectionState.begin(), kConnectionState.end(), binding.oid.begin());
      if (!is_below || !binding.number)
        return;
      last = binding.oid;
    }
  }
}

void walk_and_count(SnmpSession& session, Tally& tally) {
  try {
    walk(session);
    ++tally.made;
  } catch (const lab::Trouble&) {
    ++tally.lost;
  }
}

// RFC 3412, 6 and RFC 3414, 4: a GET of nothing, reportable, of an engine that is not known.
constexpr std::array<std::uint8_t, 64> kDiscovery{
    0x30, 0x3e, 0x02, 0x01, 0x03,                                      // version 3
    0x30, 0x11, 0x02, 0x04, 0x12, 0x34, 0x56, 0x78,                    // msgID
    0x02, 0x03, 0x00, 0xff, 0xe3, 0x04, 0x01, 0x04, 0x02, 0x01, 0x03,  // size, flags, USM
    0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00,
    0x04, 0x00,                          // no engine, no user
    0x30, 0x14, 0x04, 0x00, 0x04, 0x00,  // no context
    0xa0, 0x0e, 0x02, 0x04, 0x12, 0x34, 0x56, 0x78, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00};

// On the loopback, connected to the agent.
FileDescriptor socket_to(std::uint16_t port) {
  FileDescriptor socket(
      lab::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a UDP socket"));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  lab::check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to),
             "connect a UDP socket");
  return socket;
}

// Some are always under way: none waits for its answer before the next is sent.
void discover(int socket, Tally& tally) {
  constexpr int kAtOnce = 32;
  for (int i = 0; i < kAtOnce; ++i)
    ::send(socket, kDiscovery.data(), kDiscovery.size(), MSG_DONTWAIT);
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  std::array<std::uint8_t, 512> answer{};
  ::poll(&waiting, 1, 1);
  while (::recv(socket, answer.data(), answer.size(), MSG_DONTWAIT) > 0)
    ++tally.made;
}

}  // namespace

Load::Load() : tally_(lab::shared_with_children<Tally>()) {}

void Load::add(const Namespace& space, const std::function<void(Tally&)>& again) {
  holders_.emplace_back(lab::Errand{.forever =
                                        [again, tally = tally_] {
                                          for (;;)
                                            again(*tally);
                                        },
                                    .in = &space});
}

Load Load::walkers(const Namespace& space, const std::string& address, unsigned count,
                   milliseconds patience) {
  Load load;
  for (unsigned i = 0; i < count; ++i) {
    const auto session = std::make_shared<std::unique_ptr<SnmpSession>>();
    load.add(space, [=](Tally& tally) {
      if (!*session)
        *session = std::make_unique<SnmpSession>(Namespace::current(), address, "public", patience);
      walk_and_count(**session, tally);
    });
  }
  return load;
}

Load Load::syns(const Namespace& from, const std::string& source, const std::string& to) {
  constexpr std::uint64_t kFirst = 1'024;
  constexpr std::uint64_t kPorts = 65'536 - kFirst;
  Load load;
  load.add(from, [=](Tally& tally) {
    static const Namespace here = Namespace::current();
    lab::send_syn(here, source + ":" + std::to_string(kFirst + tally.made % kPorts), to);
    ++tally.made;
  });
  return load;
}

Load Load::discoveries(const Namespace& space, std::uint16_t port, unsigned count) {
  Load load;
  for (unsigned i = 0; i < count; ++i) {
    const auto socket = std::make_shared<FileDescriptor>();
    load.add(space, [=](Tally& tally) {
      if (socket->get() < 0)
        *socket = socket_to(port);
      discover(socket->get(), tally);
    });
  }
  return load;
}

}  // namespace tcpmibd::floods
