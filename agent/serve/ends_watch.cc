#include "agent/serve/ends_watch.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace tcpmibd::agent {
namespace {

constexpr std::uint32_t kOnce = EPOLLIN | EPOLLONESHOT;

// Of what ended at `at`, by the wall's clock.
tcp::WallTime wall_time(Time at) {
  const auto wall = std::chrono::system_clock::now() - (Clock::now() - at);
  return std::chrono::floor<std::chrono::milliseconds>(wall);
}

}  // namespace

Result<std::unique_ptr<EndsWatch>> EndsWatch::start(tcp::EndsSource* source, int news,
                                                    const Options& options) {
  FileDescriptor both(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.fd = news}};
  if (!both || ::epoll_ctl(both.get(), EPOLL_CTL_ADD, news, &event) != 0)
    return failure("wait for the worker", errno);
  if (source != nullptr) {
    event = {.events = kOnce, .data = {.fd = source->descriptor()}};
    if (::epoll_ctl(both.get(), EPOLL_CTL_ADD, source->descriptor(), &event) != 0)
      return failure("wait for connections that end", errno);
  }
  return std::unique_ptr<EndsWatch>(new EndsWatch(source, options, std::move(both), Clock::now()));
}

EndsWatch::EndsWatch(tcp::EndsSource* source, const Options& options, FileDescriptor both, Time now)
    : source_(source),
      both_(std::move(both)),
      history_(source == nullptr ? 0 : options.history),
      since_(now) {
  if (source != nullptr && options.history != 0)
    numbers_.emplace(options.state_folder);
  else if (source != nullptr)
    due_ = now + kRoom;
}

void EndsWatch::on_news(Time now) {
  std::array<epoll_event, 2> events{};
  const int ready = ::epoll_wait(both_.get(), events.data(), events.size(), 0);
  for (int i = 0; i < ready; ++i) {
    if (source_ != nullptr && events[static_cast<std::size_t>(i)].data.fd == source_->descriptor())
      due_ = now + kPause;
  }
}

std::optional<Duration> EndsWatch::on_turn(Time now) {
  if (!due_)
    return std::nullopt;
  if (now < *due_)
    return *due_ - now;
  take();
  if (!numbers_) {
    due_ = now + kRoom;
    return kRoom;
  }
  due_.reset();
  listen();
  return std::nullopt;
}

// Again, for the last word was the only one.
void EndsWatch::listen() {
  epoll_event event{.events = kOnce, .data = {.fd = source_->descriptor()}};
  ::epoll_ctl(both_.get(), EPOLL_CTL_MOD, source_->descriptor(), &event);
}

void EndsWatch::take() {
  source_->take([this](const tcp::Ended& ended) {
    if (!numbers_)
      return;
    newest_ = numbers_->next();
    history_.add(ended, wall_time(ended.at), newest_);
  });
}

std::shared_ptr<const tcp::EndsFigures> EndsWatch::figures(Time now) {
  if (source_ == nullptr)
    return nullptr;
  if (figures_ != nullptr && now - figures_at_ < kMostAge)
    return figures_;
  take();
  figures_ = std::make_shared<tcp::EndsFigures>(
      *source_, tcp::EndsFigures::Watch{.history = history_, .since = since_, .newest = newest_});
  figures_at_ = now;
  return figures_;
}

}  // namespace tcpmibd::agent
