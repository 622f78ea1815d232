#include "agent/serve/responder.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "fuzz/small_host.h"
#include "fuzz/targets.h"
#include "fuzz/values.h"
#include "support/fakes.h"

namespace tcpmibd::fuzz {

namespace {

using agent::Answer;
using agent::Awaited;
using agent::Read;
using std::chrono::seconds;

// Of whose objects some need rows, some all of a snapshot, some files of the kernel. Processes are
// not looked up: that is done once a second at most.
const tables::Managed& drawn_object(Draw& draw) {
  static const std::array<const tables::Managed*, 6> kObjects{
      &lab::managed("tcpConnectionTable"), &lab::managed("tcpListenerTable"),
      &lab::managed("tcpActiveOpens"),     &lab::managed("tcpmibdStateTable"),
      &lab::managed("tcpmibdPortTable"),   &lab::managed("tcpmibdOrphans")};
  return *kObjects[draw.below(kObjects.size())];
}

// A PDU of a manager. Each has a clock of its own, so that one may wait for long and another not.
struct Pdu {
  agent::Transaction transaction;
  Time arrived;
  Duration waited{};

  Time now() const { return Clock::now() + waited; }
};

// A responder over fakes, with managers that ask it and a policy that ends connections.
class Scene {
 public:
  explicit Scene(bool keeps) : ages_{.snapshot = keeps ? seconds(3600) : seconds(0)} {
    ages_.look_up_processes = false;
    worker_ = agent::Worker::start({dumps_, processes_, worker_pressure_, units_}, {}).value();
    responder_ = std::make_unique<agent::Responder>(
        agent::ResponderSources{lookups_, counters_, pressure_, names_, alarms_,
                                [this] { return figures_; }},
        *worker_, tcp::AddressForms(), ages_);
  }

  void arrive(std::uint8_t id) { pdu_ = {{this, id}, Clock::now()}; }
  void wait(seconds time) { pdu_.waited += time; }

  void ask(Read::Kind kind, const tables::Managed& object, const snmp::Oid& name) {
    const Time now = pdu_.now();
    const Answer answer = responder_->read({.kind = kind,
                                            .object = object,
                                            .name = name.view(),
                                            .transaction = pdu_.transaction,
                                            .arrived = pdu_.arrived,
                                            .now = now});
    judge(answer, now);
    if (answer.kind == Answer::Kind::kValue)
      judge(*answer.cell, kind, name);
  }

  // If somebody waits for any.
  void take_news() {
    if (!std::exchange(waits_, false))
      return;
    pollfd waiting{.fd = worker_->descriptor(), .events = POLLIN, .revents = 0};
    require(::poll(&waiting, 1, 10'000) == 1, "who waits has asked for what comes");
    responder_->receive();
  }

  // One that is shown.
  void end(std::size_t which) {
    const tcp::Socket& socket = sockets_[which % sockets_.size()];
    dumps_.remove(socket.id);
    lookups_.remove(socket.id);
    responder_->forget(socket, Clock::now());
    ended_.push_back(socket);
  }

  void fail(bool always) { dumps_.faults().fail_always(always); }
  void tidy(seconds later) { responder_->tidy(Clock::now() + later); }

 private:
  void judge(const Answer& answer, Time now) {
    const bool is_later = answer.kind == Answer::Kind::kLater;
    require(is_later == (answer.awaits != Awaited::kNothing), "who waits waits for something");
    waits_ = waits_ || is_later;
    if (is_later)
      return;
    require(now <= answer.basis.serves_until, "no answer is older than promised");
    require(answer.basis.read_at == Time::max() || answer.basis.read_at <= now,
            "and none is from later");
  }

  void judge(const snmp::Cell& cell, Read::Kind kind, const snmp::Oid& name) const {
    require(cell.value.has_value(), "a value is one");
    require(kind != Read::Kind::kGet || cell.name == name, "a GET is answered by its name");
    require(kind != Read::Kind::kNext || cell.name > name, "a GETNEXT rises");
    require(kind != Read::Kind::kNextInclusive || cell.name >= name, "or stays, where it may");
    for (const tcp::Socket& socket : ended_)
      require(!is_row_of(cell.name, socket), "what was ended is in no answer that comes later");
  }

  // Of tcpConnectionTable. Others with the same ends may live on.
  bool is_row_of(const snmp::Oid& name, const tcp::Socket& ended) const {
    tcp::SnapshotBuilder builder{tcp::AddressForms()};
    builder.add(ended);
    const tcp::Snapshot alone = builder.finish();
    const tables::Managed& connections = lab::managed("tcpConnectionTable");
    return snmp::starts_with(name.view(), connections.root().view()) &&
           connections.get({.snapshot = &alone}, name.view()).has_value();
  }

  // Connections, each with a name of its own.
  static std::vector<tcp::Socket> connections() {
    std::vector<tcp::Socket> sockets;
    for (std::uint16_t i = 1; i <= 6; ++i) {
      tcp::Socket socket;
      socket.id.cookie = i;
      socket.id.local = {.address = {10, 0, 0, 1}, .port = 22};
      socket.id.remote = {.address = {10, 0, 0, 2}, .port = i};
      socket.state = tcp::State::kEstablished;
      sockets.push_back(socket);
    }
    return sockets;
  }

  const std::vector<tcp::Socket> sockets_ = connections();
  agent::Ages ages_;
  lab::FakeSocketSource dumps_{sockets_};
  lab::FakeSocketSource lookups_{sockets_};
  lab::FakeProcessLookup processes_;
  lab::FakeCounterSource counters_;
  lab::FakePressureSource pressure_;
  lab::FakePressureSource worker_pressure_;
  lab::FakeUnitLookup units_;
  lab::FakeProcessNames names_;
  tcp::Alarms alarms_;
  tables::AgentFigures figures_;
  std::unique_ptr<agent::Worker> worker_;
  std::unique_ptr<agent::Responder> responder_;
  std::vector<tcp::Socket> ended_;
  Pdu pdu_{{this, 1}, Clock::now()};
  bool waits_ = false;
};

}  // namespace

// The input: whether snapshots are kept; then what happens, an octet that says what and what that
// needs: a PDU that arrives, or waits; news; a connection that is ended; dumps that fail; memory
// that is freed; and mostly a binding, of a kind and an object, and what is appended to its root.
void responder(Input input) {
  Draw draw(input);
  Scene scene(draw.flag());
  for (int step = 0; step < 64 && !draw.is_empty(); ++step) {
    switch (draw.octet() % 12) {
      case 0:
        scene.arrive(draw.octet() % 80);
        break;
      case 1:
        scene.wait(seconds(draw.octet()));
        break;
      case 2:
      case 3:
        scene.take_news();
        break;
      case 4:
        scene.end(draw.octet());
        break;
      case 5:
        scene.fail(draw.flag());
        break;
      case 6:
        scene.tidy(seconds(draw.octet()));
        break;
      default: {
        const auto kind = static_cast<Read::Kind>(draw.below(3));
        const tables::Managed& object = drawn_object(draw);
        scene.ask(kind, object, drawn_name(draw, object.root()));
      }
    }
  }
}

}  // namespace tcpmibd::fuzz
