#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/targets.h"
#include "support/builders.h"
#include "tables/registry.h"

namespace tcpmibd::fuzz {

namespace {

// A small host with rows of every kind.
const lab::Host& small_host() {
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

using Cells = std::map<snmp::Oid, std::optional<snmp::Value>>;

// All instances of an object, by a walk from its root, which must rise.
const Cells& cells_of(const tables::Managed& object) {
  static std::map<const tables::Managed*, Cells> kKnown;
  const auto [known, is_new] = kKnown.try_emplace(&object);
  if (is_new) {
    for (const snmp::Cell& cell : lab::walk(object, small_host().data())) {
      require(known->second.empty() || known->second.rbegin()->first < cell.name,
              "a walk rises, and meets no instance twice");
      known->second.emplace(cell.name, cell.value);
    }
  }
  return known->second;
}

snmp::Oid spelt_name(Draw& draw, snmp::Oid from) {
  while (!draw.is_empty())
    from.append(draw.number<snmp::SubId>());
  return from;
}

void agrees(const std::optional<snmp::Cell>& cell, const Cells& model, Cells::const_iterator at) {
  require(cell.has_value() == (at != model.end()), "what a walk meets is found, and nothing else");
  require(!cell || (cell->name == at->first && cell->value == at->second),
          "by its name, and as the walk has met it");
}

}  // namespace

// The input: an octet that chooses the object; one that says whether the search is inclusive, and
// by its highest bit whether the name begins at the object's root or at the very beginning; then
// sub-identifiers of four octets.
void table_next(Input input) {
  Draw draw(input);
  const std::span<const tables::Entry> registry = tables::registry();
  const tables::Managed& object = *registry[draw.below(registry.size())].object;
  const std::uint8_t how = draw.octet();
  const bool inclusive = (how & 1) != 0;
  const snmp::Oid name = spelt_name(draw, (how & 0x80) != 0 ? snmp::Oid() : object.root());

  const tables::Data data = small_host().data();
  const Cells& cells = cells_of(object);
  const std::optional<snmp::Cell> here = object.get(data, name.view());
  agrees(here, cells, cells.find(name));
  agrees(object.next(data, name.view(), inclusive), cells,
         inclusive ? cells.lower_bound(name) : cells.upper_bound(name));
  object.question(name.view());
  require(!here || object.absence(name.view()) == snmp::Absence::kNoSuchInstance,
          "an instance lies below an object that can be read");
  require(!here || snmp::starts_with(name.view(), object.root().view()), "and below its root");
}

}  // namespace tcpmibd::fuzz
