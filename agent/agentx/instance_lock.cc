#include "agent/agentx/instance_lock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

namespace tcpmibd::agent {
namespace {

// A name that begins with a zero byte is in no folder and ends with its socket (unix(7)).
int bind_abstract(const FileDescriptor& socket, const std::string& name) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::copy_n(name.begin(), length, address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace

std::string instance_name(const std::string& identity) { return "tcpmibd/" + identity; }

Status InstanceLock::take() {
  const std::optional<std::string> identity = master_.identity();
  if (!identity || (held() && *identity == identity_))
    return {};
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket)
    return failure("open a socket to hold the instance's name", errno);
  if (bind_abstract(socket, instance_name(*identity)) != 0)
    return failure(
        "serve the master at " + master_.text() + ": another tcpmibd already serves this master",
        errno == EADDRINUSE ? 0 : errno, "stop the other one first");
  socket_ = std::move(socket);
  identity_ = *identity;
  return {};
}

}  // namespace tcpmibd::agent
