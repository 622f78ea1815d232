#include "agent/agentx/dialer.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/agentx/master_start.h"
#include "agent/agentx/name_lookup.h"
#include "agent/config/snmpd.h"

namespace tcpmibd::agent::agentx {
namespace {

// How often a look-up is asked whether it has come to its end.
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

// errno of what a connect that would not wait came to; EINPROGRESS while it goes on.
int state_of(const FileDescriptor& socket) {
  pollfd waiting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, 0) <= 0)
    return EINPROGRESS;
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

bool lacks_restart(const MasterAddress& master) {
  return master.path() && started_before(*master.path(), kOurSnmpdFile);
}

std::string cure_of(int code, const MasterAddress& master) {
  switch (code) {
    case ENOENT:
    case ECONNREFUSED:
      return "is snmpd running, with \"master agentx\" and this agentXSocket in its snmpd.conf?";
    case EACCES:
      if (lacks_restart(master))
        return restart_cure(kOurSnmpdFile);
      return std::string("put \"") + agentx_perms() +
             "\" into snmpd.conf, restart snmpd, make the socket's folder enterable (chmod 755), "
             "and run this agent in the group tcpmibd";
    case EAGAIN:
    case ETIMEDOUT:
      return "the master is overloaded or stopped";
    default:
      return {};
  }
}

}  // namespace

Dialer::Dialer(const MasterAddress& master, Duration patience)
    : master_(master), patience_(patience) {}

Dialer::~Dialer() = default;

void Dialer::begin(Time now) {
  under_way_ = true;
  begun_ = now;
  code_ = EHOSTUNREACH;  // of a host that has no address at all
  lookup_.reset();
  addresses_.clear();
  if (const std::optional<SocketAddress> known = master_.socket_address())
    addresses_.push_back(*known);
  else
    lookup_ = std::make_unique<NameLookup>(master_.host(), master_.port());
}

Time Dialer::wake() const {
  const Time end = begun_ + patience_;
  return lookup_ != nullptr ? std::min(end, wake_) : end;
}

Dialer::Outcome Dialer::turn(Time now) {
  wake_ = now + kLookAgain;
  if (now - begun_ >= patience_)
    return end(ETIMEDOUT);
  if (lookup_ != nullptr)
    return look_up();
  return socket_ ? finish_connect() : connect_next();
}

Dialer::Outcome Dialer::look_up() {
  std::optional<std::vector<SocketAddress>> found = lookup_->addresses();
  if (!found)
    return std::nullopt;
  addresses_ = *std::move(found);
  lookup_.reset();
  return connect_next();
}

Dialer::Outcome Dialer::connect_next() {
  while (!addresses_.empty()) {
    const SocketAddress address = addresses_.front();
    addresses_.erase(addresses_.begin());
    socket_ = FileDescriptor(
        ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket_ && ::connect(socket_.get(), address.get(), address.size) == 0)
      return end_with_socket();
    if (socket_ && errno == EINPROGRESS)
      return std::nullopt;
    code_ = errno;
  }
  return end(code_);
}

Dialer::Outcome Dialer::finish_connect() {
  const int code = state_of(socket_);
  if (code == EINPROGRESS)
    return std::nullopt;
  if (code == 0)
    return end_with_socket();
  code_ = code;
  return connect_next();
}

Dialer::Outcome Dialer::end_with_socket() {
  under_way_ = false;
  return std::exchange(socket_, {});
}

Dialer::Outcome Dialer::end(int code) {
  under_way_ = false;
  socket_ = {};
  lookup_.reset();
  return failure("reach the AgentX master at " + master_.text(), code, cure_of(code, master_));
}

Result<FileDescriptor> connect_to(const MasterAddress& master, Duration patience) {
  Dialer dialer(master, patience);
  dialer.begin(Clock::now());
  while (true) {
    const Time now = Clock::now();
    if (std::optional<Result<FileDescriptor>> outcome = dialer.turn(now))
      return *std::move(outcome);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(dialer.wake() - now);
    pollfd waiting{.fd = dialer.descriptor(), .events = POLLOUT, .revents = 0};
    ::poll(&waiting, 1, static_cast<int>(left.count()));
  }
}

}  // namespace tcpmibd::agent::agentx
