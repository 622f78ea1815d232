#include "support/agentx_pdu.h"

#include <algorithm>
#include <array>
#include <utility>

#include "support/trouble.h"

namespace tcpmibd::lab::agentx {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kWord = 4;
constexpr std::size_t kMostSubIds = 128;  // 5.1

// More than any PDU that a subagent may send: it would not come to an end.
constexpr std::size_t kLongestPayload = 1 << 20;

constexpr std::array<std::uint32_t, 4> kInternet{1, 3, 6, 1};

constexpr std::array kTypeNames{
    "no PDU",  "Open",    "Close",         "Register",        "Unregister",   "Get",
    "GetNext", "GetBulk", "TestSet",       "CommitSet",       "UndoSet",      "CleanupSet",
    "Notify",  "Ping",    "IndexAllocate", "IndexDeallocate", "AddAgentCaps", "RemoveAgentCaps",
    "Response"};

bool is_known(std::uint8_t type) { return type >= 1 && type < kTypeNames.size(); }

// 6.1: those whose payload may begin with a context.
bool may_have_context(Type type) {
  switch (type) {
    case Type::kOpen:
    case Type::kClose:
    case Type::kCommitSet:
    case Type::kUndoSet:
    case Type::kCleanupSet:
    case Type::kResponse:
      return false;
    default:
      return true;
  }
}

// v.type (5.4).
enum ValueType : std::uint16_t {
  kInteger = 2,
  kOctetString = 4,
  kNull = 5,
  kObjectIdentifier = 6,
  kIpAddress = 64,
  kCounter32 = 65,
  kGauge32 = 66,
  kTimeTicks = 67,
  kOpaque = 68,
  kCounter64 = 70,
  kNoSuchObject = 128,
  kNoSuchInstance = 129,
  kEndOfMibView = 130,
};

// Takes fields off a payload.
class Reader {
 public:
  explicit Reader(const Pdu& pdu) : Reader(pdu.payload, pdu.network_order) {}
  Reader(const Bytes& bytes, bool network_order) : bytes_(bytes), network_order_(network_order) {}

  bool at_end() const { return at_ == bytes_.size(); }
  std::size_t at() const { return at_; }

  std::uint8_t octet() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t half() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t number() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t integer(std::size_t size);
  void reserved(std::size_t size);
  std::string octets();
  Oid oid();
  Varbind binding();
  std::vector<Varbind> bindings();

  // A payload has nothing behind its last field.
  void end() const {
    if (!at_end())
      throw Malformed("a payload is longer than its fields");
  }

 private:
  void need(std::size_t size) const {
    if (bytes_.size() - at_ < size)
      throw Malformed("a payload ends within a field");
  }

  const Bytes& bytes_;
  bool network_order_;
  std::size_t at_ = 0;
};

std::uint64_t Reader::integer(std::size_t size) {
  need(size);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i)
    number = number << 8 | bytes_[at_ + (network_order_ ? i : size - 1 - i)];
  at_ += size;
  return number;
}

void Reader::reserved(std::size_t size) {
  if (integer(size) != 0)
    throw Malformed("a reserved field is not 0");
}

std::string Reader::octets() {
  const std::size_t length = number();
  need(length);
  std::string text(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + length));
  at_ += length;
  if (length % kWord != 0)
    reserved(kWord - length % kWord);
  return text;
}

Oid Reader::oid() {
  const std::size_t count = octet();
  const std::uint8_t prefix = octet();
  octet();  // include: means nothing but in a search range
  reserved(1);
  if (count > kMostSubIds)
    throw Malformed("an identifier has " + std::to_string(count) + " sub-identifiers");
  Oid oid;
  if (prefix != 0) {
    oid.assign(kInternet.begin(), kInternet.end());
    oid.push_back(prefix);
  }
  for (std::size_t i = 0; i < count; ++i)
    oid.push_back(number());
  return oid;
}

Varbind text_value(Oid name, const char* type, std::string value) {
  return {std::move(name), type, std::move(value)};
}

std::string dotted(const std::string& octets) {
  std::string text;
  for (const char octet : octets)
    text += (text.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(octet));
  return text;
}

Varbind Reader::binding() {
  const std::uint16_t type = half();
  reserved(2);
  Oid name = oid();
  switch (type) {
    case kInteger:
      return text_value(std::move(name), "INTEGER",
                        std::to_string(static_cast<std::int32_t>(number())));
    case kOctetString:
      return text_value(std::move(name), "STRING", octets());
    case kNull:
      return text_value(std::move(name), "NULL", {});
    case kObjectIdentifier:
      return text_value(std::move(name), "OID", text(oid()));
    case kIpAddress:
      return text_value(std::move(name), "IpAddress", dotted(octets()));
    case kCounter32:
      return text_value(std::move(name), "Counter32", std::to_string(number()));
    case kGauge32:
      return text_value(std::move(name), "Gauge32", std::to_string(number()));
    case kTimeTicks:
      return text_value(std::move(name), "Timeticks", std::to_string(number()));
    case kOpaque:
      return text_value(std::move(name), "Opaque", octets());
    case kCounter64:
      return text_value(std::move(name), "Counter64", std::to_string(integer(8)));
    case kNoSuchObject:
      return text_value(std::move(name), "noSuchObject", {});
    case kNoSuchInstance:
      return text_value(std::move(name), "noSuchInstance", {});
    case kEndOfMibView:
      return text_value(std::move(name), "endOfMibView", {});
    default:
      throw Malformed("a binding has the unknown type " + std::to_string(type));
  }
}

std::vector<Varbind> Reader::bindings() {
  std::vector<Varbind> all;
  while (!at_end())
    all.push_back(binding());
  return all;
}

Reader reader_of(const Pdu& pdu, Type type) {
  if (pdu.type != type)
    throw Malformed("a PDU is of another type than was waited for");
  return Reader(pdu);
}

std::uint16_t value_type(char of_request) {
  switch (of_request) {
    case 'i':
      return kInteger;
    case 'u':
      return kGauge32;
    case 't':
      return kTimeTicks;
    case 's':
      return kOctetString;
    case 'o':
      return kObjectIdentifier;
    default:
      throw Trouble(std::string("a master cannot send a value of type ") + of_request);
  }
}

std::uint8_t flags_of(const Pdu& pdu) {
  std::uint8_t flags = 0;
  if (pdu.network_order)
    flags |= kNetworkByteOrder;
  if (pdu.context)
    flags |= kNonDefaultContext;
  if (pdu.instance)
    flags |= kInstanceRegistration;
  return flags;
}

std::uint8_t must_be_known(std::uint8_t version, std::uint8_t type) {
  if (version != kVersion)
    throw Malformed("h.version is " + std::to_string(version));
  if (!is_known(type))
    throw Malformed("h.type is " + std::to_string(type));
  return type;
}

std::size_t must_be_a_length(std::size_t payload) {
  if (payload % kWord != 0 || payload > kLongestPayload)
    throw Malformed("h.payload_length is " + std::to_string(payload));
  return payload;
}

// A Response has the flags of its request and yet no context (7.2.2).
void take_context(Pdu& pdu) {
  if (pdu.type == Type::kResponse)
    return;
  if (!may_have_context(pdu.type))
    throw Malformed("a PDU has a context that may have none");
  Reader reader(pdu);
  pdu.context = reader.octets();
  pdu.payload.erase(pdu.payload.begin(),
                    pdu.payload.begin() + static_cast<std::ptrdiff_t>(reader.at()));
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, Type type) {
  const auto number = static_cast<std::uint8_t>(type);
  return stream << (is_known(number) ? kTypeNames.at(number) : kTypeNames.front());
}

// ---- Payload ----

Payload& Payload::octet(std::uint8_t number) {
  bytes_.push_back(number);
  return *this;
}

Payload& Payload::half(std::uint16_t number) { return integer(number, 2); }

Payload& Payload::number(std::uint32_t number) { return integer(number, 4); }

Payload& Payload::integer(std::uint32_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    octet(static_cast<std::uint8_t>(number >> 8 * (network_order_ ? size - 1 - i : i)));
  return *this;
}

Payload& Payload::octets(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  bytes_.resize((bytes_.size() + kWord - 1) / kWord * kWord, 0);
  return *this;
}

Payload& Payload::oid(const Oid& oid, bool include) {
  // What begins with 1.3.6.1.p may leave that out and name p (5.1).
  const bool shortened = oid.size() > kInternet.size() &&
                         std::equal(kInternet.begin(), kInternet.end(), oid.begin()) &&
                         oid[kInternet.size()] >= 1 && oid[kInternet.size()] <= 255;
  const std::size_t left_out = shortened ? kInternet.size() + 1 : 0;
  octet(static_cast<std::uint8_t>(oid.size() - left_out));
  octet(static_cast<std::uint8_t>(shortened ? oid[kInternet.size()] : 0));
  octet(include ? 1 : 0);
  octet(0);
  for (std::size_t i = left_out; i < oid.size(); ++i)
    number(oid[i]);
  return *this;
}

Payload& Payload::ranges(const std::vector<Range>& ranges) {
  for (const Range& range : ranges)
    oid(range.start, range.include).oid(range.end);
  return *this;
}

Payload& Payload::bindings(const std::vector<SetRequest>& set) {
  for (const SetRequest& request : set)
    binding(request);
  return *this;
}

void Payload::binding(const SetRequest& request) {
  const std::uint16_t type = value_type(request.type);
  half(type).half(0).oid(request.oid);
  if (type == kOctetString)
    octets(request.value);
  else if (type == kObjectIdentifier)
    oid(oid_of(request.value));
  else
    number(static_cast<std::uint32_t>(std::stoll(request.value)));
}

// ---- PDUs ----

Bytes encode(const Pdu& pdu) {
  Bytes context;
  if (pdu.context)
    context = Payload(pdu.network_order).octets(*pdu.context).bytes();
  Payload whole(pdu.network_order);
  whole.octet(kVersion).octet(static_cast<std::uint8_t>(pdu.type)).octet(flags_of(pdu)).octet(0);
  whole.number(pdu.session).number(pdu.transaction).number(pdu.packet);
  whole.number(static_cast<std::uint32_t>(context.size() + pdu.payload.size()));
  Bytes bytes = whole.bytes();
  bytes.insert(bytes.end(), context.begin(), context.end());
  bytes.insert(bytes.end(), pdu.payload.begin(), pdu.payload.end());
  return bytes;
}

std::optional<Pdu> take_pdu(Bytes& received) {
  if (received.size() < kHeader)
    return std::nullopt;
  const std::uint8_t flags = received[kFlagsAt];
  Pdu pdu{.network_order = (flags & kNetworkByteOrder) != 0,
          .instance = (flags & kInstanceRegistration) != 0};
  Reader header(received, pdu.network_order);
  const std::uint8_t version = header.octet();
  pdu.type = static_cast<Type>(must_be_known(version, header.octet()));
  header.octet();  // h.flags
  header.reserved(1);
  pdu.session = header.number();
  pdu.transaction = header.number();
  pdu.packet = header.number();
  const std::size_t payload = must_be_a_length(header.number());
  if (received.size() < kHeader + payload)
    return std::nullopt;
  const auto begin = received.begin() + kHeader;
  const auto end = begin + static_cast<std::ptrdiff_t>(payload);
  pdu.payload.assign(begin, end);
  received.erase(received.begin(), end);
  if ((flags & kNonDefaultContext) != 0)
    take_context(pdu);
  return pdu;
}

std::vector<Range> names(const std::vector<Oid>& oids) {
  std::vector<Range> ranges;
  for (const Oid& oid : oids)
    ranges.push_back({.start = oid});
  return ranges;
}

Pdu get(const std::vector<Range>& ranges, bool network_order) {
  return {.type = Type::kGet,
          .payload = Payload(network_order).ranges(ranges).bytes(),
          .network_order = network_order};
}

Pdu get_next(const std::vector<Range>& ranges, bool network_order) {
  Pdu pdu = get(ranges, network_order);
  pdu.type = Type::kGetNext;
  return pdu;
}

Pdu get_bulk(std::uint16_t non_repeaters, std::uint16_t max_repetitions,
             const std::vector<Range>& ranges, bool network_order) {
  return {
      .type = Type::kGetBulk,
      .payload =
          Payload(network_order).half(non_repeaters).half(max_repetitions).ranges(ranges).bytes(),
      .network_order = network_order};
}

Pdu test_set(std::uint32_t transaction, const std::vector<SetRequest>& set, bool network_order) {
  return {.type = Type::kTestSet,
          .transaction = transaction,
          .payload = Payload(network_order).bindings(set).bytes(),
          .network_order = network_order};
}

Pdu phase(Type type, std::uint32_t transaction) {
  return {.type = type, .transaction = transaction};
}

Pdu close_pdu(std::uint8_t reason) {
  return {.type = Type::kClose,
          .payload = Payload().octet(reason).octet(0).octet(0).octet(0).bytes()};
}

Pdu response_to(const Pdu& request, std::uint32_t uptime, std::uint16_t error) {
  Pdu response = request;
  response.type = Type::kResponse;
  response.context.reset();
  response.instance = false;
  response.payload = Payload(request.network_order).number(uptime).half(error).half(0).bytes();
  return response;
}

// ---- What a subagent sends ----

Open open_of(const Pdu& pdu) {
  Reader reader = reader_of(pdu, Type::kOpen);
  Open open{};
  open.timeout = reader.octet();
  reader.reserved(3);
  open.id = reader.oid();
  open.description = reader.octets();
  reader.end();
  return open;
}

Register register_of(const Pdu& pdu) {
  Reader reader = reader_of(pdu, Type::kRegister);
  Register registered{};
  registered.timeout = reader.octet();
  registered.priority = reader.octet();
  registered.range_subid = reader.octet();
  reader.reserved(1);
  registered.subtree = reader.oid();
  if (registered.range_subid != 0)
    reader.number();
  reader.end();
  return registered;
}

Capabilities capabilities_of(const Pdu& pdu) {
  Reader reader = reader_of(pdu, Type::kAddAgentCaps);
  Capabilities capabilities;
  capabilities.id = reader.oid();
  capabilities.description = reader.octets();
  reader.end();
  return capabilities;
}

std::uint8_t close_reason_of(const Pdu& pdu) {
  Reader reader = reader_of(pdu, Type::kClose);
  const std::uint8_t reason = reader.octet();
  reader.reserved(3);
  reader.end();
  return reason;
}

std::vector<Varbind> notification_of(const Pdu& pdu) {
  return reader_of(pdu, Type::kNotify).bindings();
}

std::ostream& operator<<(std::ostream& stream, const Response& response) {
  stream << "error " << response.error << " at " << response.index << " with "
         << response.varbinds.size() << " bindings:";
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(kShown, response.varbinds.size()); ++i)
    stream << "\n  " << response.varbinds[i];
  return stream;
}

Response response_of(const Pdu& pdu) {
  Reader reader = reader_of(pdu, Type::kResponse);
  reader.number();  // res.sysUpTime: 0 or whatever a subagent likes
  Response response;
  response.error = reader.half();
  response.index = reader.half();
  response.varbinds = reader.bindings();
  return response;
}

}  // namespace tcpmibd::lab::agentx
