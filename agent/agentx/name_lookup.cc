#include "agent/agentx/name_lookup.h"

#include <netdb.h>

#include <cstring>
#include <utility>

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
  Request(const std::string& host_name, const std::string& port_number)
      : host(host_name), port(port_number) {
    hints.ai_socktype = SOCK_STREAM;
    control.ar_name = host.c_str();
    control.ar_service = port.c_str();
    control.ar_request = &hints;
  }
  ~Request() {
    if (control.ar_result != nullptr)
      ::freeaddrinfo(control.ar_result);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  bool is_under_way() const {
    return begun && ::gai_error(const_cast<gaicb*>(&control)) == EAI_INPROGRESS;
  }

  std::string host, port;
  addrinfo hints{};
  gaicb control{};
  bool begun = false;
};

// Those that could not be called off any more. The next look-up throws away what is done by then.
// Never destroyed: the thread may write yet when the process ends.
std::vector<std::unique_ptr<NameLookup::Request>>& NameLookup::abandoned() {
  static auto& requests = *new std::vector<std::unique_ptr<Request>>;
  return requests;
}

NameLookup::NameLookup(const std::string& host, const std::string& port)
    : request_(std::make_unique<Request>(host, port)) {
  std::erase_if(abandoned(), [](const auto& request) { return !request->is_under_way(); });
  gaicb* list[] = {&request_->control};
  request_->begun = ::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) == 0;
}

NameLookup::~NameLookup() {
  if (request_->is_under_way() && ::gai_cancel(&request_->control) != EAI_CANCELED)
    abandoned().push_back(std::move(request_));
}

std::optional<std::vector<SocketAddress>> NameLookup::addresses() const {
  if (request_->is_under_way())
    return std::nullopt;
  return addresses_in(request_->control.ar_result);
}

}  // namespace tcpmibd::agent::agentx
