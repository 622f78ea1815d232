#include "agent/netsnmp/receivers.h"

#include <sys/eventfd.h>

#include <cstddef>
#include <span>

#include "agent/netsnmp/stream_socket.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {

Receivers* Receivers::only = nullptr;

struct Receivers::Calls {
  // The library would say that it cannot send, and we have said why.
  static int send(netsnmp_transport* transport, const void* message, int size, void**,
                  int*) noexcept {
    if (!send_whole(transport->sock, std::span(static_cast<const std::byte*>(message),
                                               static_cast<std::size_t>(size))))
      only->lose(*transport);
    return size;
  }

  static int close(netsnmp_transport* transport) noexcept {
    silence(transport->sock, only->silent_.get());
    return 0;
  }
};

Receivers::Receivers() : silent_(::eventfd(0, EFD_CLOEXEC)) { only = this; }

Receivers::~Receivers() {
  for (const auto& [transport, original] : guarded_) {
    transport->f_send = original.send;
    transport->f_close = original.close;
  }
  only = nullptr;
}

void Receivers::guard() {
  for (const trap_sink* sink = sinks; sink != nullptr; sink = sink->next) {
    void* library = snmp_sess_pointer(sink->sesp);
    netsnmp_transport* transport = library == nullptr ? nullptr : snmp_sess_transport(library);
    if (transport != nullptr && transport->sock >= 0)
      guard(*transport);
  }
}

void Receivers::guard(netsnmp_transport_s& transport) {
  never_wait(transport.sock);
  if ((transport.flags & NETSNMP_TRANSPORT_FLAG_STREAM) == 0 || !silent_)
    return;
  guarded_.insert_or_assign(
      &transport, Guarded{peer_address(transport.sock), transport.f_send, transport.f_close});
  prepare_stream(transport.sock);
  transport.f_send = &Calls::send;
  transport.f_close = &Calls::close;
}

// Again and again, once it is gone.
void Receivers::lose(netsnmp_transport_s& transport) {
  forget_unread(transport.sock);
  silence(transport.sock, silent_.get());
  losses_.write(log::Level::kWarning,
                "a notification is lost: its receiver " + guarded_.at(&transport).address +
                    " has closed the connection or does not read; a restart connects again");
}

}  // namespace tcpmibd::agent
