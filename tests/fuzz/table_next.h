#pragma once

#include <cstring>
#include <optional>
#include <vector>

#include "fuzz/target.h"
#include "support/builders.h"
#include "tables/registry.h"

namespace tcpmibd::fuzz {

// A small host with rows of every kind.
inline const lab::Host& host() {
  static const lab::Host kHost = [] {
    std::vector<tcp::Socket> sockets;
    std::uint64_t cookie = 0;
    for (std::uint8_t i = 0; i < 24; ++i) {
      tcp::Socket socket;
      socket.id.cookie = ++cookie;
      socket.id.family = i % 2 == 0 ? tcp::Family::kIpv4 : tcp::Family::kIpv6;
      socket.id.interface = i % 3;
      socket.id.local.address[0] = i % 5 == 3 ? 0xfe : i;
      socket.id.local.address[1] = i % 5 == 3 ? 0x80 : 0;
      socket.id.local.port = static_cast<std::uint16_t>(i * 2771);
      socket.id.remote.address[3] = i;
      socket.id.remote.port = i;
      socket.state = i % 4 == 0 ? tcp::State::kListen : tcp::State::kEstablished;
      socket.cgroup = i % 7;
      socket.inode = i % 6;
      if (i % 8 == 0)
        socket.id.local.address = {};
      sockets.push_back(socket);
    }
    return lab::Host(sockets, {}, "Tcp: InSegs\nTcp: 1\n");
  }();
  return kHost;
}

// The first octet chooses the object, the second whether the search is inclusive; then come
// sub-identifiers of four octets each, in the machine's order, below the object's root, or from
// the very beginning where the second octet's highest bit is set.
inline void table_next(Input input) {
  if (input.size() < 2)
    return;
  const std::span<const tables::Entry> registry = tables::registry();
  const tables::Managed& object = *registry[input[0] % registry.size()].object;
  const bool inclusive = (input[1] & 1) != 0;
  snmp::Oid name = (input[1] & 0x80) != 0 ? snmp::Oid() : object.root();
  for (Input rest = input.subspan(2); rest.size() >= sizeof(snmp::SubId);
       rest = rest.subspan(sizeof(snmp::SubId))) {
    snmp::SubId id;
    std::memcpy(&id, rest.data(), sizeof id);
    name.append(id);
  }

  const tables::Data data = host().data();
  object.question(name.view());
  const std::optional<snmp::Cell> here = object.get(data, name.view());
  require(!here || here->name == name, "get() gives what was asked for");
  require(!here || object.absence(name.view()) == snmp::Absence::kNoSuchInstance,
          "an instance lies below an object that can be read");

  const std::optional<snmp::Cell> next = object.next(data, name.view(), inclusive);
  require(!inclusive || !here || (next && next->name == name),
          "an inclusive search finds the name");
  if (!next)
    return;
  require(next->name > name || (inclusive && next->name == name), "next() goes forward");
  require(snmp::starts_with(next->name.view(), object.root().view()), "next() stays inside");
  const std::optional<snmp::Cell> again = object.get(data, next->name.view());
  require(again && again->value == next->value, "get() finds what next() found");
}

}  // namespace tcpmibd::fuzz
