#include "bench/minimal_responder.h"

#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::check;
using lab::Oid;
using Bytes = std::span<const std::byte>;

// RFC 2741, 6.1 and 6.2.
enum Type : std::uint8_t { kOpen = 1, kRegister = 3, kGet = 5, kGetNext = 6 };
constexpr std::uint8_t kResponse = 18;
constexpr std::uint8_t kNetworkByteOrder = 0x10;
constexpr std::uint16_t kInteger = 2;
constexpr std::uint16_t kNoSuchInstance = 129;
constexpr std::uint16_t kEndOfMibView = 130;
constexpr std::uint8_t kPriority = 100;  // before the 127 of what is built in

const Oid kTcpConnectionTable{1, 3, 6, 1, 2, 1, 6, 19};
constexpr std::uint32_t kEstablished = 5;

struct Header {
  std::uint8_t version = 1;
  std::uint8_t type;
  std::uint8_t flags = kNetworkByteOrder;
  std::uint8_t reserved = 0;
  std::uint32_t session = 0;
  std::uint32_t transaction = 0;
  std::uint32_t packet = 0;
  std::uint32_t length = 0;  // of the payload
};
static_assert(sizeof(Header) == 20);

// Appends in network byte order.
class Writer {
 public:
  void byte(std::uint8_t value) { out_.push_back(std::byte{value}); }
  void bytes(Bytes more) { out_.insert(out_.end(), more.begin(), more.end()); }
  void number(std::uint16_t value) { raw(htobe16(value)); }
  void number(std::uint32_t value) { raw(htobe32(value)); }
  void header(const Header& header) { raw(header); }

  // Never by prefix, so that a name has one form.
  void name(const Oid& oid) {
    byte(static_cast<std::uint8_t>(oid.size()));
    byte(0);
    number(std::uint16_t{0});
    for (const std::uint32_t id : oid)
      number(id);
  }

  // Fills in what the header said of the length.
  std::vector<std::byte>& finished() {
    const auto length = htobe32(static_cast<std::uint32_t>(out_.size() - sizeof(Header)));
    std::memcpy(out_.data() + offsetof(Header, length), &length, sizeof length);
    return out_;
  }

  std::vector<std::byte>& out() { return out_; }

 private:
  template <typename Value>
  void raw(const Value& value) {
    bytes(std::as_bytes(std::span(&value, 1)));
  }

  std::vector<std::byte> out_;
};

// The master answers in the byte order of the session, which is ours.
class Reader {
 public:
  explicit Reader(Bytes in) : in_(in) {}

  bool empty() const { return in_.empty(); }
  std::uint16_t half() { return be16toh(raw<std::uint16_t>()); }
  std::uint32_t number() { return be32toh(raw<std::uint32_t>()); }

  Oid name(bool& include) {
    const auto head = raw<std::array<std::uint8_t, 4>>();
    include = head[2] != 0;
    Oid oid;
    if (head[1] != 0)
      oid = {1, 3, 6, 1, head[1]};
    for (unsigned i = 0; i < head[0]; ++i)
      oid.push_back(number());
    return oid;
  }

 private:
  template <typename Value>
  Value raw() {
    Value value;
    if (in_.size() < sizeof value)
      throw lab::Trouble("the master sent a PDU that is too short");
    std::memcpy(&value, in_.data(), sizeof value);
    in_ = in_.subspan(sizeof value);
    return value;
  }

  Bytes in_;
};

struct Row {
  Oid name;
  std::vector<std::byte> varbind;
};

std::vector<std::byte> varbind(const Oid& name, std::uint16_t type) {
  Writer writer;
  writer.number(type);
  writer.number(std::uint16_t{0});
  writer.name(name);
  if (type == kInteger)
    writer.number(kEstablished);
  return writer.out();
}

std::vector<Row> rows_of(const lab::Crowd& crowd) {
  std::vector<Row> rows;
  rows.reserve(crowd.size());
  for (unsigned number = 0; number < crowd.size(); ++number) {
    const Oid name = lab::connection_cell(lab::kStateColumn, crowd.member(number).ends);
    rows.push_back({name, varbind(name, kInteger)});
  }
  std::ranges::sort(rows, {}, &Row::name);
  return rows;
}

// Sorted rows, and where the last answer came from.
class Column {
 public:
  explicit Column(std::vector<Row> rows) : rows_(std::move(rows)) {}

  // Null after the last one.
  const Row* next(const Oid& after, bool inclusive) {
    if (last_ < rows_.size() && !inclusive && rows_[last_].name == after)
      ++last_;
    else if (inclusive)
      last_ = position(std::ranges::lower_bound(rows_, after, {}, &Row::name));
    else
      last_ = position(std::ranges::upper_bound(rows_, after, {}, &Row::name));
    return last_ < rows_.size() ? &rows_[last_] : nullptr;
  }

 private:
  std::size_t position(std::vector<Row>::const_iterator row) const {
    return static_cast<std::size_t>(row - rows_.begin());
  }

  std::vector<Row> rows_;
  std::size_t last_ = 0;
};

struct Range {
  Oid start;
  bool inclusive;
};

// The master never goes past the end of a range that lies in our column.
Range read_range(Reader& reader) {
  Range range{};
  range.start = reader.name(range.inclusive);
  bool ignored;
  reader.name(ignored);
  return range;
}

void write_get(Reader& reader, Column& column, Writer& writer) {
  while (!reader.empty()) {
    const Range range = read_range(reader);
    const Row* row = column.next(range.start, true);
    const bool found = row != nullptr && row->name == range.start;
    writer.bytes(found ? row->varbind : varbind(range.start, kNoSuchInstance));
  }
}

void write_next(Reader& reader, Column& column, Writer& writer) {
  while (!reader.empty()) {
    const Range range = read_range(reader);
    const Row* row = column.next(range.start, range.inclusive);
    writer.bytes(row != nullptr ? row->varbind : varbind(range.start, kEndOfMibView));
  }
}

// The connection to the master, and what has come over it.
class Session {
 public:
  explicit Session(const std::string& path) : socket_(connected(path)) {}

  void send(Writer& writer) {
    const std::vector<std::byte>& pdu = writer.finished();
    check(::send(socket_.get(), pdu.data(), pdu.size(), MSG_NOSIGNAL), "write to the master");
  }

  // The next PDU's header, in the host's byte order, and payload; good until the next call.
  Header receive(Bytes& payload) {
    used_ = std::exchange(next_, 0) + used_;
    while (filled_ - used_ < sizeof(Header) || filled_ - used_ < size())
      read_more();
    payload = Bytes(in_).subspan(used_ + sizeof(Header), size() - sizeof(Header));
    next_ = size();
    return header();
  }

 private:
  static FileDescriptor connected(const std::string& path) {
    FileDescriptor socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket"));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    check(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
          "connect to " + path);
    return socket;
  }

  Header header() const {
    Header header;
    std::memcpy(&header, in_.data() + used_, sizeof header);
    header.length = be32toh(header.length);
    header.session = be32toh(header.session);
    return header;
  }

  std::size_t size() const { return sizeof(Header) + header().length; }

  void read_more() {
    std::copy(in_.begin() + static_cast<std::ptrdiff_t>(used_),
              in_.begin() + static_cast<std::ptrdiff_t>(filled_), in_.begin());
    filled_ -= std::exchange(used_, 0);
    const ssize_t got = check(::recv(socket_.get(), in_.data() + filled_, in_.size() - filled_, 0),
                              "read from the master");
    if (got == 0)
      throw lab::Trouble("the master has closed the session");
    filled_ += static_cast<std::size_t>(got);
  }

  FileDescriptor socket_;
  std::vector<std::byte> in_ = std::vector<std::byte>(64 * 1024);
  std::size_t used_ = 0;    // of `in_`, by PDUs that are done with
  std::size_t next_ = 0;    // size of the PDU in hand
  std::size_t filled_ = 0;  // of `in_`
};

// The session's number, as the master's answer names it.
std::uint32_t must_be_granted(Session& session, Writer& request) {
  session.send(request);
  Bytes payload;
  const Header answer = session.receive(payload);
  Reader reader(payload);
  reader.number();  // sysUpTime
  if (answer.type != kResponse || reader.half() != 0)
    throw lab::Trouble("the master refuses the hand-written responder");
  return answer.session;
}

void open_and_register(Session& session) {
  Writer open;
  open.header({.type = kOpen});
  open.number(std::uint32_t{0});  // timeout: the master's
  open.name({});                  // no identifier of ours,
  open.number(std::uint32_t{0});  // and no description
  const std::uint32_t number = must_be_granted(session, open);
  Writer registration;
  registration.header({.type = kRegister, .session = htobe32(number)});
  registration.byte(0);  // timeout
  registration.byte(kPriority);
  registration.number(std::uint16_t{0});  // no range
  registration.name(kTcpConnectionTable);
  must_be_granted(session, registration);
}

[[noreturn]] void serve(Session& session, Column& column) {
  Writer response;
  for (;;) {
    Bytes payload;
    Header header = session.receive(payload);
    const std::uint8_t question = std::exchange(header.type, kResponse);
    header.session = htobe32(header.session);
    response.out().clear();
    response.header(header);
    response.number(std::uint32_t{0});  // sysUpTime
    response.number(std::uint32_t{0});  // no error, and of no variable
    Reader reader(payload);
    if (question == kGet)
      write_get(reader, column, response);
    else if (question == kGetNext)
      write_next(reader, column, response);
    else
      throw lab::Trouble("the master asks what the hand-written responder does not know");
    session.send(response);
  }
}

lab::Errand responding(const lab::Snmpd& master, const lab::Crowd& crowd) {
  const auto column = std::make_shared<Column>(rows_of(crowd));
  const auto session = std::make_shared<std::optional<Session>>();
  return {.prepare =
              [=, path = master.agentx()] {
                session->emplace(path);
                open_and_register(**session);
              },
          .forever = [=] { serve(**session, *column); }};
}

}  // namespace

MinimalResponder::MinimalResponder(const lab::Snmpd& master, const lab::Crowd& crowd)
    : holder_(responding(master, crowd)) {
  holder_.await_ready();
}

}  // namespace tcpmibd::bench
