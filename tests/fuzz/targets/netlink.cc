#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz/targets.h"
#include "kernel/netlink_exchange.h"

namespace tcpmibd::fuzz {

namespace {

using kernel::Outcome;

// The kernel, played by the far ends of socketpairs.
class Kernel {
 public:
  // What it says at once on each socket that is opened from now on.
  std::string at_opening;

  Result<FileDescriptor> open() {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0,
            "a socketpair is to be had");
    far_ = FileDescriptor(ends[1]);
    say(at_opening);
    return FileDescriptor(ends[0]);
  }

  void say(const std::string& block) const {
    if (!block.empty())
      (void)::send(far_.get(), block.data(), block.size(), MSG_DONTWAIT);
  }

 private:
  FileDescriptor far_;
};

constexpr std::uint16_t kData = NLMSG_MIN_TYPE;
constexpr std::uint32_t kFirst = 1, kSecond = 2;  // the sequence numbers of two exchanges

std::string message(std::uint16_t type, std::uint32_t sequence, std::string_view payload,
                    std::uint32_t lie = 0) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + payload.size()) + lie;
  header.nlmsg_type = type;
  header.nlmsg_seq = sequence;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

struct Block {
  std::string bytes;
  bool is_whole = true;  // no header lies, and none is of the second exchange
};

// Raw octets, or messages whose headers are mostly right.
Block block_in(Draw draw) {
  constexpr std::array<std::uint16_t, 4> kTypes{kData, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP};
  constexpr std::array<std::uint32_t, 4> kSequences{kFirst, kFirst, 0, 77};
  if (draw.flag())
    return {std::string(draw.rest_text()), false};
  Block block;
  while (!draw.is_empty()) {
    const std::uint16_t type = kTypes[draw.below(kTypes.size())];
    const std::uint32_t sequence = kSequences[draw.below(kSequences.size())];
    const std::uint32_t lie = draw.octet() < 0xf0 ? 0 : draw.number<std::uint32_t>();
    block.bytes += message(type, sequence, text_of(draw.piece()), lie);
    block.is_whole = block.is_whole && lie == 0;
  }
  return block;
}

struct Heard {
  std::vector<std::string> texts;
  bool to_the_end = false;
};

Heard ask(kernel::NetlinkExchange& exchange, std::size_t longest) {
  Heard heard;
  const auto take = [&](const nlmsghdr& header) -> Outcome {
    const std::span<const std::byte> payload = kernel::payload_of(header);
    require(payload.size() + NLMSG_HDRLEN <= longest, "no message is longer than its block");
    if (header.nlmsg_type == kData)
      heard.texts.emplace_back(reinterpret_cast<const char*>(payload.data()), payload.size());
    heard.to_the_end = header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR;
    const bool refused = header.nlmsg_type == NLMSG_ERROR;
    return {heard.to_the_end ? Outcome::Step::kDone : Outcome::Step::kGoOn,
            refused ? kernel::error_code(header) : kernel::done_code(header)};
  };
  const Result<int> code = exchange.ask({.type = 20, .flags = 0, .payload = {}}, "ask", take);
  require(code.has_value() || !heard.to_the_end, "an answer that ends is one");
  return heard;
}

}  // namespace

// The input: blocks that the kernel says to the first of two questions, each with its length before
// it. Nothing of them must be heard in the answer to the second.
void netlink(Input input) {
  Draw draw(input);
  Kernel kernel;
  auto exchange = kernel::NetlinkExchange::open([&] { return kernel.open(); }, Duration(0)).value();
  std::size_t longest = 0;
  bool all_whole = true;
  for (int i = 0; i < 8 && !draw.is_empty(); ++i) {
    const Block block = block_in(Draw(draw.piece()));
    longest = std::max(longest, block.bytes.size());
    all_whole = all_whole && block.is_whole;
    kernel.say(block.bytes);
  }
  const Heard first = ask(exchange, longest);

  const std::string answer =
      message(kData, kSecond, "ours") + message(NLMSG_DONE, kSecond, std::string(4, '\0'));
  kernel.at_opening = answer;
  kernel.say(first.to_the_end ? answer : "");
  const Heard second = ask(exchange, std::max(longest, answer.size()));
  if (all_whole && second.to_the_end)
    require(second.texts == std::vector<std::string>{"ours"}, "one answer is not another's");
  if (all_whole && first.to_the_end)
    require(second.to_the_end, "and it is heard to its end");
}

}  // namespace tcpmibd::fuzz
