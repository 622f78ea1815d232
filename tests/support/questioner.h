#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>

#include "agent/serve/responder.h"
#include "support/fakes.h"

namespace tcpmibd::lab {

// A responder with its worker over fake sources, and the loop around them: what is parked is asked
// again when the worker has news.
class Questioner {
 public:
  static constexpr int kDeadlineMs = 10'000;

  explicit Questioner(std::vector<tcp::Socket> sockets = {}, const agent::Ages& ages = {},
                      std::vector<tcp::Holder> holders = {})
      : dumps(sockets), lookups(sockets), processes(std::move(holders)) {
    worker = agent::Worker::start({dumps, processes, worker_pressure, units}, forms).value();
    const agent::ResponderSources sources{lookups, counters, pressure,
                                          names,   alarms,   [this] { return figures; }};
    responder = std::make_unique<agent::Responder>(sources, *worker, forms, ages);
  }

  // From now on the kernel has these.
  void set(const std::vector<tcp::Socket>& sockets) {
    dumps.set(sockets);
    lookups.set(sockets);
  }

  // A PDU that arrives now.
  struct Pdu {
    agent::Transaction transaction;
    Time arrived;
  };
  Pdu pdu() { return {{this, ++last_pdu_}, now()}; }

  // From now on it is so much later for whoever asks, but not for the worker.
  void let_pass(Duration time) { passed_ += time; }
  Time now() const { return Clock::now() + passed_; }

  // One binding, answered or parked.
  agent::Answer get(const snmp::Oid& name, const Pdu& pdu) {
    return put(agent::Read::Kind::kGet, owner(name), name, pdu);
  }
  agent::Answer next(const tables::Managed& table, const snmp::Oid& name, const Pdu& pdu,
                     bool inclusive = false) {
    using Kind = agent::Read::Kind;
    return put(inclusive ? Kind::kNextInclusive : Kind::kNext, table, name, pdu);
  }

  // Takes the worker's next news.
  void await_news() {
    pollfd waiting{.fd = worker->descriptor(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waiting, 1, kDeadlineMs), 1) << "no news in time";
    responder->receive();
  }

  // Asks until the answer is no longer kLater.
  template <typename Ask>
  agent::Answer settled_answer(Ask ask) {
    agent::Answer answer = ask();
    while (answer.kind == agent::Answer::Kind::kLater && !testing::Test::HasFatalFailure()) {
      await_news();
      answer = ask();
    }
    return answer;
  }
  agent::Answer get_settled(const snmp::Oid& name, const Pdu& pdu) {
    return settled_answer([&] { return get(name, pdu); });
  }
  agent::Answer next_settled(const tables::Managed& table, const snmp::Oid& name, const Pdu& pdu) {
    return settled_answer([&] { return next(table, name, pdu); });
  }

  // Public: each test turns its own screws.
  tcp::AddressForms forms;
  FakeSocketSource dumps;    // the worker's
  FakeSocketSource lookups;  // the agent thread's
  FakeProcessLookup processes;
  FakeCounterSource counters;
  FakePressureSource pressure;         // the agent thread's
  FakePressureSource worker_pressure;  // the worker's
  FakeUnitLookup units;
  FakeProcessNames names;
  tcp::Alarms alarms;
  tables::AgentFigures figures;
  std::unique_ptr<agent::Worker> worker;
  std::unique_ptr<agent::Responder> responder;

 private:
  agent::Answer put(agent::Read::Kind kind, const tables::Managed& object, const snmp::Oid& name,
                    const Pdu& pdu) {
    return responder->read({.kind = kind,
                            .object = object,
                            .name = name.view(),
                            .transaction = pdu.transaction,
                            .arrived = pdu.arrived,
                            .now = now()});
  }

  static const tables::Managed& owner(const snmp::Oid& name) {
    for (const tables::Entry& entry : tables::registry()) {
      if (snmp::starts_with(name.view(), entry.object->root().view()))
        return *entry.object;
    }
    throw std::invalid_argument("nobody owns " + name.text());
  }

  long last_pdu_ = 0;
  Duration passed_{};
};

}  // namespace tcpmibd::lab

namespace tcpmibd::agent {

inline void PrintTo(const Answer& answer, std::ostream* out) {
  constexpr const char* kNames[] = {"value",        "noSuchObject", "noSuchInstance",
                                    "endOfMibView", "failed",       "later"};
  *out << kNames[static_cast<std::size_t>(answer.kind)];
  if (answer.cell) {
    *out << " ";
    PrintTo(*answer.cell, out);
  }
}

}  // namespace tcpmibd::agent
