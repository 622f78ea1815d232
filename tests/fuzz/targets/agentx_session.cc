#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/agentx/connection.h"
#include "agent/agentx/session.h"
#include "fuzz/small_host.h"
#include "fuzz/targets.h"
#include "fuzz/values.h"

namespace tcpmibd::fuzz {

namespace {

namespace agentx = agent::agentx;
using agent::Answer;
using agent::Read;
using agent::SetAnswer;
using agent::Write;
using agentx::PduType;
using std::chrono::milliseconds;
using Phase = Write::Phase;

constexpr std::uint32_t kSessionId = 7;

// A table to read and one to write, and a scalar: few, for a GetBulk goes through all of them.
const agentx::Objects& some_objects() {
  static const std::array<const tables::Managed*, 3> kSome{&lab::managed("tcpListenerTable"),
                                                           &lab::managed("tcpActiveOpens"),
                                                           &lab::managed("tcpConnectionTable")};
  static const agentx::Objects kObjects(kSome);
  return kObjects;
}

// What is asked, answered from a small host; or later, as long as the input says so.
class Readings final : public agent::ReadTarget {
 public:
  void put_off(bool later) { later_ = later; }

  Answer read(const Read& read) override {
    if (later_)
      return {Answer::Kind::kLater};
    return read.kind == Read::Kind::kGet ? get(read) : next(read);
  }

 private:
  static Answer get(const Read& read) {
    require(snmp::starts_with(read.name, read.object.root().view()),
            "a GET is put to the object it lies in");
    auto cell = read.object.get(small_host().data(), read.name);
    if (cell && cell->value)
      return {Answer::Kind::kValue, std::move(cell)};
    const bool known = read.object.absence(read.name) == snmp::Absence::kNoSuchInstance;
    return {known ? Answer::Kind::kNoSuchInstance : Answer::Kind::kNoSuchObject};
  }

  static Answer next(const Read& read) {
    auto cell =
        read.object.next(small_host().data(), read.name, read.kind == Read::Kind::kNextInclusive);
    if (cell && cell->value)
      return {Answer::Kind::kValue, std::move(cell)};
    return {cell ? Answer::Kind::kFailed : Answer::Kind::kEndOfView};
  }

  bool later_ = false;
};

// What is written, and that its phases come in the order of RFC 2741, 7.2.4: nothing is done that
// was not tested, or was refused, and nothing is kept that was.
class Writings final : public agent::WriteTarget {
 public:
  explicit Writings(Draw fates) : fates_(fates) {}

  SetAnswer write(const Write& write) override {
    auto& stage = stages_[{write.transaction.id, snmp::Oid(write.name).text()}];
    switch (write.phase) {
      case Phase::kReserve1:
        return enter(stage, Phase::kReserve1, fate(snmp::SetStatus::kWrongValue));
      case Phase::kReserve2:
        require(stage.phase == Phase::kReserve1 || stage.phase == Phase::kReserve2,
                "one pass, then the other");
        require(!stage.refused, "what was refused is not asked for again");
        if (fates_.octet() > 0xf0)
          return SetAnswer::later(Time(milliseconds(1)));
        return enter(stage, Phase::kReserve2, fate(snmp::SetStatus::kNoCreation));
      case Phase::kAction:
        require(stage.phase == Phase::kReserve2 || stage.phase == Phase::kAction,
                "no act without its test");
        require(!stage.refused, "no act that was refused");
        return enter(stage, Phase::kAction, fate(snmp::SetStatus::kCommitFailed));
      case Phase::kCommit:
        require(stage.phase == Phase::kAction || !stage.phase, "only what was done is over");
        break;
      case Phase::kUndo:
      case Phase::kFree:
        break;
    }
    stage = {};
    return snmp::SetStatus::kNoError;
  }

  bool keeps_any() const {
    return std::ranges::any_of(stages_,
                               [](const auto& each) { return each.second.phase.has_value(); });
  }

 private:
  struct Stage {
    std::optional<Phase> phase;
    bool refused = false;
  };

  snmp::SetStatus fate(snmp::SetStatus refusal) {
    return fates_.octet() > 0xe0 ? refusal : snmp::SetStatus::kNoError;
  }

  static SetAnswer enter(Stage& stage, Phase phase, snmp::SetStatus fared) {
    stage = {.phase = phase, .refused = fared != snmp::SetStatus::kNoError};
    return fared;
  }

  Draw fates_;
  std::map<std::pair<long, std::string>, Stage> stages_;
};

// The master's end of a session, which hears all that is said and finds nothing wrong with it.
class Peer {
 public:
  explicit Peer(FileDescriptor socket) : connection_(std::move(socket)) {}

  void say(const agentx::Bytes& bytes) {
    connection_.out().insert(connection_.out().end(), bytes.begin(), bytes.end());
    connection_.send();
  }

  void hear() {
    while (connection_.receive()) {
      bool any = false;
      while (const auto packet = connection_.take()) {
        judge(*packet);
        any = true;
      }
      require(!connection_.is_senseless(), "what we say is AgentX");
      if (!any)
        break;
    }
  }

 private:
  static void judge(const agentx::Packet& packet) {
    require(packet.payload.size() <= agentx::kLongestAnswer, "no PDU is longer than snmpd takes");
    if (packet.header.type != PduType::kResponse)
      return;
    agentx::Reader reader = packet.reader();
    reader.take32();
    const std::uint16_t error = reader.take16();
    reader.take16();
    require(!reader.failed(), "a Response says how it fared");
    while (!reader.at_end())
      reader.take_binding();
    require(!reader.failed(), "and its bindings are whole");
    require(error == 0 || error <= 18 || error >= 256, "an error that RFC 2741 knows");
  }

  agentx::Connection connection_;
};

// A PDU of the master's: its type, numbers and payload as drawn, in either order of octets.
agentx::Bytes drawn_pdu(Draw& draw) {
  const std::uint8_t type = draw.octet();
  const std::uint8_t flags = draw.octet();
  const agentx::Header order{.flags = flags};
  agentx::Bytes bytes{1, type, flags, 0};
  agentx::Writer fields(bytes, order.order());
  fields.add32(draw.octet() < 0xf0 ? kSessionId : 8);
  fields.add32(draw.octet() % 4);
  fields.add32(draw.octet() % 8);
  const Input payload = draw.piece();
  fields.add32(static_cast<std::uint32_t>(payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

agentx::Bytes opened() {
  agentx::Bytes bytes;
  agentx::append_response(bytes, {.session = kSessionId, .packet = 1}, {});
  return bytes;
}

}  // namespace

// The input: how writings fare, with a length before it; then what a master does, an octet that
// says what and then that: a PDU, raw octets, an answer to what it was asked, time that passes,
// news.
void agentx_session(Input input) {
  Draw draw(input);
  Writings writings{Draw(draw.piece())};
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0,
          "a socketpair is to be had");
  Peer master{FileDescriptor(ends[0])};
  Time now = Clock::now();
  agentx::UptimeOrigin uptime(now);
  Readings readings;
  {
    agentx::Session session(
        FileDescriptor(ends[1]),
        {.priority = 100, .ping = std::chrono::seconds(30), .description = "us"}, some_objects(),
        readings, writings, uptime, now);
    session.turn(now);
    master.hear();
    master.say(opened());
    for (int step = 0; step < 16 && !draw.is_empty(); ++step) {
      switch (draw.octet() % 8) {
        case 0: {
          const Input raw = draw.piece();
          master.say({raw.begin(), raw.end()});
          break;
        }
        case 1:
          now += milliseconds(draw.octet() * 100);
          break;
        case 2:
          readings.put_off(draw.flag());
          break;
        case 3:
          session.retry();
          break;
        default:
          master.say(drawn_pdu(draw));
      }
      if (session.state() == agentx::Session::State::kEnded)
        break;
      session.turn(now);
      (void)session.wake();
      (void)session.events();
      master.hear();
    }
  }
  require(!writings.keeps_any(), "with the session all that was tested is given back");
}

}  // namespace tcpmibd::fuzz
