#include "agent/agentx/name_lookup.h"

#include <netdb.h>

#include <cstring>

namespace tcpmibd::agent::agentx {
namespace {

std::vector<SocketAddress> addresses_in(const addrinfo* list) {
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress address{.storage = {}, .size = one->ai_addrlen};
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

// What the C library's thread reads and writes.
struct NameLookup::Request {
  std::string host, port;
  addrinfo hints{};
  gaicb control{};
};

NameLookup::NameLookup(const std::string& host, const std::string& port)
    : request_(new Request{.host = host, .port = port, .hints = {}, .control = {}}) {
  request_->hints.ai_socktype = SOCK_STREAM;
  gaicb& control = request_->control;
  control.ar_name = request_->host.c_str();
  control.ar_service = request_->port.c_str();
  control.ar_request = &request_->hints;
  gaicb* list[] = {&control};
  begun_ = ::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) == 0;
}

// One that cannot be called off any more keeps its request for good: it writes there yet.
NameLookup::~NameLookup() {
  if (begun_ && ::gai_error(&request_->control) == EAI_INPROGRESS &&
      ::gai_cancel(&request_->control) != EAI_CANCELED) {
    static_cast<void>(request_.release());
    return;
  }
  if (request_->control.ar_result != nullptr)
    ::freeaddrinfo(request_->control.ar_result);
}

std::optional<std::vector<SocketAddress>> NameLookup::addresses() const {
  if (begun_ && ::gai_error(&request_->control) == EAI_INPROGRESS)
    return std::nullopt;
  return addresses_in(request_->control.ar_result);
}

}  // namespace tcpmibd::agent::agentx
