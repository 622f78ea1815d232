#include "agent/serve/ends_watch.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "support/fake_ends.h"
#include "support/temp_folder.h"

namespace tcpmibd::agent {
namespace {

using lab::FakeEndsSource;
using namespace std::chrono_literals;

bool is_readable(int descriptor) {
  pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) == 1;
}

class EndsWatchTest : public testing::Test {
 protected:
  std::unique_ptr<EndsWatch> watch(tcp::EndsSource* source, std::size_t history = 8) {
    return EndsWatch::start(source, news_.get(),
                            {.history = history, .state_folder = folder_.path()})
        .value();
  }

  void news() const {
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(news_.get(), &one, sizeof one), ssize_t{sizeof one});
  }
  void take_news() const {
    std::uint64_t count = 0;
    ASSERT_EQ(::read(news_.get(), &count, sizeof count), ssize_t{sizeof count});
  }

  FileDescriptor news_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  lab::TempFolder folder_;
  FakeEndsSource kernel_;
  const Time start_ = Clock::now();
};

TEST_F(EndsWatchTest, PassesTheOtherNewsOnUntilTheyAreTaken) {
  for (tcp::EndsSource* source :
       {static_cast<tcp::EndsSource*>(nullptr), static_cast<tcp::EndsSource*>(&kernel_)}) {
    const auto ends = watch(source);
    EXPECT_FALSE(is_readable(ends->descriptor()));
    news();
    EXPECT_TRUE(is_readable(ends->descriptor()));
    ends->on_news(start_);
    EXPECT_TRUE(is_readable(ends->descriptor())) << "nobody has taken them";
    take_news();
    EXPECT_FALSE(is_readable(ends->descriptor()));
    EXPECT_EQ(ends->on_turn(start_), std::nullopt) << "that was no end";
  }
}

TEST_F(EndsWatchTest, WakesOnceAndTakesAllAFifthOfASecondLater) {
  const auto ends = watch(&kernel_);
  EXPECT_EQ(ends->on_turn(start_), std::nullopt) << "nothing ends, nothing wakes us";
  kernel_.end({});
  EXPECT_TRUE(is_readable(ends->descriptor()));
  ends->on_news(start_);
  kernel_.end({});
  EXPECT_FALSE(is_readable(ends->descriptor())) << "one word is enough";
  EXPECT_EQ(ends->on_turn(start_ + 50ms), 150ms);
  EXPECT_EQ(kernel_.takes(), 0);
  EXPECT_EQ(ends->on_turn(start_ + 200ms), std::nullopt);
  EXPECT_EQ(kernel_.takes(), 1);
  EXPECT_EQ(ends->figures(start_ + 200ms)->history().size(), 2U);
  EXPECT_FALSE(is_readable(ends->descriptor()));
  kernel_.end({});
  EXPECT_TRUE(is_readable(ends->descriptor())) << "it listens again";
}

TEST_F(EndsWatchTest, WhoAsksGetsWhatThereIsNow) {
  const auto ends = watch(&kernel_);
  kernel_.end({.pid = 1});
  kernel_.end({.pid = 2});
  kernel_.reasons[1] = 2;
  const auto figures = ends->figures(start_);
  ASSERT_EQ(figures->history().size(), 2U);
  EXPECT_EQ(figures->history().newest(0).ended.pid, 2U);
  EXPECT_EQ(figures->newest(), 2U);
  EXPECT_EQ(figures->counts()[1], 2U);
}

TEST_F(EndsWatchTest, WhoAsksAtOnceAgainGetsTheSameFigures) {
  const auto ends = watch(&kernel_);
  kernel_.reasons[0] = 1;
  const auto figures = ends->figures(start_);
  kernel_.reasons[0] = 2;
  EXPECT_EQ(ends->figures(start_ + 99ms), figures);
  EXPECT_EQ(ends->figures(start_ + 100ms)->counts()[0], 2U);
}

TEST_F(EndsWatchTest, AsksTheKernelForNoMoreThanIsRead) {
  const auto ends = watch(&kernel_);
  kernel_.closed = {{.port = 23, .calls = 1}};
  const auto figures = ends->figures(start_);
  EXPECT_EQ(kernel_.looks(), FakeEndsSource::Looks{});
  EXPECT_EQ(figures->counts()[0], 0U);
  EXPECT_EQ(kernel_.looks(), FakeEndsSource::Looks{.counts = 1});
  EXPECT_EQ(figures->closed_ports().size(), 1U);
  EXPECT_EQ(figures->closed_ports().size(), 1U);
  EXPECT_EQ(kernel_.looks(), (FakeEndsSource::Looks{.counts = 1, .closed_ports = 1})) << "once";
}

TEST_F(EndsWatchTest, GivesEachTheTimeOfTheWallAtWhichItEnded) {
  const auto ends = watch(&kernel_);
  kernel_.end({.at = Clock::now() - 1h});
  const auto at = ends->figures(start_)->history().newest(0).at;
  const auto age = std::chrono::system_clock::now() - at;
  EXPECT_GE(age, 1h);
  EXPECT_LT(age, 1h + 10s);
}

TEST_F(EndsWatchTest, WithoutASourceSaysThatNothingIsWatched) {
  EXPECT_EQ(watch(nullptr)->figures(start_), nullptr);
}

TEST_F(EndsWatchTest, WithoutAHistoryCountsAndMakesRoomNowAndThen) {
  const auto ends = watch(&kernel_, 0);
  const Time now = Clock::now();
  EXPECT_LE(ends->on_turn(now).value(), 10s);
  EXPECT_EQ(kernel_.takes(), 0);
  EXPECT_EQ(ends->on_turn(now + 11s), 10s);
  EXPECT_EQ(kernel_.takes(), 1);
  kernel_.end({});
  const auto figures = ends->figures(now);
  EXPECT_EQ(figures->history().size(), 0U);
  EXPECT_EQ(figures->newest(), 0U);
  EXPECT_FALSE(std::filesystem::exists(folder_.file("ended")));
}

TEST_F(EndsWatchTest, PutsServicesInTheOrderOfTheirNames) {
  const auto service = [](tcp::Family family, std::uint8_t last, std::uint16_t port) {
    tcp::RemoteEnds row{.family = family, .service = {}, .tally = {}};
    row.service.address[3] = last;
    row.service.port = port;
    return row;
  };
  kernel_.by_service = {service(tcp::Family::kIpv6, 1, 1), service(tcp::Family::kIpv4, 2, 1),
                        service(tcp::Family::kIpv4, 1, 2), service(tcp::Family::kIpv4, 1, 1)};
  const auto figures = watch(&kernel_)->figures(start_);
  std::vector<std::string> names;
  for (const tcp::RemoteEnds& row : figures->remotes())
    names.push_back((row.family == tcp::Family::kIpv4 ? "4 " : "6 ") +
                    std::to_string(row.service.address[3]) + ' ' +
                    std::to_string(row.service.port));
  EXPECT_EQ(names, (std::vector<std::string>{"4 1 1", "4 1 2", "4 2 1", "6 1 1"}));
}

}  // namespace
}  // namespace tcpmibd::agent
