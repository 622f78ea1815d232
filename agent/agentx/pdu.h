#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/agentx/wire.h"

namespace tcpmibd::agent::agentx {

// RFC 2741, 6.1.
enum class PduType : std::uint8_t {
  kOpen = 1,
  kClose = 2,
  kRegister = 3,
  kGet = 5,
  kGetNext = 6,
  kGetBulk = 7,
  kTestSet = 8,
  kCommitSet = 9,
  kUndoSet = 10,
  kCleanupSet = 11,
  kNotify = 12,
  kPing = 13,
  kAddAgentCaps = 16,
  kResponse = 18,
};

// "GETNEXT", "TestSet": what a request is called.
std::string_view kind_of(PduType type);

// What a Response says went wrong (RFC 2741, 6.2.16). Below 256 they are error-status of RFC 3416.
enum class ErrorCode : std::uint16_t {
  kNone = 0,
  kTooBig = 1,
  kGenErr = 5,
  kResourceUnavailable = 13,
  kCommitFailed = 14,
  kUndoFailed = 15,
  kNotWritable = 17,
  kOpenFailed = 256,
  kNotOpen = 257,
  kUnsupportedContext = 262,
  kDuplicateRegistration = 263,
  kParseError = 266,
  kRequestDenied = 267,
  kProcessingError = 268,
};

// "requestDenied", as the RFC writes it; "error 300" where it has no name.
std::string to_text(ErrorCode code);

// What an answer of ours says: that, or a SetStatus.
std::string_view name_of(ErrorCode code);

// Why a session is closed (RFC 2741, 6.2.2).
enum class CloseReason : std::uint8_t { kOther = 1, kShutdown = 5 };

// The longest PDU that snmpd takes: one of 64 KiB costs us the session.
inline constexpr std::size_t kLongestAnswer = 65'000;

// How many bindings a request may have: the answer to more would be too long, whatever it says.
inline constexpr std::size_t kMostBindings = kLongestAnswer / 8;

// What begins every PDU (RFC 2741, 6.1).
struct Header {
  static constexpr std::size_t kSize = 20;
  static constexpr std::uint8_t kVersion = 1;
  static constexpr std::uint8_t kHasContext = 0x08;        // NON_DEFAULT_CONTEXT
  static constexpr std::uint8_t kNetworkByteOrder = 0x10;  // NETWORK_BYTE_ORDER

  std::uint8_t version = kVersion;
  PduType type{};  // as received: perhaps none of those above
  std::uint8_t flags = kNetworkByteOrder;
  std::uint32_t session = 0;
  std::uint32_t transaction = 0;
  std::uint32_t packet = 0;
  std::uint32_t length = 0;  // of what follows, in bytes

  ByteOrder order() const {
    return (flags & kNetworkByteOrder) != 0 ? ByteOrder::kNetwork : ByteOrder::kLittle;
  }
  bool has_context() const { return (flags & kHasContext) != 0; }

  // Of kSize bytes at least.
  static Header parse(std::span<const std::uint8_t> bytes);
};

// A PDU as it lies in a buffer.
struct Packet {
  Header header;
  std::span<const std::uint8_t> payload;

  Reader reader() const { return {payload, header.order()}; }
};

// How a request fared: what a Response says of it. The index counts bindings from 1; 0 is none.
struct Outcome {
  ErrorCode error = ErrorCode::kNone;
  std::uint16_t index = 0;

  bool operator==(const Outcome&) const = default;
};

// What begins a Response. Its bindings follow, which no master sends.
struct Response {
  std::uint32_t uptime = 0;  // a master's sysUpTime, hundredths of a second
  ErrorCode error = ErrorCode::kNone;
  std::uint16_t index = 0;  // of the binding that is to blame, from 1; 0 is none
};

// The fields of payloads, behind the context. `reader` may have failed.
Response take_response(Reader& reader);
std::string_view take_open(Reader& reader);  // the session's description
struct Subtree {
  snmp::Oid root{};
  std::uint8_t priority = 0;

  bool operator==(const Subtree&) const = default;
};
Subtree take_register(Reader& reader);  // a range, which no subagent of ours has, has no root

// Append a whole PDU to `out`. Of the header the type and the length are set here.
//
// Of a subagent:
void append_open(Bytes& out, Header header, std::string_view description);
void append_close(Bytes& out, Header header, CloseReason reason);
void append_ping(Bytes& out, Header header);
void append_register(Bytes& out, Header header, snmp::OidView subtree, std::uint8_t priority);
void append_capabilities(Bytes& out, Header header, snmp::OidView id, std::string_view description);
// `bindings` are those of append_notify() or a request's answers, in the header's byte order.
void append_notify(Bytes& out, Header header, std::span<const std::uint8_t> bindings);
void append_response(Bytes& out, const Header& request, Outcome outcome,
                     std::span<const std::uint8_t> bindings = {});
// Of a master, in the default context unless one is given: what it asks, of a Get, GetNext or
// GetBulk, or with a TestSet the `bindings` in the header's byte order; the further phases of that
// Set; and its answers.
struct ReadFields {
  std::span<const SearchRange> ranges;
  std::uint16_t non_repeaters = 0;  // both of a GetBulk
  std::uint16_t max_repetitions = 0;
};
void append_read(Bytes& out, Header header, PduType type, std::string_view context,
                 const ReadFields& read);
void append_test_set(Bytes& out, Header header, std::string_view context,
                     std::span<const std::uint8_t> bindings);
// A CommitSet, UndoSet or CleanupSet: a header alone, that knows its Set by the transaction
// (6.2.9).
void append_set_phase(Bytes& out, Header header, PduType phase);
void append_master_response(Bytes& out, const Header& request, std::uint32_t uptime,
                            ErrorCode error);

}  // namespace tcpmibd::agent::agentx
