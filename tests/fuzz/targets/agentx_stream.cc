#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "agent/agentx/connection.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

namespace agentx = agent::agentx;

struct Ends {
  FileDescriptor near;
  FileDescriptor far;
};

Ends ends() {
  std::array<int, 2> pair{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0,
          "a socketpair is to be had");
  return {FileDescriptor(pair[0]), FileDescriptor(pair[1])};
}

// The lengths of the PDUs at the beginning of a stream, by RFC 2741, 6.1 alone; the last one is
// where what cannot be a PDU begins.
struct Framing {
  std::vector<std::size_t> ends;
  bool senseless = false;
};

Framing framing_of(Input stream) {
  Framing framing;
  std::size_t at = 0;
  while (stream.size() - at >= agentx::Header::kSize) {
    const auto header = agentx::Header::parse(stream.subspan(at));
    framing.senseless = header.version != 1 || header.length % 4 != 0 ||
                        header.length > agentx::Connection::kLongestPdu;
    if (framing.senseless || stream.size() - at - agentx::Header::kSize < header.length)
      break;
    at += agentx::Header::kSize + header.length;
    framing.ends.push_back(at);
  }
  return framing;
}

}  // namespace

// The input: a stream of PDUs, and in its first octet how long the pieces are in which it comes.
void agentx_stream(Input input) {
  Draw draw(input);
  const std::size_t piece = draw.octet() + std::size_t{1};
  const Input stream = draw.rest();
  const Framing framing = framing_of(stream);
  auto [near, far] = ends();
  agentx::Connection connection(std::move(near));
  std::size_t taken = 0;
  std::size_t packets = 0;
  for (Draw rest(stream); !rest.is_empty() && !connection.is_senseless();) {
    const Input part = rest.octets(piece);
    require(::send(far.get(), part.data(), part.size(), 0) == static_cast<ssize_t>(part.size()),
            "a small piece is taken");
    require(connection.receive(), "the stream lives");
    while (true) {
      const bool has = connection.has_packet();
      const auto packet = connection.take();
      require(!packet || has, "what can be taken was there");
      if (!packet)
        break;
      require(std::ranges::equal(packet->payload, stream.subspan(taken + agentx::Header::kSize,
                                                                 packet->header.length)),
              "what a PDU holds is what was sent");
      taken += agentx::Header::kSize + packet->header.length;
      require(packets < framing.ends.size() && taken == framing.ends[packets++],
              "PDUs end where they say");
    }
  }
  require(packets == framing.ends.size(), "all of them are taken");
  require(connection.is_senseless() == framing.senseless, "and what is none is known to be");
}

}  // namespace tcpmibd::fuzz
