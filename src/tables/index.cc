#include "tables/index.h"

#include <algorithm>

namespace tcpmibd::tables {

using snmp::Oid;
using snmp::OidView;
using snmp::SubId;
using tcp::AddressType;
using tcp::ConnectionQuery;
using tcp::Endpoint;
using tcp::Family;
using tcp::InetAddress;
using tcp::Question;

namespace {

constexpr std::size_t kIpv4Length = 4;
constexpr std::size_t kIpv6Length = 16;
constexpr std::size_t kZoneLength = 4;
constexpr SubId kMaxOctet = 255;
constexpr SubId kMaxPort = 65535;

// How many octets the type's address has (RFC 4001, 3).
constexpr std::size_t length_of(AddressType type) {
  switch (type) {
    case AddressType::kUnknown:
      return 0;
    case AddressType::kIpv4:
      return kIpv4Length;
    case AddressType::kIpv6:
      return kIpv6Length;
    case AddressType::kIpv6z:
      return kIpv6Length + kZoneLength;
  }
  return 0;
}

template <typename Visit>
void for_each_octet(const InetAddress& address, Visit visit) {
  for (std::size_t i = 0; i < std::min(length_of(address.type), kIpv6Length); ++i)
    visit(address.octets[i]);
  if (address.type != AddressType::kIpv6z)
    return;
  for (int shift = 24; shift >= 0; shift -= 8)
    visit(static_cast<std::uint8_t>(address.zone >> shift));
}

// Reads sub-identifiers one after the other and remembers whether all made sense.
class Reader {
 public:
  explicit Reader(OidView rest) : rest_(rest) {}

  SubId take(SubId most) {
    if (rest_.empty() || rest_.front() > most) {
      good_ = false;
      return 0;
    }
    const SubId id = rest_.front();
    rest_ = rest_.subspan(1);
    return id;
  }

  std::uint8_t octet() { return static_cast<std::uint8_t>(take(kMaxOctet)); }
  std::uint16_t port() { return static_cast<std::uint16_t>(take(kMaxPort)); }

  tcp::Octets octets(std::size_t count) {
    tcp::Octets octets{};
    std::generate_n(octets.begin(), count, [this] { return octet(); });
    return octets;
  }

  InetAddress address() {
    const auto type = static_cast<AddressType>(take(static_cast<SubId>(AddressType::kIpv6z)));
    const std::size_t length = length_of(type);
    good_ = good_ && take(kMaxOctet) == length;
    InetAddress address{.type = type};
    if (!good_)
      return address;
    address.octets = octets(std::min(length, kIpv6Length));
    if (type == AddressType::kIpv6z) {
      for (std::size_t i = 0; i < kZoneLength; ++i)
        address.zone = address.zone << 8 | octet();
    }
    return address;
  }

  // Whether everything was taken and nothing was wrong.
  bool complete() const { return good_ && rest_.empty(); }

 private:
  OidView rest_;
  bool good_ = true;
};

Family family_of(const InetAddress& address) {
  return address.type == AddressType::kIpv4 ? Family::kIpv4 : Family::kIpv6;
}

// Both ends are of one family, and link-local ends are on one link.
bool can_connect(const InetAddress& local, const InetAddress& remote) {
  const bool known = local.type != AddressType::kUnknown && remote.type != AddressType::kUnknown;
  const bool one_link = local.zone == 0 || remote.zone == 0 || local.zone == remote.zone;
  return known && one_link && family_of(local) == family_of(remote);
}

}  // namespace

std::string octets_of(const InetAddress& address) {
  std::string octets;
  for_each_octet(address, [&](std::uint8_t octet) { octets += static_cast<char>(octet); });
  return octets;
}

void append_address(const InetAddress& address, Oid& index) {
  index.append(static_cast<SubId>(address.type));
  index.append(static_cast<SubId>(length_of(address.type)));
  for_each_octet(address, [&](std::uint8_t octet) { index.append(octet); });
}

void append_ipv4(const InetAddress& address, Oid& index) {
  for (std::size_t i = 0; i < kIpv4Length; ++i)
    index.append(address.octets[i]);
}

Question connection_question(OidView index) {
  Reader reader(index);
  const InetAddress local = reader.address();
  const std::uint16_t local_port = reader.port();
  const InetAddress remote = reader.address();
  const std::uint16_t remote_port = reader.port();
  if (!reader.complete() || !can_connect(local, remote))
    return {};
  return ConnectionQuery{.family = family_of(local),
                         .local = {local.octets, local_port},
                         .remote = {remote.octets, remote_port},
                         .zone = std::max(local.zone, remote.zone)};
}

Question legacy_question(OidView index) {
  Reader reader(index);
  ConnectionQuery query;
  query.local.address = reader.octets(kIpv4Length);
  query.local.port = reader.port();
  query.remote.address = reader.octets(kIpv4Length);
  query.remote.port = reader.port();
  if (!reader.complete())
    return {};
  if (query.remote == Endpoint{})
    return tcp::ListenersQuery{};
  return query;
}

Question listener_question(OidView index) {
  Reader reader(index);
  reader.address();
  reader.port();
  if (!reader.complete())
    return {};
  return tcp::ListenersQuery{};
}

}  // namespace tcpmibd::tables
