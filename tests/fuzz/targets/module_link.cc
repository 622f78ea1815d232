#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/agentx/connection.h"
#include "agent/agentx/module_protocol.h"
#include "agent/snmpd/link.h"
#include "fuzz/targets.h"
#include "fuzz/values.h"

namespace tcpmibd::fuzz {

namespace {

namespace agentx = agent::agentx;
namespace snmpd = agent::snmpd;
using agentx::PduType;
using std::chrono::milliseconds;

constexpr std::uint32_t kFirstSession = 1;

// Where the daemon listens: an abstract name, so that no file is left behind.
class Listener {
 public:
  Listener() : name_('\0' + ("tcpmibd-fuzz/" + std::to_string(::getpid()))) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(name_, address.sun_path);
    require(
        ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(socket_.get(), 8) == 0,
        "a name is to be had");
  }

  const std::string& name() const { return name_; }
  FileDescriptor accept() const {
    return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

 private:
  std::string name_;
  FileDescriptor socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
};

const Listener& listener() {
  static const Listener kListener;
  return kListener;
}

// The module behind the link: that no answer comes unasked or twice, and that what is taken of an
// answer is read within its bounds.
class Rest final : public snmpd::LinkOwner {
 public:
  void asked(std::optional<std::uint32_t> packet) {
    if (packet)
      require(open_.insert(*packet).second, "each request has a number of its own");
  }
  bool owes_nothing() const { return open_.empty(); }

 private:
  agentx::ErrorCode register_subtree(const snmpd::Served& served) override {
    require(served.subtree.root.size() > 0, "what is registered has a root");
    return agentx::ErrorCode::kNone;
  }
  bool on_answer(std::uint32_t packet, const agentx::Response& response,
                 agentx::Reader bindings) override {
    require(open_.erase(packet) == 1, "a request has one answer");
    if (response.error != agentx::ErrorCode::kNone)
      return true;
    while (!bindings.at_end() && !bindings.failed())
      bindings.take_found();
    return !bindings.failed();
  }
  void on_notification(const std::vector<agentx::Found>& bindings) override {
    for (const agentx::Found& each : bindings)
      require(each.what.index() < 2, "a binding has a value or an exception");
  }
  void on_lost() override {}
  void report(bool, const std::string& line) override {
    require(!line.empty(), "a line says something");
  }
  std::uint32_t uptime() const override { return 100; }

  std::set<std::uint32_t> open_;
};

// The daemon's end, which finds nothing wrong with what the module says.
class FarEnd {
 public:
  explicit FarEnd(FileDescriptor socket) : connection_(std::move(socket)) {}

  void say(const agentx::Bytes& bytes) {
    connection_.out().insert(connection_.out().end(), bytes.begin(), bytes.end());
    connection_.send();
  }

  void hear() {
    while (connection_.receive()) {
      bool any = false;
      while (connection_.take())
        any = true;
      require(!connection_.is_senseless(), "what the module says is AgentX");
      if (!any)
        break;
    }
  }

 private:
  agentx::Connection connection_;
};

agentx::Bytes open_pdu_of_daemon() {
  agentx::Bytes bytes;
  agentx::append_open(bytes, {.packet = 1, .length = 0}, agentx::kModuleProtocol);
  return bytes;
}

// A PDU of the daemon's: its type, numbers and payload as drawn, in either order of octets.
agentx::Bytes pdu_of_daemon(Draw& draw) {
  const std::uint8_t type = draw.octet(), flags = draw.octet();
  const agentx::Header order{.flags = flags};
  agentx::Bytes bytes{1, type, flags, 0};
  agentx::Writer fields(bytes, order.order());
  fields.add32(draw.octet() < 0xf0 ? kFirstSession : 8);
  fields.add32(0);
  fields.add32(draw.octet() % 8);
  const Input payload = draw.piece();
  fields.add32(static_cast<std::uint32_t>(payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

std::optional<std::uint32_t> ask(snmpd::Link& link, std::uint8_t what, Time now) {
  const std::vector<agentx::SearchRange> ranges{{.start = snmp::Oid{1, 3, 6, 1, 2, 1, 6}}};
  switch (what % 4) {
    case 0:
      return link.read(PduType::kGet, 1, {}, {.ranges = ranges}, now);
    case 1:
      return link.read(PduType::kGetBulk, 1, "there", {.ranges = ranges, .max_repetitions = 9},
                       now);
    case 2:
      return link.test_set(1, {}, {}, now);
    default:
      return link.set_phase(PduType::kCommitSet, 1, now);
  }
}

}  // namespace

// The input: whether the session is opened by right, then what a daemon does and a manager asks, an
// octet that says what and then that: a PDU, raw octets, time that passes, a request.
void module_link(Input input) {
  Draw draw(input);
  Rest rest;
  Time now = Clock::now();
  snmpd::Link link({.path = listener().name(), .trusted = {}}, rest);
  link.turn(now);
  FarEnd daemon(listener().accept());
  if (draw.flag())
    daemon.say(open_pdu_of_daemon());
  for (int step = 0; step < 16 && !draw.is_empty() && link.descriptor() >= 0; ++step) {
    link.turn(now);
    switch (draw.octet() % 8) {
      case 0: {
        const Input raw = draw.piece();
        daemon.say({raw.begin(), raw.end()});
        break;
      }
      case 1:
        now += milliseconds(draw.octet() * 10);
        break;
      case 2:
      case 3:
        rest.asked(ask(link, draw.octet(), now));
        break;
      default:
        daemon.say(pdu_of_daemon(draw));
    }
    if (link.descriptor() >= 0)
      link.turn(now);
    require(link.wake() >= Time{}, "it says when it is to be called");
    daemon.hear();
  }
  link.close();
  require(rest.owes_nothing(), "what was asked is answered, if only because the daemon has gone");
}

}  // namespace tcpmibd::fuzz
