#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/end.h"
#include "support/snmp_client.h"

// AgentX as RFC 2741 writes it, from that text alone: it judges what tcpmibd and the SNMP library
// make of it, and shares no line with either.

namespace tcpmibd::lab::agentx {

using Bytes = std::vector<std::uint8_t>;

// The subagent has sent what RFC 2741 does not allow.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// h.type (6.1).
enum class Type : std::uint8_t {
  kOpen = 1,
  kClose = 2,
  kRegister = 3,
  kUnregister = 4,
  kGet = 5,
  kGetNext = 6,
  kGetBulk = 7,
  kTestSet = 8,
  kCommitSet = 9,
  kUndoSet = 10,
  kCleanupSet = 11,
  kNotify = 12,
  kPing = 13,
  kIndexAllocate = 14,
  kIndexDeallocate = 15,
  kAddAgentCaps = 16,
  kRemoveAgentCaps = 17,
  kResponse = 18,
};
std::ostream& operator<<(std::ostream& stream, Type type);

// h.flags (6.1).
inline constexpr std::uint8_t kInstanceRegistration = 0x01;
inline constexpr std::uint8_t kNonDefaultContext = 0x08;
inline constexpr std::uint8_t kNetworkByteOrder = 0x10;

// res.error (6.2.16): below 256 those of SNMP (RFC 3416).
inline constexpr std::uint16_t kNoError = 0;
inline constexpr std::uint16_t kNoCreation = 11;
inline constexpr std::uint16_t kOpenFailed = 256;
inline constexpr std::uint16_t kNotOpen = 257;
inline constexpr std::uint16_t kUnsupportedContext = 262;
inline constexpr std::uint16_t kDuplicateRegistration = 263;
inline constexpr std::uint16_t kParseError = 266;
inline constexpr std::uint16_t kRequestDenied = 267;
inline constexpr std::uint16_t kProcessingError = 268;

// c.reason (6.2.2).
inline constexpr std::uint8_t kReasonShutdown = 5;
inline constexpr std::uint8_t kReasonByManager = 6;

// A PDU of either side. `payload` begins behind the context.
struct Pdu {
  Type type{};
  std::uint32_t session = 0;
  std::uint32_t transaction = 0;
  std::uint32_t packet = 0;
  Bytes payload{};
  std::optional<std::string> context{};  // present: NON_DEFAULT_CONTEXT is set
  bool network_order = true;
  bool instance = false;  // INSTANCE_REGISTRATION, of a Register
};

// As it goes over the wire (6.1). Where a field lies that a test may want to spoil:
inline constexpr std::size_t kHeader = 20;
inline constexpr std::size_t kVersionAt = 0, kTypeAt = 1, kFlagsAt = 2, kPayloadLengthAt = 16;
Bytes encode(const Pdu& pdu);

// Takes the first PDU off `received`; none while it is not whole. Malformed where no PDU can be.
std::optional<Pdu> take_pdu(Bytes& received);

// ---- Payloads that a master sends ----

// A SearchRange (5.2). An `end` without sub-identifiers is the null identifier: no end.
struct Range {
  Oid start;
  Oid end{};
  bool include = false;
};

// The fields of a payload, one after the other, in the byte order of the PDU's header.
class Payload {
 public:
  explicit Payload(bool network_order = true) : network_order_(network_order) {}

  Payload& octet(std::uint8_t number);
  Payload& half(std::uint16_t number);
  Payload& number(std::uint32_t number);
  Payload& octets(std::string_view text);                 // Octet String (5.3)
  Payload& oid(const Oid& oid, bool include = false);     // Object Identifier (5.1)
  Payload& ranges(const std::vector<Range>& ranges);      // SearchRangeList (5.2)
  Payload& bindings(const std::vector<SetRequest>& set);  // VarBindList (5.4); types i, u, t, s, o

  const Bytes& bytes() const { return bytes_; }

 private:
  Payload& integer(std::uint32_t number, std::size_t size);
  void binding(const SetRequest& request);

  bool network_order_;
  Bytes bytes_;
};

// Where the start of each is a name, as of a Get (6.2.5).
std::vector<Range> names(const std::vector<Oid>& oids);

Pdu get(const std::vector<Range>& ranges, bool network_order = true);
Pdu get_next(const std::vector<Range>& ranges, bool network_order = true);
Pdu get_bulk(std::uint16_t non_repeaters, std::uint16_t max_repetitions,
             const std::vector<Range>& ranges, bool network_order = true);
Pdu test_set(std::uint32_t transaction, const std::vector<SetRequest>& set,
             bool network_order = true);
Pdu phase(Type type, std::uint32_t transaction);  // CommitSet, UndoSet, CleanupSet: header only
Pdu close_pdu(std::uint8_t reason);

// To `request`, with its numbers and its byte order (7.1). `uptime` is the master's sysUpTime, in
// hundredths of a second.
Pdu response_to(const Pdu& request, std::uint32_t uptime, std::uint16_t error = kNoError);

// ---- Payloads that a subagent sends; Malformed where one is not as its type wants it ----

struct Open {
  std::uint8_t timeout;  // seconds
  Oid id;
  std::string description;
};
Open open_of(const Pdu& pdu);

struct Register {
  std::uint8_t timeout;  // seconds
  std::uint8_t priority;
  std::uint8_t range_subid;
  Oid subtree;
};
Register register_of(const Pdu& pdu);

struct Capabilities {
  Oid id;
  std::string description;
};
Capabilities capabilities_of(const Pdu& pdu);

std::uint8_t close_reason_of(const Pdu& pdu);

std::vector<Varbind> notification_of(const Pdu& pdu);

struct Response {
  std::uint16_t error = kNoError;
  std::uint16_t index = 0;
  std::vector<Varbind> varbinds{};

  bool operator==(const Response&) const = default;
};
std::ostream& operator<<(std::ostream& stream, const Response& response);
Response response_of(const Pdu& pdu);

}  // namespace tcpmibd::lab::agentx
