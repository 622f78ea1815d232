#include "agent/agentx/pdu.h"

#include <algorithm>

#include "snmp/set.h"

namespace tcpmibd::agent::agentx {
namespace {

constexpr std::size_t kLengthAt = 16;

void append_header(Writer& fields, const Header& header) {
  fields.add8(header.version);
  fields.add8(static_cast<std::uint8_t>(header.type));
  fields.add8(header.flags);
  fields.add8(0);  // reserved
  fields.add32(header.session);
  fields.add32(header.transaction);
  fields.add32(header.packet);
  fields.add32(header.length);
}

// Appends a header, what `add_payload` appends, and then says in the header how long that is.
template <typename AddPayload>
void append(Bytes& out, Header header, PduType type, AddPayload add_payload) {
  const std::size_t start = out.size();
  header.type = type;
  Writer fields(out, header.order());
  append_header(fields, header);
  add_payload(fields);
  Bytes length;
  Writer(length, header.order())
      .add32(static_cast<std::uint32_t>(out.size() - start - Header::kSize));
  std::ranges::copy(length, out.begin() + static_cast<std::ptrdiff_t>(start + kLengthAt));
}

// What no Set fares like.
std::string_view own_name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTooBig:
      return "tooBig";
    case ErrorCode::kOpenFailed:
      return "openFailed";
    case ErrorCode::kNotOpen:
      return "notOpen";
    case ErrorCode::kUnsupportedContext:
      return "unsupportedContext";
    case ErrorCode::kDuplicateRegistration:
      return "duplicateRegistration";
    case ErrorCode::kParseError:
      return "parseError";
    case ErrorCode::kRequestDenied:
      return "requestDenied";
    case ErrorCode::kProcessingError:
      return "processingError";
    default:
      return {};
  }
}

// Begins the payload with the context, where it is not the default one.
template <typename AddPayload>
void append_in_context(Bytes& out, Header header, PduType type, std::string_view context,
                       AddPayload add_payload) {
  if (!context.empty())
    header.flags |= Header::kHasContext;
  append(out, header, type, [&](Writer& fields) {
    if (!context.empty())
      fields.add_octets(context);
    add_payload(fields);
  });
}

void append_answer(Bytes& out, const Header& request, const Response& response,
                   std::span<const std::uint8_t> bindings) {
  Header header = request;
  header.version = Header::kVersion;
  header.flags &= Header::kNetworkByteOrder;
  append(out, header, PduType::kResponse, [&](Writer& fields) {
    fields.add32(response.uptime);
    fields.add16(static_cast<std::uint16_t>(response.error));
    fields.add16(response.index);
    out.insert(out.end(), bindings.begin(), bindings.end());
  });
}

}  // namespace

std::string_view kind_of(PduType type) {
  switch (type) {
    case PduType::kGet:
      return "GET";
    case PduType::kGetNext:
      return "GETNEXT";
    case PduType::kGetBulk:
      return "GETBULK";
    case PduType::kTestSet:
      return "TestSet";
    case PduType::kCommitSet:
      return "CommitSet";
    case PduType::kUndoSet:
      return "UndoSet";
    case PduType::kCleanupSet:
      return "CleanupSet";
    default:
      return "PDU";
  }
}

std::string to_text(ErrorCode code) {
  const std::string_view name = own_name_of(code);
  return name.empty() ? "error " + std::to_string(static_cast<unsigned>(code)) : std::string(name);
}

std::string_view name_of(ErrorCode code) {
  const std::string_view name = own_name_of(code);
  return name.empty() ? snmp::name_of(static_cast<snmp::SetStatus>(code)) : name;
}

Header Header::parse(std::span<const std::uint8_t> bytes) {
  Header header;
  header.version = bytes[0];
  header.type = static_cast<PduType>(bytes[1]);
  header.flags = bytes[2];
  Reader numbers(bytes.subspan(4), header.order());
  header.session = numbers.take32();
  header.transaction = numbers.take32();
  header.packet = numbers.take32();
  header.length = numbers.take32();
  return header;
}

Response take_response(Reader& reader) {
  const std::uint32_t uptime = reader.take32();
  const auto error = static_cast<ErrorCode>(reader.take16());
  return {.uptime = uptime, .error = error, .index = reader.take16()};
}

std::string_view take_open(Reader& reader) {
  reader.take32();  // timeout, reserved
  reader.take_oid();
  return reader.take_octets();
}

Subtree take_register(Reader& reader) {
  reader.take8();  // timeout
  const std::uint8_t priority = reader.take8();
  const std::uint8_t range = reader.take8();
  reader.take8();  // reserved
  const snmp::Oid root = reader.take_oid();
  return range == 0 ? Subtree{.root = root, .priority = priority} : Subtree{};
}

// With the master's own timeout and the null identifier (6.2.1).
void append_open(Bytes& out, Header header, std::string_view description) {
  append(out, header, PduType::kOpen, [&](Writer& fields) {
    fields.add32(0);
    fields.add_name({});
    fields.add_octets(description);
  });
}

void append_close(Bytes& out, Header header, CloseReason reason) {
  append(out, header, PduType::kClose, [&](Writer& fields) {
    fields.add8(static_cast<std::uint8_t>(reason));
    fields.add8(0);
    fields.add16(0);
  });
}

void append_ping(Bytes& out, Header header) {
  append(out, header, PduType::kPing, [](Writer&) {});
}

// With the session's timeout, and of one subtree, not a range (6.2.3).
void append_register(Bytes& out, Header header, snmp::OidView subtree, std::uint8_t priority) {
  append(out, header, PduType::kRegister, [&](Writer& fields) {
    fields.add8(0);
    fields.add8(priority);
    fields.add16(0);
    fields.add_name(subtree);
  });
}

void append_capabilities(Bytes& out, Header header, snmp::OidView id,
                         std::string_view description) {
  append(out, header, PduType::kAddAgentCaps, [&](Writer& fields) {
    fields.add_name(id);
    fields.add_octets(description);
  });
}

void append_notify(Bytes& out, Header header, std::span<const std::uint8_t> bindings) {
  append(out, header, PduType::kNotify,
         [&](Writer&) { out.insert(out.end(), bindings.begin(), bindings.end()); });
}

// Of a subagent's answer sysUpTime says nothing (6.2.16).
void append_response(Bytes& out, const Header& request, Outcome outcome,
                     std::span<const std::uint8_t> bindings) {
  append_answer(out, request, {.error = outcome.error, .index = outcome.index}, bindings);
}

// ---- Of a master

void append_read(Bytes& out, Header header, PduType type, std::string_view context,
                 const ReadFields& read) {
  append_in_context(out, header, type, context, [&](Writer& fields) {
    if (type == PduType::kGetBulk) {
      fields.add16(read.non_repeaters);
      fields.add16(read.max_repetitions);
    }
    for (const SearchRange& range : read.ranges)
      fields.add_range(range);
  });
}

void append_test_set(Bytes& out, Header header, std::string_view context,
                     std::span<const std::uint8_t> bindings) {
  append_in_context(out, header, PduType::kTestSet, context,
                    [&](Writer&) { out.insert(out.end(), bindings.begin(), bindings.end()); });
}

void append_set_phase(Bytes& out, Header header, PduType phase) {
  append_in_context(out, header, phase, {}, [](Writer&) {});
}

void append_master_response(Bytes& out, const Header& request, std::uint32_t uptime,
                            ErrorCode error) {
  append_answer(out, request, {.uptime = uptime, .error = error}, {});
}

}  // namespace tcpmibd::agent::agentx
