#include "agent/netsnmp/message_size.h"

#include <limits>
#include <string>

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

constexpr std::size_t kShortHeader = 2;  // tag and one octet of length
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kLongForm = 0x80;
constexpr std::size_t kBroken = std::numeric_limits<std::size_t>::max();

// SNMPv3: the longest forms of what only the library knows.
constexpr std::size_t kAnyInteger32 =
    kShortHeader + 4;  // msgMaxSize, the engine's boots and its time
constexpr std::size_t kFlags = kShortHeader + 1;
constexpr std::size_t kPrivacySalt = 8;
constexpr std::size_t kCipherBlock = 8;  // DES pads by up to one; AES does not

std::size_t with_header(std::size_t content) {
  std::size_t size = kShortHeader + content;
  if (content >= kLongForm) {
    for (std::size_t rest = content; rest != 0; rest >>= 8)
      ++size;
  }
  return size;
}

// As few octets as keep the sign (X.690, 8.3.2).
std::size_t integer_size(long value) {
  std::size_t octets = 1;
  for (long rest = value; rest < -128 || rest > 127; rest >>= 8)
    ++octets;
  return with_header(octets);
}

std::size_t unsigned_size(std::uint64_t value) {
  std::size_t octets = 1;
  for (std::uint64_t rest = value; rest > 127; rest >>= 8)
    ++octets;
  return with_header(octets);
}

std::size_t sub_identifier_octets(std::uint64_t id) {
  std::size_t octets = 1;
  for (; id > 127; id >>= 7)
    ++octets;
  return octets;
}

// The first two share an octet or more (X.690, 8.19.4); of a shorter one the library makes 0.0.
std::size_t name_size(std::span<const oid> name) {
  if (name.size() < 2)
    return with_header(1);
  std::size_t octets = sub_identifier_octets(name[0] * 40 + name[1]);
  for (const oid id : name.subspan(2))
    octets += sub_identifier_octets(id);
  return with_header(octets);
}

std::uint64_t whole(const struct counter64& halves) {
  return (static_cast<std::uint64_t>(halves.high) << 32) | halves.low;
}

std::size_t value_size(const variable_list& binding) {
  switch (binding.type) {
    case ASN_INTEGER:
      return integer_size(*binding.val.integer);
    case ASN_COUNTER:
    case ASN_GAUGE:
    case ASN_TIMETICKS:
      return unsigned_size(static_cast<std::uint32_t>(*binding.val.integer));
    case ASN_COUNTER64:
      return unsigned_size(whole(*binding.val.counter64));
    case ASN_OBJECT_ID:
      return name_size({binding.val.objid, binding.val_len / sizeof(oid)});
    case ASN_NULL:
    case SNMP_NOSUCHOBJECT:
    case SNMP_NOSUCHINSTANCE:
    case SNMP_ENDOFMIBVIEW:
      return kShortHeader;
    default:
      return with_header(binding.val_len);
  }
}

std::size_t pdu_size(const netsnmp_pdu& pdu, std::size_t bindings) {
  return with_header(integer_size(pdu.reqid) + integer_size(pdu.errstat) +
                     integer_size(pdu.errindex) + with_header(bindings));
}

// RFC 3412, 6, with the parameters of RFC 3414, 2.4.
std::size_t v3_size(const netsnmp_pdu& pdu, std::size_t bindings, std::size_t authentication) {
  const bool is_private = pdu.securityLevel == SNMP_SEC_LEVEL_AUTHPRIV;
  const std::size_t global = with_header(integer_size(pdu.msgid) + kAnyInteger32 + kFlags +
                                         integer_size(pdu.securityModel));
  const std::size_t security =
      with_header(with_header(with_header(pdu.securityEngineIDLen) + kAnyInteger32 + kAnyInteger32 +
                              with_header(pdu.securityNameLen) + with_header(authentication) +
                              with_header(is_private ? kPrivacySalt : 0)));
  const std::size_t scoped = with_header(with_header(pdu.contextEngineIDLen) +
                                         with_header(pdu.contextNameLen) + pdu_size(pdu, bindings));
  return with_header(integer_size(pdu.version) + global + security +
                     (is_private ? with_header(scoped + kCipherBlock) : scoped));
}

std::size_t digest_of(const usmUser& user) {
  const int type = sc_get_authtype(user.authProtocol, static_cast<unsigned>(user.authProtocolLen));
  const int length = sc_get_auth_maclen(type);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

// None for a message that is not authenticated.
std::size_t authentication_of(const netsnmp_pdu& pdu) {
  constexpr std::size_t kLongest = 48;  // RFC 7860: usmHMAC384SHA512
  if (pdu.version != SNMP_VERSION_3 || pdu.securityLevel == SNMP_SEC_LEVEL_NOAUTH)
    return 0;
  const std::string name(pdu.securityName, pdu.securityNameLen);
  const usmUser* user = usm_get_user(pdu.securityEngineID, pdu.securityEngineIDLen, name.c_str());
  return user != nullptr ? digest_of(*user) : kLongest;
}

// The last binding with which the message fits, and the first with which it does not.
struct Fitting {
  netsnmp_variable_list* last = nullptr;
  netsnmp_variable_list* beyond = nullptr;
};

Fitting fitting(const netsnmp_pdu& pdu, std::size_t limit) {
  const std::size_t authentication = authentication_of(pdu);
  Fitting found{.last = nullptr, .beyond = pdu.variables};
  std::size_t size = 0;
  while (found.beyond != nullptr) {
    size += encoded_size(*found.beyond);
    if (message_size(pdu, size, authentication) > limit)
      break;
    found.last = found.beyond;
    found.beyond = found.last->next_variable;
  }
  return found;
}

// Of octets that say it with the greatest first.
std::size_t long_length(std::span<const std::uint8_t> octets) {
  std::size_t length = 0;
  for (const std::uint8_t octet : octets)
    length = length << 8 | octet;
  return length;
}

}  // namespace

std::size_t encoded_size(const variable_list& binding) {
  return with_header(name_size({binding.name, binding.name_length}) + value_size(binding));
}

std::size_t message_size(const snmp_pdu& pdu, std::size_t bindings, std::size_t authentication) {
  if (pdu.version == SNMP_VERSION_3)
    return v3_size(pdu, bindings, authentication);
  return with_header(integer_size(pdu.version) + with_header(pdu.community_len) +
                     pdu_size(pdu, bindings));
}

std::size_t message_size(const snmp_pdu& pdu) {
  std::size_t bindings = 0;
  for (const netsnmp_variable_list* each = pdu.variables; each != nullptr;
       each = each->next_variable)
    bindings += encoded_size(*each);
  return message_size(pdu, bindings, authentication_of(pdu));
}

void cut_to(snmp_pdu& pdu, std::size_t limit) {
  const Fitting kept = fitting(pdu, limit);
  (kept.last != nullptr ? kept.last->next_variable : pdu.variables) = nullptr;
  snmp_free_varbind(kept.beyond);
}

std::size_t awaited_size(std::span<const std::uint8_t> stream) {
  constexpr std::size_t kMostOfLength = 4;
  if (!stream.empty() && stream[0] != kSequence)
    return kBroken;
  if (stream.size() < kShortHeader)
    return 0;
  const std::uint8_t first = stream[1];
  if (first < kLongForm)
    return kShortHeader + first;
  const std::size_t octets = first - kLongForm;
  if (octets == 0 || octets > kMostOfLength)
    return kBroken;
  if (stream.size() < kShortHeader + octets)
    return 0;
  return kShortHeader + octets + long_length(stream.subspan(kShortHeader, octets));
}

}  // namespace tcpmibd::agent
