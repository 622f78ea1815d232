#include "kernel/netlink_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// The kernel is played by the other ends of socketpairs; each new socket has an end of its own.

namespace tcpmibd::kernel {
namespace {

using testing::ElementsAre;
using Step = Outcome::Step;

constexpr std::uint16_t kData = NLMSG_MIN_TYPE;
constexpr const char* kDoing = "ask";
constexpr std::uint16_t kQuestion = 20;

std::string message(std::uint16_t type, std::uint32_t sequence, std::string_view payload) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_seq = sequence;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += payload;
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

std::string number(int value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

std::string data(std::uint32_t sequence, std::string_view text) {
  return message(kData, sequence, text);
}

std::string done(std::uint32_t sequence, int code = 0) {
  return message(NLMSG_DONE, sequence, number(-code));
}

std::string refusal(std::uint32_t sequence, int code) {
  nlmsgerr error{};
  error.error = -code;
  return message(NLMSG_ERROR, sequence, {reinterpret_cast<const char*>(&error), sizeof error});
}

class NetlinkExchangeTest : public testing::Test {
 protected:
  // How many sockets may be opened, the first included.
  void allow(std::size_t sockets) { allowed_ = sockets; }

  Result<NetlinkExchange> open() {
    return NetlinkExchange::open([this] { return socket(); }, std::chrono::milliseconds(20));
  }

  // What the kernel has to say on the socket that was opened last.
  void say(const std::string& block) {
    ASSERT_EQ(::send(kernel_.back().get(), block.data(), block.size(), 0),
              static_cast<ssize_t>(block.size()));
  }

  // And what it has to say at once on each that is opened from now on.
  void say_at_opening(const std::string& block) { at_opening_ = block; }

  // Asks, and keeps the texts that come until the answer ends.
  Result<int> ask(NetlinkExchange& exchange) {
    texts_.clear();
    return exchange.ask({.type = kQuestion, .flags = NLM_F_DUMP, .payload = {}}, kDoing,
                        [this](const nlmsghdr& header) { return take(header); });
  }

  std::size_t opened() const { return kernel_.size(); }
  std::size_t asked(std::size_t socket) const {
    std::size_t count = 0;
    std::array<char, 256> question;
    while (::recv(kernel_[socket].get(), question.data(), question.size(), MSG_DONTWAIT) > 0)
      ++count;
    return count;
  }

  std::vector<std::string> texts_;

 private:
  Result<FileDescriptor> socket() {
    std::array<int, 2> ends{};
    if (kernel_.size() == allowed_)
      return failure("open", EMFILE);
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
      return failure("make a socketpair", errno);
    kernel_.emplace_back(ends[1]);
    if (!at_opening_.empty())
      say(at_opening_);
    return FileDescriptor(ends[0]);
  }

  Outcome take(const nlmsghdr& header) {
    if (header.nlmsg_type == NLMSG_DONE)
      return {Step::kDone, done_code(header)};
    if (header.nlmsg_type == NLMSG_ERROR)
      return {Step::kDone, error_code(header)};
    const std::span<const std::byte> payload = payload_of(header);
    texts_.emplace_back(reinterpret_cast<const char*>(payload.data()), payload.size());
    return texts_.back() == "odd!" ? Outcome{Step::kAbandon, EBADMSG} : Outcome{};
  }

  std::size_t allowed_ = 100;
  std::string at_opening_;
  std::vector<FileDescriptor> kernel_;
};

TEST_F(NetlinkExchangeTest, TakesEveryMessageOfEveryBlockUntilTheEnd) {
  NetlinkExchange exchange = open().value();
  say(data(1, "one.") + data(1, "two."));
  say(data(1, "last") + done(1));
  EXPECT_EQ(ask(exchange), 0);
  EXPECT_THAT(texts_, ElementsAre("one.", "two.", "last"));
  EXPECT_EQ(asked(0), 1U);
}

TEST_F(NetlinkExchangeTest, TellsARefusalAsTheKernelWordsIt) {
  NetlinkExchange exchange = open().value();
  say(refusal(1, EPERM));
  EXPECT_EQ(ask(exchange), EPERM);
  say(data(2, "part") + done(2, EINTR));
  EXPECT_EQ(ask(exchange), EINTR);
  EXPECT_EQ(opened(), 1U);
}

TEST_F(NetlinkExchangeTest, TakesWhatIsNoErrnoForNoAnswer) {
  NetlinkExchange exchange = open().value();
  say(message(NLMSG_DONE, 1, number(std::numeric_limits<int>::min())));
  EXPECT_EQ(ask(exchange), EBADMSG);
  say(refusal(2, 5000));
  EXPECT_EQ(ask(exchange), EBADMSG);
}

TEST_F(NetlinkExchangeTest, DoesNotHearAnEarlierAnswerOnceMore) {
  NetlinkExchange exchange = open().value();
  say(done(1));
  EXPECT_EQ(ask(exchange), 0);
  say(data(1, "late") + data(2, "ours") + done(2));
  EXPECT_EQ(ask(exchange), 0);
  EXPECT_THAT(texts_, ElementsAre("ours"));
}

TEST_F(NetlinkExchangeTest, PassesOverWhatBelongsToAnotherQuestion) {
  NetlinkExchange exchange = open().value();
  say(data(7, "odd!") + data(1, "ours") + done(7) + done(1));
  EXPECT_EQ(ask(exchange), 0);
  EXPECT_THAT(texts_, ElementsAre("ours"));
}

TEST_F(NetlinkExchangeTest, AnAnswerThatIsOfNoUseIsReadToItsEndBeforeTheNextQuestion) {
  NetlinkExchange exchange = open().value();
  say(data(1, "odd!") + data(1, "rest"));
  say(data(1, "more"));
  EXPECT_EQ(ask(exchange), EBADMSG);
  say(done(1));
  say(data(2, "well") + done(2));
  EXPECT_EQ(ask(exchange), 0);
  EXPECT_THAT(texts_, ElementsAre("well"));
  EXPECT_EQ(opened(), 1U);
}

TEST_F(NetlinkExchangeTest, WhereTheEndDoesNotComeTheSocketIsReplaced) {
  NetlinkExchange exchange = open().value();
  say(data(1, "part"));
  EXPECT_EQ(ask(exchange).error().code, ETIMEDOUT);
  EXPECT_EQ(opened(), 1U);
  EXPECT_EQ(ask(exchange).error().code, ETIMEDOUT);
  EXPECT_EQ(opened(), 2U);
  EXPECT_EQ(asked(0), 1U);
  EXPECT_EQ(asked(1), 1U);
}

// Whichever message is the one that fails, and however, the question after it is answered.
struct Fault {
  const char* name;
  std::vector<std::string> blocks;
};

class NetlinkExchangeFault : public NetlinkExchangeTest,
                             public testing::WithParamInterface<Fault> {};

const Fault kFaults[] = {
    {"NoAnswer", {}},
    {"NoEnd", {data(1, "one."), data(1, "two.")}},
    {"CutInTheFirstBlock", {data(1, "one.").substr(0, 18)}},
    {"CutInALaterBlock", {data(1, "one."), data(1, "two.").substr(0, 18)}},
    {"CutWithinTheEnd", {data(1, "one.") + done(1).substr(0, 17)}},
    {"ALengthBeyondTheBlock", {message(kData, 1, std::string(9, 'x')).substr(0, 20)}},
    {"TooLongForTheBuffer", {data(1, std::string(70'000, 'x'))}},
    {"Malformed", {data(1, "odd!")}},
    {"MalformedInALaterBlock", {data(1, "one."), data(1, "odd!") + done(1)}},
    {"AForeignAnswerOnly", {data(99, "them") + done(99)}},
    {"OneByte", {"x"}},
};

TEST_P(NetlinkExchangeFault, EndsTheQuestionAndNothingAfterIt) {
  NetlinkExchange exchange = open().value();
  for (const std::string& block : GetParam().blocks)
    say(block);
  const Result<int> broken = ask(exchange);
  EXPECT_TRUE(!broken || *broken != 0);
  EXPECT_EQ(opened(), 1U);
  say_at_opening(data(2, "well") + done(2));
  EXPECT_EQ(ask(exchange), 0);
  EXPECT_THAT(texts_, ElementsAre("well"));
  EXPECT_EQ(opened(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Every, NetlinkExchangeFault, testing::ValuesIn(kFaults),
                         [](const auto& fault) { return fault.param.name; });

TEST_F(NetlinkExchangeTest, WhereNoneCanBeHadTheNextQuestionTriesAgain) {
  NetlinkExchange exchange = open().value();
  say(data(1, "part"));
  EXPECT_FALSE(ask(exchange));
  allow(1);
  const Result<int> none = ask(exchange);
  EXPECT_EQ(none.error().code, EMFILE);
  EXPECT_EQ(none.error().doing, kDoing);
  allow(2);
  EXPECT_EQ(ask(exchange).error().code, ETIMEDOUT);
  EXPECT_EQ(opened(), 2U);
}

TEST_F(NetlinkExchangeTest, WithoutASocketThereIsNone) {
  allow(0);
  EXPECT_EQ(open().error().code, EMFILE);
}

}  // namespace
}  // namespace tcpmibd::kernel
