#include "tcp/rows.h"

namespace tcpmibd::tcp {

namespace {

InetAddress ipv4_address(std::uint32_t address) {
  InetAddress result{.type = AddressType::kIpv4};
  for (std::size_t i = 0; i < 4; ++i)
    result.octets[i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
  return result;
}

}  // namespace

Connection decoded(const Ipv4Row& row) {
  return {.local = ipv4_address(row.key.local_address),
          .remote = ipv4_address(row.key.remote_address),
          .local_port = row.key.local_port,
          .remote_port = row.key.remote_port,
          .details = &row.details};
}

Connection decoded(const Ipv6Row& row) {
  return {.local = row.key.local,
          .remote = row.key.remote,
          .local_port = row.key.local_port,
          .remote_port = row.key.remote_port,
          .details = &row.details};
}

Listener decoded(const ListenerRow& row) {
  return {.address = row.key.address, .port = row.key.port, .details = &row.details};
}

}  // namespace tcpmibd::tcp
