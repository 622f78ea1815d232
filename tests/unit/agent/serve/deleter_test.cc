#include "agent/serve/deleter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>

#include "support/questioner.h"

namespace tcpmibd::snmp {

inline void PrintTo(SetStatus status, std::ostream* out) { *out << name_of(status); }

}  // namespace tcpmibd::snmp

namespace tcpmibd::agent {
namespace {

using namespace lab;
using snmp::Integer;
using snmp::Oid;
using snmp::SetStatus;
using snmp::Value;
using tcp::DeletionPolicy;
using tcp::DeletionRules;
using tcp::Socket;
using tcp::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Phase = Write::Phase;
using Status = SetStatus;

const Value kDeleteTcb = Integer{12};

Socket the_connection(const SocketOptions& options = {}) {
  return established("10.0.0.1:22", "10.0.0.9:4711", options);
}
Socket another(const SocketOptions& options = {}) {
  return established("10.0.0.1:22", "10.0.0.9:4712", options);
}

const tables::Managed& owner_of(const Oid& name) {
  for (const tables::Entry& entry : tables::registry()) {
    if (snmp::starts_with(name.view(), entry.object->root().view()))
      return *entry.object;
  }
  throw std::invalid_argument("nobody owns " + name.text());
}

// The first instance that the socket alone makes in a table: its state.
Oid name_in(std::string_view table, const Socket& socket, const tcp::AddressForms& forms = {}) {
  const Host host({socket}, forms);
  return managed(table).next(host.data(), managed(table).root().view(), false).value().name;
}
Oid state_of(const Socket& socket, const tcp::AddressForms& forms = {}) {
  return name_in("tcpConnectionTable", socket, forms);
}
Oid legacy_state_of(const Socket& socket) { return name_in("tcpConnTable", socket); }

const Oid kState = state_of(the_connection());
const Oid kLegacyState = legacy_state_of(the_connection());

struct Binding {
  Oid name;
  std::optional<Value> value = kDeleteTcb;
};

// `name` outlives it.
Write write_of(Phase phase, const tables::Managed& object, const Oid& name, Transaction transaction,
               std::optional<Value> value = kDeleteTcb) {
  return {.phase = phase,
          .object = object,
          .name = name.view(),
          .value = std::move(value),
          .transaction = transaction};
}

// Plays the library and the master: what one Set does to a deleter (RFC 2741, 7.2.4). The library
// goes on with the other bindings of a phase when one has failed.
class Set {
 public:
  Set(Deleter& deleter, std::vector<Binding> bindings)
      : deleter_(deleter), bindings_(std::move(bindings)) {}

  Status reserve_1() { return each(Phase::kReserve1); }
  Status reserve_2() { return each(Phase::kReserve2); }
  Status action() { return each(Phase::kAction); }
  Status undo() { return each(Phase::kUndo); }
  void release() { each(Phase::kCommit); }

  // TestSet, its two passes.
  Status test() {
    const Status status = reserve_1();
    return status == Status::kNoError ? reserve_2() : status;
  }

  // Whether RESERVE2 has to wait. Nothing has been refused then.
  bool has_to_wait() {
    waits_ = false;
    reserve_2();
    return waits_;
  }

  // The whole of it, and what the manager is told.
  Status run() {
    Status status = test();
    if (status == Status::kNoError && (status = action()) != Status::kNoError) {
      const Status undone = undo();
      return undone == Status::kNoError ? status : undone;
    }
    release();
    return status;
  }

 private:
  // A binding that has to wait ends the pass: whoever put it asks again.
  Status each(Phase phase) {
    Status first = Status::kNoError;
    for (const Binding& binding : bindings_) {
      const SetAnswer answer = deleter_.write(
          write_of(phase, owner_of(binding.name), binding.name, transaction_, binding.value));
      waits_ = waits_ || !answer.status;
      const Status status = answer.status.value_or(Status::kGenErr);
      first = first == Status::kNoError ? status : first;
    }
    return first;
  }

  static inline long last_ = 0;

  bool waits_ = false;
  Deleter& deleter_;
  std::vector<Binding> bindings_;
  Transaction transaction_{&last_, ++last_};
};

class DeleterTest : public testing::Test {
 protected:
  DeleterTest() { EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError)); }

  // From now on the kernel has these.
  void set(const std::vector<Socket>& sockets) { kernel_.set(sockets); }

  Deleter made(const DeletionRules& rules = {}, const tcp::AddressForms& forms = {}) {
    return {{.sockets = kernel_,
             .destroyer = destroyer_,
             .own_connections = [this] { return own_; },
             .snapshot_since = [this](Time oldest) { return snapshot_since(oldest); },
             .on_deleted = [this](const tcp::Socket&) { ++forgotten_; },
             .now = [this] { return now_; }},
            forms,
            rules,
            audit_};
  }

  Status run(std::vector<Binding> bindings) { return Set(deleter_, std::move(bindings)).run(); }
  Status run(const Oid& name) { return run({{name, kDeleteTcb}}); }

  // What `act` writes to the log.
  template <typename Act>
  static std::string logged(Act act) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kNotice));
    act();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
    return testing::internal::GetCapturedStderr();
  }

  Result<std::shared_ptr<const tcp::Snapshot>> snapshot_since(Time oldest) {
    ++snapshots_wanted_;
    if (no_snapshot_)
      return tl::unexpected(*no_snapshot_);
    if (newest_ != nullptr && newest_->taken_at() >= oldest)
      return newest_;
    return std::shared_ptr<const tcp::Snapshot>();
  }

  Result<std::vector<tcp::Ends>> own_{std::vector<tcp::Ends>()};
  std::shared_ptr<const tcp::Snapshot> newest_;
  std::optional<Error> no_snapshot_;
  int snapshots_wanted_ = 0;
  Time now_ = Clock::now();
  int forgotten_ = 0;
  FakeSocketSource kernel_{{the_connection()}};
  FakeSocketDestroyer destroyer_{{&kernel_}};
  Audit audit_{{.newest = [] { return nullptr; },
                .want = [](std::uint32_t) {},
                .command_of = [](std::uint32_t) { return ""; }}};
  Deleter deleter_ = made();
};

// ------------------------------------------------------------------------------- What succeeds

const Socket kSorts[] = {
    the_connection({.state = State::kSynSent}),
    the_connection({.state = State::kSynReceived}),
    the_connection({.inode = 7}),
    the_connection({.state = State::kFinWait1}),
    the_connection({.state = State::kFinWait2}),
    the_connection({.state = State::kCloseWait}),
    the_connection({.state = State::kLastAck}),
    the_connection({.state = State::kClosing}),
    the_connection({.state = State::kTimeWait}),
    the_connection({.interface = 7}),
    established("[2001:db8::1]:22", "[2001:db8::9]:4711"),
    established("[2001:db8::1]:22", "[2001:db8::9]:4711", {.interface = 7}),
    established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711"),
    established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711", {.interface = 7}),
    established("[fe80::1%2]:22", "[fe80::9%2]:4711"),
    established("[2001:db8::1%2]:22", "[fe80::9%2]:4711"),
    established("10.0.0.1:22", "10.0.0.9:4711", {.cookie = 0xffffffff}),
};

TEST_F(DeleterTest, EndsExactlyTheSocketItFoundInterfaceAndCookieIncluded) {
  for (const Socket& socket : kSorts) {
    SCOPED_TRACE(testing::PrintToString(socket));
    set({listener("[::]:22"), listener("0.0.0.0:22"), another(), socket});
    ASSERT_EQ(run(state_of(socket)), Status::kNoError);
    EXPECT_EQ(destroyer_.asked().back(), socket.id);
    EXPECT_FALSE(kernel_.remove(socket.id));
  }
  EXPECT_THAT(destroyer_.asked(), SizeIs(std::size(kSorts))) << "and nothing else";
}

TEST_F(DeleterTest, TheDeprecatedTableWillDoForWhateverSpeaksIpv4) {
  for (const Socket& socket :
       {the_connection(), the_connection({.interface = 7}),
        established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711", {.interface = 7})}) {
    set({listener("0.0.0.0:22"), socket});
    ASSERT_EQ(run(legacy_state_of(socket)), Status::kNoError);
    EXPECT_EQ(destroyer_.asked().back(), socket.id);
  }
}

TEST_F(DeleterTest, ALinkLocalConnectionWithoutItsZoneIsFoundWhereNamesCarryNone) {
  const tcp::AddressForms forms{.zones = false};
  const Socket socket = established("[fe80::1%2]:22", "[fe80::9%2]:4711");
  set({socket});
  Deleter deleter = made({}, forms);
  EXPECT_EQ(Set(deleter, {{state_of(socket)}}).run(), Status::kNoCreation);
  EXPECT_EQ(Set(deleter, {{state_of(socket, forms)}}).run(), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(socket.id));
}

TEST_F(DeleterTest, AListenerIsEndedWherePolicyIsAll) {
  const Socket socket = listener("10.0.0.1:22", {.interface = 3});
  set({socket, the_connection()});
  Deleter deleter = made({.policy = DeletionPolicy::kAll});
  EXPECT_EQ(Set(deleter, {{legacy_state_of(socket)}}).run(), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(socket.id));
}

// ------------------------------------------------------------- Columns, types, values, instances

const char* const kNotWritable[] = {
    "19",                                        // the table
    "19.1",                                      // its entry
    "19.2",                                      // another
    "19.2.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.0.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  // no such columns
    "19.1.9.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.1.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  // not accessible
    "19.1.2.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.3.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.4.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.5.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.6.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  //
    "19.1.8.1.4.10.0.0.1.22.1.4.10.0.0.9.4711",  // read-only
    "19.1.8",                                    //
    "13",                                        // and the same of the deprecated table
    "13.1",                                      //
    "13.2.1.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.0.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.2.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.3.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.4.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.5.10.0.0.1.22.10.0.0.9.4711",          //
    "13.1.6.10.0.0.1.22.10.0.0.9.4711",          //
    "20",                                        // listeners
    "20.1.1.1.4.10.0.0.1.22",                    //
    "20.1.4.1.4.10.0.0.1.22",                    //
    "1.0",                                       // scalars
    "4.0",                                       //
    "9.0",                                       //
    "17.0",                                      //
};

const std::optional<Value> kWrongTypes[] = {
    snmp::Counter32{12}, snmp::Gauge32{12},      snmp::TimeTicks{12},
    snmp::Counter64{12}, snmp::IpAddress{},      snmp::OctetString{"12"},
    snmp::OctetString{}, Oid(tcp_oid("19.1.7")), std::nullopt,
};

constexpr std::int32_t kWrongValues[] = {
    0,  1,  2,   3,   4,   5,  6,    7,     8,     9,          10,
    11, 13, 255, 268, -12, -1, 4108, 65548, 65535, 0x7fffffff, std::numeric_limits<int>::min(),
};

// What is wrong with them is told before whether there is such a row.
std::vector<Oid> writable_names() {
  std::vector<Oid> names = {state_of(the_connection()), legacy_state_of(the_connection())};
  for (const char* name : {"19.1.7", "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.1", "19.1.7.99", "13.1.1",
                           "13.1.1.10.0.0.1.22.10.0.0.9.1", "13.1.1.256"})
    names.push_back(tcp_oid(name));
  return names;
}

TEST_F(DeleterTest, WhatIsNoWritableColumnIsNotWritableWhateverTheValue) {
  std::vector<std::optional<Value>> values(std::begin(kWrongTypes), std::end(kWrongTypes));
  values.insert(values.end(), {kDeleteTcb, Integer{5}, Integer{0}});
  for (const char* name : kNotWritable) {
    for (const std::optional<Value>& value : values)
      EXPECT_EQ(run({{tcp_oid(name), value}}), Status::kNotWritable) << name;
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

TEST_F(DeleterTest, AnyOtherTypeThanIntegerIsWrongTypeWhateverTheInstance) {
  for (const Oid& name : writable_names()) {
    for (const std::optional<Value>& value : kWrongTypes)
      EXPECT_EQ(run({{name, value}}), Status::kWrongType) << name;
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(kernel_.faults().calls(), 0) << "no row is looked at";
}

TEST_F(DeleterTest, AnyOtherValueThanDeleteTcbIsWrongValueWhateverTheInstance) {
  for (const Oid& name : writable_names()) {
    for (const std::int32_t value : kWrongValues)
      EXPECT_EQ(run({{name, Integer{value}}}), Status::kWrongValue) << name << " " << value;
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(kernel_.faults().calls(), 0);
}

const char* const kNoRows[] = {
    "19.1.7",                                             // no instance
    "19.1.7.1",                                           // cut
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9",                //
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711.0",         // stretched
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711.1.4",       //
    "19.1.7.1.4.10.0.0.257.22.1.4.10.0.0.9.4711",         // an octet of 9 bits: 10.0.0.1 in 8
    "19.1.7.1.4.10.0.0.4294967041.22.1.4.10.0.0.9.4711",  //
    "19.1.7.1.4.10.0.0.1.65558.1.4.10.0.0.9.4711",        // a port of 17 bits: 22 in 16
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.70247",          //
    "19.1.7.1.3.10.0.0.22.1.4.10.0.0.9.4711",             // lengths that do not fit the type
    "19.1.7.2.4.10.0.0.1.22.1.4.10.0.0.9.4711",           //
    "19.1.7.4.4.10.0.0.1.22.1.4.10.0.0.9.4711",           //
    "19.1.7.0.0.22.1.4.10.0.0.9.4711",                    // unknown(0), ipv4z(3), dns(16)
    "19.1.7.3.8.10.0.0.1.0.0.0.1.22.1.4.10.0.0.9.4711",   //
    "19.1.7.16.4.10.0.0.1.22.1.4.10.0.0.9.4711",          //
    "19.1.7.1.4.10.0.0.1.22.2.16.0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.9.4711",  // families mixed
    ("19.1.7.2.16.0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.1.22."                   // mapped, not plain
     "2.16.0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.9.4711"),                       //
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4710",                               // no such connection
    "19.1.7.1.4.10.0.0.1.23.1.4.10.0.0.9.4711",                               //
    "19.1.7.1.4.10.0.0.2.22.1.4.10.0.0.9.4711",                               //
    "19.1.7.1.4.10.0.0.9.4711.1.4.10.0.0.1.22",  // the other end's, not on this host
    "19.1.7.1.4.0.0.0.0.22.1.4.0.0.0.0.0",       // a listener is no row here
    "19.1.7.1.4.10.0.0.1.22.1.4.0.0.0.0.0",      //
    "13.1.1",                                    //
    "13.1.1.10.0.0.1.22.10.0.0.9",               //
    "13.1.1.10.0.0.1.22.10.0.0.9.4711.0",        //
    "13.1.1.10.0.0.257.22.10.0.0.9.4711",        //
    "13.1.1.10.0.0.1.65558.10.0.0.9.4711",       //
    "13.1.1.10.0.0.1.22.10.0.0.9.4712",          //
    "13.1.1.0.0.0.0.23.0.0.0.0.0",               // no such listener
    "13.1.1.10.0.0.1.22.0.0.0.0.0",              // nor on that address alone
    "13.1.1.10.0.0.1.22.0.0.0.0.4711",           //
};

TEST_F(DeleterTest, AnInstanceThatIsMalformedOrAbsentIsNoCreation) {
  set({the_connection(), listener("0.0.0.0:22")});
  for (const DeletionPolicy policy : {DeletionPolicy::kConnections, DeletionPolicy::kAll}) {
    deleter_.set_rules({.policy = policy});
    for (const char* name : kNoRows)
      EXPECT_EQ(run(tcp_oid(name)), Status::kNoCreation) << name;
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(audit_.refused(), 0u) << "nothing was there to be refused";
}

// -------------------------------------------------------------------------- What may not be done

// Neither what is missing nor what is wrong is told before it.
class NothingWritable : public DeleterTest {
 protected:
  void expect_not_writable() {
    for (const Oid& name : writable_names()) {
      EXPECT_EQ(run({{name, kDeleteTcb}}), Status::kNotWritable) << name;
      EXPECT_EQ(run({{name, Integer{5}}}), Status::kNotWritable) << name;
      EXPECT_EQ(run({{name, std::nullopt}}), Status::kNotWritable) << name;
    }
    EXPECT_THAT(destroyer_.asked(), IsEmpty());
  }
};

TEST_F(NothingWritable, WherePolicyIsOff) {
  deleter_.set_rules({.policy = DeletionPolicy::kOff});
  expect_not_writable();
  deleter_.set_rules({});
  EXPECT_EQ(run(state_of(the_connection())), Status::kNoError) << "and is as soon as it is not";
}

TEST_F(NothingWritable, WhereNothingCanBeEndedAndItSaysSoOnce) {
  for (const int code : {EPERM, EOPNOTSUPP}) {
    destroyer_.disable(code);
    const std::string loss = logged([&] { expect_not_writable(); });
    const Error error{.doing = "destroy", .code = code, .cure = "a cure", .place = {}};
    EXPECT_EQ(loss, "warning: deleteTCB is answered notWritable: " + error.text() + "\n");

    destroyer_.disable(0);
    const std::string gain = logged([&] {
      for (int i = 0; i < 2; ++i)
        EXPECT_EQ(run(tcp_oid("19.1.7.99")), Status::kNoCreation);
    });
    EXPECT_EQ(gain, "notice: deleteTCB can be obeyed again\n");
  }
}

// A manager would take notWritable for a matter of configuration.
TEST_F(DeleterTest, WhereOnlyForNowNobodyCanTellWhetherItMayItIsResourceUnavailable) {
  for (const int code : {EMFILE, ENOBUFS, ENOMEM, ETIMEDOUT}) {
    Deleter deleter = made();
    destroyer_.disable(code);
    EXPECT_THAT(logged([&] {
                  for (int i = 0; i < 2; ++i)
                    EXPECT_EQ(Set(deleter, {{kState}}).run(), Status::kResourceUnavailable);
                }),
                HasSubstr("error: cannot destroy: "));
    destroyer_.disable(0);
    EXPECT_EQ(logged([&] { EXPECT_EQ(Set(deleter, {{kState}}).test(), Status::kNoError); }), "")
        << "its rights were never lost";
  }
}

TEST_F(DeleterTest, WhoCannotTellItsOwnSessionsEndsNoConnection) {
  own_ = failure("list our own connections", EMFILE);
  EXPECT_THAT(logged([&] { EXPECT_EQ(run(kState), Status::kResourceUnavailable); }),
              HasSubstr("error: cannot list our own connections"));
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  own_ = std::vector<tcp::Ends>();
  EXPECT_EQ(run(kState), Status::kNoError);
}

TEST_F(DeleterTest, WhatIsNotWritableAnywayNeedsNoAbility) {
  destroyer_.disable(EPERM);
  EXPECT_EQ(logged([&] { EXPECT_EQ(run(tcp_oid("4.0")), Status::kNotWritable); }), "");
}

struct Refused {
  const char* why;
  std::vector<Socket> sockets;
  Oid name;
  Status want;
  DeletionRules rules = {};
  std::vector<tcp::Ends> own = {};
};

Socket subflow() {
  Socket socket = the_connection();
  socket.mptcp = tcp::MptcpRole::kSubflow;
  return socket;
}

Socket mptcp_listener() {
  Socket socket = listener("0.0.0.0:22");
  socket.mptcp = tcp::MptcpRole::kSubflow;
  return socket;
}

Socket without_cookie(std::uint64_t cookie) {
  Socket socket = the_connection();
  socket.id.cookie = cookie;
  return socket;
}

const DeletionRules kAll{.policy = DeletionPolicy::kAll};
const Oid kListenerState = tcp_oid("13.1.1.0.0.0.0.22.0.0.0.0.0");

const Refused kRefused[] = {
    {"a listener", {listener("0.0.0.0:22")}, kListenerState, Status::kNotWritable},
    {"a dual-stack listener", {listener("[::]:22")}, kListenerState, Status::kNotWritable},
    {"a listener on a protected port",
     {listener("0.0.0.0:22")},
     kListenerState,
     Status::kNotWritable,
     {.policy = DeletionPolicy::kAll, .protected_ports = {22}}},
    {"a dual-stack listener, though all may go",
     {listener("[::]:22")},
     kListenerState,
     Status::kInconsistentValue,
     kAll},
    {"it and a 0.0.0.0 beside it",
     {listener("[::]:22"), listener("0.0.0.0:22")},
     kListenerState,
     Status::kInconsistentValue,
     kAll},
    {"SO_REUSEPORT",
     {listener("0.0.0.0:22"), listener("0.0.0.0:22")},
     kListenerState,
     Status::kInconsistentValue,
     kAll},
    {"a protected local port",
     {the_connection()},
     kState,
     Status::kNotWritable,
     {.protected_ports = {22}}},
    {"by its deprecated name",
     {the_connection()},
     kLegacyState,
     Status::kNotWritable,
     {.protected_ports = {22}}},
    {"a protected remote port",
     {the_connection()},
     kState,
     Status::kNotWritable,
     {.protected_remote_ports = {4711}}},
    {"our own session",
     {the_connection()},
     kState,
     Status::kNotWritable,
     {},
     {tcp::ends_of(the_connection())}},
    {"the other end of our own session",
     {the_connection()},
     kState,
     Status::kNotWritable,
     kAll,
     {tcp::ends_of(established("10.0.0.9:4711", "10.0.0.1:22"))}},
    {"twins on two devices",
     {the_connection({.interface = 2}), the_connection({.interface = 3})},
     kState,
     Status::kInconsistentValue},
    {"a twin of the other family",
     {the_connection({.interface = 2}),
      established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711")},
     kLegacyState,
     Status::kInconsistentValue,
     kAll},
    {"twins on a protected port",
     {the_connection({.interface = 2}), the_connection({.interface = 3})},
     kState,
     Status::kNotWritable,
     {.protected_ports = {22}}},
    {"a subflow of MPTCP", {subflow()}, kState, Status::kInconsistentValue, kAll},
    {"a listener of MPTCP", {mptcp_listener()}, kListenerState, Status::kInconsistentValue, kAll},
    {"no cookie", {without_cookie(0)}, kState, Status::kInconsistentValue},
    {"the cookie that takes any socket",
     {without_cookie(0xffffffffffffffff)},
     kState,
     Status::kInconsistentValue},
};

TEST_F(DeleterTest, WhatMayNotGoStaysAndIsLoggedOnce) {
  for (const Refused& c : kRefused) {
    SCOPED_TRACE(c.why);
    set(c.sockets);
    own_ = c.own;
    deleter_.set_rules(c.rules);
    const std::uint32_t before = audit_.refused();
    const std::string log = logged([&] { EXPECT_EQ(run(c.name), c.want); });
    EXPECT_THAT(log, HasSubstr("): refused, " + std::string(name_of(c.want)) + ": "));
    EXPECT_EQ(std::ranges::count(log, '\n'), static_cast<std::ptrdiff_t>(c.sockets.size())) << log;
    EXPECT_EQ(audit_.refused() - before, c.sockets.size());
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(forgotten_, 0);
}

TEST_F(DeleterTest, WrongTypeValueAndInstanceAreToldBeforeThatARowIsProtected) {
  deleter_.set_rules({.protected_ports = {22}});
  EXPECT_EQ(run({{kState, snmp::Gauge32{12}}}), Status::kWrongType);
  EXPECT_EQ(run({{kState, Integer{5}}}), Status::kWrongValue);
  EXPECT_EQ(run(state_of(another())), Status::kNoCreation);
  EXPECT_EQ(run(kState), Status::kNotWritable);
}

TEST_F(DeleterTest, RulesThatWereChangedHoldForTheNextSet) {
  deleter_.set_rules({.protected_ports = {22}});
  EXPECT_EQ(run(kState), Status::kNotWritable);
  deleter_.set_rules({.protected_ports = {23}});
  EXPECT_EQ(run(kState), Status::kNoError);
}

TEST_F(DeleterTest, AKernelThatCannotBeAskedIsResourceUnavailable) {
  kernel_.faults().fail_always(true);
  EXPECT_THAT(logged([&] { EXPECT_EQ(run(kState), Status::kResourceUnavailable); }),
              HasSubstr("error: cannot look up"));
  kernel_.faults().fail_always(false);
  EXPECT_EQ(run(kState), Status::kNoError);
}

// ----------------------------------------------------------------------------------- The act

TEST_F(DeleterTest, WhatTheKernelRefusesIsCommitFailedWhateverItsReason) {
  for (const int code : {EPERM, EOPNOTSUPP, EINTR, EBUSY, ENOMEM, ENOBUFS, ETIMEDOUT, EINVAL}) {
    destroyer_.refuse(code);
    EXPECT_THAT(logged([&] { EXPECT_EQ(run(kState), Status::kCommitFailed) << code; }),
                HasSubstr("(established, no process): failed, commitFailed: cannot destroy: "));
  }
  EXPECT_EQ(audit_.done(), 0u);
  EXPECT_EQ(audit_.refused(), 8u);
  EXPECT_EQ(forgotten_, 0);
  destroyer_.refuse(0);
  EXPECT_EQ(run(kState), Status::kNoError) << "a full socket is tried again every time";
}

TEST_F(DeleterTest, ARefusalWithoutAnyActIsUndoneByDoingNothing) {
  destroyer_.refuse(EPERM);
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  EXPECT_EQ(set.action(), Status::kCommitFailed);
  EXPECT_EQ(logged([&] { EXPECT_EQ(set.undo(), Status::kNoError); }), "");
}

TEST_F(DeleterTest, AMinisockOfAStateThatTheKernelRefusedIsInconsistentValueFromThenOn) {
  const Socket time_wait = the_connection({.state = State::kTimeWait});
  const Socket request = another({.state = State::kSynReceived});
  set({time_wait, request});
  destroyer_.refuse(EOPNOTSUPP);
  EXPECT_EQ(run(kState), Status::kCommitFailed);
  EXPECT_EQ(run(kState), Status::kInconsistentValue);
  EXPECT_EQ(run(kState), Status::kInconsistentValue);
  EXPECT_THAT(destroyer_.asked(), SizeIs(1));
  destroyer_.refuse(0);
  EXPECT_EQ(run(state_of(request)), Status::kNoError) << "those of another state may well go";
  set({the_connection()});
  EXPECT_EQ(run(kState), Status::kNoError) << "and full sockets anyhow";
}

TEST_F(DeleterTest, AFullSocketThatTheKernelRefusedSaysNothingOfMinisocks) {
  destroyer_.refuse(EOPNOTSUPP);
  EXPECT_EQ(run(kState), Status::kCommitFailed);
  destroyer_.refuse(0);
  set({the_connection({.state = State::kTimeWait})});
  EXPECT_EQ(run(kState), Status::kNoError);
}

TEST_F(DeleterTest, AConnectionThatWentMeanwhileIsAsGoodAsEnded) {
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  const Socket its_listener = listener("10.0.0.1:22");
  kernel_.set({its_listener});
  EXPECT_THAT(logged([&] { EXPECT_EQ(set.action(), Status::kNoError); }),
              HasSubstr(": had ended by itself\n"));
  EXPECT_TRUE(kernel_.remove(its_listener.id)) << "it lives";
  EXPECT_EQ(forgotten_, 1) << "a snapshot may still show it";
  EXPECT_EQ(logged([&] { EXPECT_EQ(set.undo(), Status::kNoError); }), "");
}

TEST_F(DeleterTest, AnotherConnectionOfTheSameEndsSurvives) {
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  const Socket successor = the_connection();
  kernel_.set({successor});
  EXPECT_EQ(set.action(), Status::kNoError);
  EXPECT_TRUE(kernel_.remove(successor.id));
}

TEST_F(DeleterTest, UndoAfterAnActIsUndoFailedAndSaysSo) {
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  ASSERT_EQ(set.action(), Status::kNoError);
  EXPECT_THAT(logged([&] { EXPECT_EQ(set.undo(), Status::kUndoFailed); }),
              HasSubstr("warning: deleteTCB 10.0.0.1:22 10.0.0.9:4711: another part of the same "
                        "Set failed"));
  EXPECT_EQ(set.undo(), Status::kNoError) << "once";
}

TEST_F(DeleterTest, ASetThatIsGivenUpAfterItsTestEndsNothing) {
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  set.release();
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(set.action(), Status::kCommitFailed) << "nothing is left of it";
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

// ------------------------------------------------------------------------------ Several bindings

struct Twice {
  const char* why;
  std::vector<Binding> bindings;
};

const Twice kTwice[] = {
    {"the same instance", {{kState}, {kState}}},
    {"the same deprecated instance", {{kLegacyState}, {kLegacyState}}},
    {"both its names", {{kState}, {kLegacyState}}},
    {"all of them", {{kLegacyState}, {kState}, {kLegacyState}, {kState}}},
};

TEST_F(DeleterTest, OneConnectionNamedTwiceIsEndedOnce) {
  for (const Twice& c : kTwice) {
    SCOPED_TRACE(c.why);
    const Socket socket = the_connection({.interface = 7});
    set({socket});
    const std::size_t before = destroyer_.asked().size();
    const std::string log = logged([&] { EXPECT_EQ(run(c.bindings), Status::kNoError); });
    EXPECT_THAT(log, testing::EndsWith(": ended\n"));
    EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
    EXPECT_EQ(destroyer_.asked().size() - before, 1u);
  }
}

TEST_F(DeleterTest, OneConnectionNamedTwiceThatWentMeanwhileIsLoggedOnce) {
  for (const Twice& c : kTwice) {
    SCOPED_TRACE(c.why);
    kernel_.set({the_connection()});
    Set set(deleter_, c.bindings);
    ASSERT_EQ(set.test(), Status::kNoError);
    kernel_.set({});
    const std::string log = logged([&] { EXPECT_EQ(set.action(), Status::kNoError); });
    EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
    set.release();
  }
}

TEST_F(DeleterTest, OneConnectionNamedTwiceCannotBeUndone) {
  for (const Twice& c : kTwice) {
    SCOPED_TRACE(c.why);
    kernel_.set({the_connection()});
    Set set(deleter_, c.bindings);
    ASSERT_EQ(set.test(), Status::kNoError);
    ASSERT_EQ(set.action(), Status::kNoError);
    EXPECT_EQ(set.undo(), Status::kUndoFailed);
  }
}

struct Mixed {
  const char* why;
  Binding bad;
  Status want;
};

const Mixed kMixed[] = {
    {"no column", {tcp_oid("19.1.8.1.4.10.0.0.1.22.1.4.10.0.0.9.4711")}, Status::kNotWritable},
    {"a type", {state_of(another()), snmp::Gauge32{12}}, Status::kWrongType},
    {"a value", {state_of(another()), Integer{11}}, Status::kWrongValue},
    {"no row", {tcp_oid("13.1.1.10.0.0.1.22.10.0.0.9.1")}, Status::kNoCreation},
    {"a protected row", {state_of(established("10.0.0.1:80", "10.0.0.9:1"))}, Status::kNotWritable},
    {"twins", {state_of(established("10.0.0.1:81", "10.0.0.9:1"))}, Status::kInconsistentValue},
};

TEST_F(DeleterTest, AllAreCheckedBeforeAnyIsEnded) {
  kernel_.set({the_connection(), another(), established("10.0.0.1:80", "10.0.0.9:1"),
               established("10.0.0.1:81", "10.0.0.9:1", {.interface = 2}),
               established("10.0.0.1:81", "10.0.0.9:1", {.interface = 3})});
  deleter_.set_rules({.protected_ports = {80}});
  for (const Mixed& c : kMixed) {
    EXPECT_EQ(run({c.bad, {kState}}), c.want) << c.why << " first";
    EXPECT_EQ(run({{kState}, c.bad}), c.want) << c.why << " last";
    EXPECT_EQ(run({{kState}, c.bad, {kLegacyState}}), c.want) << c.why << " amid";
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  EXPECT_EQ(audit_.done(), 0u);
}

TEST_F(DeleterTest, SeveralRowsAreEndedInTheirOrder) {
  const std::vector<Socket> sockets = {the_connection(), another(),
                                       established("[::1]:22", "[::1]:9")};
  set(sockets);
  EXPECT_EQ(run({{state_of(sockets[2])}, {legacy_state_of(sockets[0])}, {state_of(sockets[1])}}),
            Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(sockets[2].id, sockets[0].id, sockets[1].id));
  EXPECT_EQ(audit_.done(), 3u);
}

TEST_F(DeleterTest, AfterTheFirstThatTheKernelRefusesNoOtherIsEnded) {
  kernel_.set({the_connection(), another()});
  Set set(deleter_, {{kState}, {state_of(another())}, {kLegacyState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  destroyer_.refuse(EPERM);
  EXPECT_EQ(set.action(), Status::kCommitFailed);
  EXPECT_THAT(destroyer_.asked(), SizeIs(1));
  EXPECT_EQ(set.undo(), Status::kNoError) << "nothing has been done";
  destroyer_.refuse(0);
  EXPECT_EQ(run(kState), Status::kNoError) << "and the next Set starts afresh";
}

TEST_F(DeleterTest, WhatWasEndedBeforeTheOneThatWasRefusedMakesTheUndoFail) {
  kernel_.set({the_connection(), another()});
  const Transaction transaction{this, 1};
  const Oid names[] = {kState, state_of(another())};
  const auto put = [&](Phase phase, int i) {
    return deleter_.write(write_of(phase, managed("tcpConnectionTable"), names[i], transaction))
        .status;
  };
  for (const int i : {0, 1})
    ASSERT_EQ(put(Phase::kReserve2, i), Status::kNoError);
  EXPECT_EQ(put(Phase::kAction, 0), Status::kNoError);
  destroyer_.refuse(EPERM);
  EXPECT_EQ(put(Phase::kAction, 1), Status::kCommitFailed);
  EXPECT_EQ(put(Phase::kUndo, 0), Status::kUndoFailed);
  EXPECT_EQ(put(Phase::kUndo, 1), Status::kNoError);
}

// ------------------------------------------------------------------- Masters that repeat or vanish

// A master may have several under way.
TEST_F(DeleterTest, WhatAnotherSetFailedToEndIsNotTakenForEnded) {
  const auto put = [&](Phase phase, long id) {
    return deleter_.write(write_of(phase, managed("tcpConnectionTable"), kState, {.id = id}))
        .status;
  };
  for (const long id : {1, 2})
    ASSERT_EQ(put(Phase::kReserve2, id), Status::kNoError);
  destroyer_.refuse(EPERM);
  EXPECT_EQ(put(Phase::kAction, 1), Status::kCommitFailed);
  destroyer_.refuse(0);
  EXPECT_EQ(put(Phase::kAction, 2), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), SizeIs(2)) << "reported as done, and never tried";
}

TEST_F(DeleterTest, ATestThatIsRepeatedIsOneIntent) {
  Set set(deleter_, {{kState}, {kLegacyState}});
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(set.test(), Status::kNoError);
  EXPECT_EQ(set.action(), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), SizeIs(1));
  set.release();
  EXPECT_EQ(set.action(), Status::kCommitFailed);
  EXPECT_THAT(destroyer_.asked(), SizeIs(1));
}

TEST_F(DeleterTest, ATestThatIsRepeatedGoesByWhatThereIsThen) {
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  const Socket successor = the_connection();
  kernel_.set({successor});
  ASSERT_EQ(set.test(), Status::kNoError);
  EXPECT_EQ(set.action(), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(successor.id));
}

TEST_F(DeleterTest, NothingIsLeftOfTheSetOfAMasterThatVanished) {
  kernel_.set({the_connection(), another()});
  Set abandoned(deleter_, {{kState}, {kLegacyState}, {state_of(another())}});
  ASSERT_EQ(abandoned.test(), Status::kNoError);
  EXPECT_EQ(run(state_of(another())), Status::kNoError);
  EXPECT_EQ(abandoned.action(), Status::kCommitFailed);
  EXPECT_THAT(destroyer_.asked(), SizeIs(1)) << "its intents went with the next Set";
}

// ----------------------------------------------------------- More interfaces than can be asked

class ManyInterfaces : public DeleterTest {
 protected:
  ManyInterfaces() { kernel_.set_coverage(tcp::Coverage::kPartial); }

  // A snapshot that begins now.
  void show(const std::vector<Socket>& sockets, const tcp::AddressForms& forms = {}) {
    now_ += std::chrono::milliseconds(1);
    tcp::SnapshotBuilder builder(forms, now_);
    for (const Socket& socket : sockets)
      builder.add(socket);
    newest_ = std::make_shared<const tcp::Snapshot>(builder.finish(now_));
    now_ += std::chrono::milliseconds(1);
  }

  // A Set for which a snapshot of what there is then is made when it is waited for.
  Status run_with_snapshot(Set set, const std::vector<Socket>& shown,
                           const tcp::AddressForms& forms = {}) {
    EXPECT_TRUE(set.has_to_wait());
    show(shown, forms);
    return set.run();
  }
  Status run_with_snapshot(const Oid& name, const std::vector<Socket>& shown) {
    return run_with_snapshot(Set(deleter_, {{name}}), shown);
  }
};

const Socket kFarSockets[] = {
    the_connection({.interface = 99}),
    established("[2001:db8::1]:22", "[2001:db8::9]:4711", {.interface = 99}),
    established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711", {.interface = 99}),
};

TEST_F(ManyInterfaces, ASnapshotNamesTheInterfaceToAsk) {
  for (const Socket& socket : kFarSockets) {
    SCOPED_TRACE(testing::PrintToString(socket));
    set({another({.interface = 98}), socket});
    EXPECT_EQ(run_with_snapshot(state_of(socket), {another({.interface = 98}),
                                                   established("[::1]:1", "[::1]:2"), socket}),
              Status::kNoError);
    EXPECT_EQ(kernel_.queries().back().zone, 99u);
    EXPECT_EQ(destroyer_.asked().back(), socket.id);
  }
}

TEST_F(ManyInterfaces, AConnectionWhoseNameCarriesNoZoneIsFoundToo) {
  const tcp::AddressForms forms{.zones = false};
  const Socket socket = established("[fe80::1%99]:22", "[fe80::9%99]:4711");
  set({socket});
  Deleter deleter = made({}, forms);
  EXPECT_EQ(run_with_snapshot(Set(deleter, {{state_of(socket, forms)}}), {socket}, forms),
            Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(socket.id));
}

TEST_F(ManyInterfaces, AZoneInTheNameIsTheOneInterfaceThereIsAndNothingWaits) {
  const Socket socket = established("[fe80::1%99]:22", "[fe80::9%99]:4711");
  set({socket});
  EXPECT_EQ(run(state_of(socket)), Status::kNoError);
  EXPECT_EQ(snapshots_wanted_, 0);
}

TEST_F(ManyInterfaces, OnlyASnapshotThatWasBegunAfterTheSetWillDo) {
  const Socket socket = the_connection({.interface = 99});
  set({socket});
  show({socket});
  Set set(deleter_, {{kState}});
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(set.has_to_wait());
  EXPECT_EQ(snapshots_wanted_, 3);
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  show({socket});
  EXPECT_EQ(set.run(), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(socket.id));
}

// The near one alone has been found, and would have been taken for the only one.
TEST_F(ManyInterfaces, WhatIsFoundNearMayHaveATwinFarAway) {
  const std::vector<Socket> twins = {the_connection({.interface = 3}),
                                     the_connection({.interface = 99})};
  for (const std::vector<Socket>& shown : {twins, {twins[1], twins[0]}}) {
    set(twins);
    EXPECT_EQ(run_with_snapshot(kState, shown), Status::kInconsistentValue);
  }
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
  set({twins[0]});
  EXPECT_EQ(run_with_snapshot(kState, {twins[0]}), Status::kNoError) << "it is alone";
}

TEST_F(ManyInterfaces, OfTwinsFarAwayNoneIsEnded) {
  std::vector<Socket> twins;
  for (const std::uint32_t interface : {97u, 98u, 99u})
    twins.push_back(the_connection({.interface = interface}));
  set(twins);
  EXPECT_EQ(run_with_snapshot(kState, twins), Status::kInconsistentValue);
  EXPECT_THAT(kernel_.queries(), SizeIs(2 + 3)) << "each was asked for";
  deleter_.set_rules({.protected_ports = {22}});
  EXPECT_EQ(run_with_snapshot(kState, twins), Status::kNotWritable) << "which comes first";
  deleter_.set_rules({});
  set({twins[1]});
  EXPECT_EQ(run_with_snapshot(kState, twins), Status::kNoError) << "the others have gone since";
  EXPECT_THAT(destroyer_.asked(), ElementsAre(twins[1].id));
}

TEST_F(ManyInterfaces, TwinsOfIpv6AreToldApartAsWell) {
  std::vector<Socket> twins;
  for (const std::uint32_t interface : {98u, 99u})
    twins.push_back(
        established("[2001:db8::1]:22", "[2001:db8::9]:4711", {.interface = interface}));
  set(twins);
  EXPECT_EQ(run_with_snapshot(state_of(twins[0]), twins), Status::kInconsistentValue);
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

TEST_F(ManyInterfaces, WhatNeitherTheKernelNorTheSnapshotShowsIsNotThere) {
  set({another({.interface = 99})});
  EXPECT_EQ(run_with_snapshot(kState, {another({.interface = 99})}), Status::kNoCreation);
  EXPECT_EQ(run_with_snapshot(kState, {the_connection()}), Status::kNoCreation) << "any more";
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

TEST_F(ManyInterfaces, TheKernelHasTheLastWordNotTheSnapshot) {
  set({});
  EXPECT_EQ(run_with_snapshot(kState, {the_connection({.interface = 99})}), Status::kNoCreation)
      << "it has gone since";
  const Socket successor = the_connection({.interface = 99});
  set({successor});
  EXPECT_EQ(run_with_snapshot(kState, {the_connection({.interface = 99})}), Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(successor.id));
}

TEST_F(ManyInterfaces, OneSnapshotIsEnoughForAllOfASet) {
  const std::vector<Socket> sockets = {the_connection({.interface = 98}),
                                       another({.interface = 99})};
  set(sockets);
  EXPECT_EQ(
      run_with_snapshot(Set(deleter_, {{state_of(sockets[0])}, {state_of(sockets[1])}}), sockets),
      Status::kNoError);
  EXPECT_THAT(destroyer_.asked(), ElementsAre(sockets[0].id, sockets[1].id));
}

TEST_F(ManyInterfaces, WhoWaitsKeepsWhatItHasFoundThoughAnotherSetComes) {
  const Socket in_zone = established("[fe80::1%99]:22", "[fe80::9%99]:4711");
  const std::vector<Socket> sockets = {in_zone, the_connection({.interface = 98}),
                                       established("[fe80::1%99]:22", "[fe80::9%99]:4712")};
  set(sockets);
  Set waiting(deleter_, {{state_of(in_zone)}, {state_of(sockets[1])}});
  ASSERT_TRUE(waiting.has_to_wait());
  EXPECT_EQ(run(state_of(sockets[2])), Status::kNoError);
  show(sockets);
  EXPECT_EQ(waiting.run(), Status::kNoError);
}

TEST_F(ManyInterfaces, AKernelThatCannotBeAskedAgainIsResourceUnavailable) {
  set({the_connection({.interface = 99})});
  Set set(deleter_, {{kState}});
  ASSERT_TRUE(set.has_to_wait());
  show({the_connection({.interface = 99})});
  kernel_.faults().fail_nth(2);
  EXPECT_EQ(set.run(), Status::kResourceUnavailable);
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

TEST_F(ManyInterfaces, ASnapshotThatFailedIsResourceUnavailableAndSaysSo) {
  set({the_connection({.interface = 99})});
  no_snapshot_ = failure("dump", ENOBUFS).value();
  EXPECT_THAT(logged([&] { EXPECT_EQ(run(kState), Status::kResourceUnavailable); }),
              HasSubstr("error: cannot dump: "));
}

TEST_F(ManyInterfaces, WithoutASnapshotInTimeItIsResourceUnavailableAndSaysSo) {
  set({the_connection({.interface = 99})});
  const tables::Managed& table = managed("tcpConnectionTable");
  const auto put = [&](Phase phase) {
    return deleter_.write(write_of(phase, table, kState, {this, 1}));
  };
  SetAnswer answer = put(Phase::kReserve2);
  ASSERT_FALSE(answer.status);
  EXPECT_EQ(answer.again, now_ + Deleter::kPatience);
  now_ = answer.again - std::chrono::milliseconds(1);
  ASSERT_FALSE(put(Phase::kReserve2).status);
  now_ = answer.again;
  const std::string log = logged([&] { answer = put(Phase::kReserve2); });
  EXPECT_EQ(answer.status, Status::kResourceUnavailable);
  EXPECT_THAT(log, HasSubstr("error: cannot end 10.0.0.1:22 10.0.0.9:4711: "));
  EXPECT_THAT(destroyer_.asked(), IsEmpty());
}

TEST_F(ManyInterfaces, AMasterThatVanishedMayUseItsNumberAgain) {
  set({the_connection({.interface = 99})});
  const tables::Managed& table = managed("tcpConnectionTable");
  const auto put = [&](Phase phase) {
    return deleter_.write(write_of(phase, table, kState, {this, 1}));
  };
  ASSERT_FALSE(put(Phase::kReserve2).status);
  now_ += std::chrono::minutes(1);
  const SetAnswer answer = put(Phase::kReserve2);
  ASSERT_FALSE(answer.status);
  EXPECT_EQ(answer.again, now_ + Deleter::kPatience);
  put(Phase::kFree);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(put(Phase::kReserve2).again, now_ + Deleter::kPatience) << "and one that was given up";
}

// --------------------------------------------------------------------------- What managers see
// then

class Afterwards : public testing::Test {
 protected:
  static constexpr Ages kKept{.snapshot = std::chrono::hours(1), .look_up_processes = false};

  Afterwards() { EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError)); }

  const tables::Managed& connections() { return managed("tcpConnectionTable"); }

  // The instances of a whole walk, each in a PDU of its own.
  std::vector<Oid> walked() {
    std::vector<Oid> names;
    Oid name = connections().root();
    while (true) {
      const Answer answer = agent_.next_settled(connections(), name, agent_.pdu());
      if (answer.kind != Answer::Kind::kValue)
        return names;
      names.push_back(name = answer.cell->name);
    }
  }

  Questioner agent_{{the_connection(), another()}, kKept};
  FakeSocketDestroyer destroyer_{{&agent_.dumps, &agent_.lookups}};
  Audit audit_{{.newest = [] { return nullptr; },
                .want = [](std::uint32_t) {},
                .command_of = [](std::uint32_t) { return ""; }}};
  Deleter deleter_{
      {.sockets = agent_.lookups,
       .destroyer = destroyer_,
       .own_connections = [] { return std::vector<tcp::Ends>(); },
       .snapshot_since = [this](Time t) { return agent_.responder->snapshot_since(t); },
       .on_deleted = [this](const tcp::Socket& s) { agent_.responder->forget(s, Clock::now()); }},
      {},
      {},
      audit_};
};

TEST_F(Afterwards, TheRowIsGoneFromTheNextGetAndWalkAndFromTheCounts) {
  ASSERT_THAT(walked(), SizeIs(4));
  ASSERT_EQ(agent_.get(kState, agent_.pdu()).kind, Answer::Kind::kValue);
  ASSERT_EQ(agent_.dumps.dumps(), 1);
  ASSERT_EQ(Set(deleter_, {{kState}}).run(), Status::kNoError);

  EXPECT_EQ(agent_.get(kState, agent_.pdu()).kind, Answer::Kind::kNoSuchInstance);
  EXPECT_EQ(agent_.get(kLegacyState, agent_.pdu()).kind, Answer::Kind::kNoSuchInstance);
  EXPECT_THAT(walked(), ElementsAre(state_of(another()), testing::_));
  EXPECT_EQ(agent_.dumps.dumps(), 1) << "the row is left out of the old snapshot";
  const Answer established = agent_.get_settled(own_oid("1.2.1.5.5"), agent_.pdu());
  EXPECT_EQ(established.cell->value, snmp::Value(snmp::Gauge32{1}));
  EXPECT_EQ(agent_.dumps.dumps(), 2) << "one new snapshot, though the old one was young enough";
}

TEST_F(Afterwards, ADumpThatWasUnderWayMeanwhileIsNotShown) {
  FakeSocketDestroyer only_lookups({&agent_.lookups});  // the dump has read it already
  Deleter deleter(
      {.sockets = agent_.lookups,
       .destroyer = only_lookups,
       .own_connections = [] { return std::vector<tcp::Ends>(); },
       .snapshot_since = [](Time) { return std::shared_ptr<const tcp::Snapshot>(); },
       .on_deleted = [this](const tcp::Socket& s) { agent_.responder->forget(s, Clock::now()); }},
      {}, {}, audit_);
  agent_.dumps.faults().hold();
  const auto early = agent_.pdu();
  ASSERT_EQ(agent_.next(connections(), connections().root(), early).kind, Answer::Kind::kLater);
  ASSERT_TRUE(agent_.dumps.faults().await_calls(1));
  ASSERT_EQ(Set(deleter, {{kState}}).run(), Status::kNoError);
  agent_.dumps.faults().release();
  agent_.await_news();
  ASSERT_EQ(agent_.responder->stock().snapshot()->count(State::kEstablished).total(), 2u);
  agent_.dumps.set({another()});
  for (const auto& pdu : {agent_.pdu(), early}) {
    const Answer answer = agent_.next_settled(connections(), connections().root(), pdu);
    ASSERT_EQ(answer.kind, Answer::Kind::kValue);
    EXPECT_EQ(answer.cell->name, state_of(another()));
  }
}

TEST_F(Afterwards, ARowThatHadEndedByItselfIsGoneAsWell) {
  ASSERT_THAT(walked(), SizeIs(4));
  Set set(deleter_, {{kState}});
  ASSERT_EQ(set.test(), Status::kNoError);
  agent_.set({another()});
  ASSERT_EQ(set.action(), Status::kNoError);
  EXPECT_THAT(walked(), SizeIs(2));
}

TEST_F(Afterwards, AListenersEndNeedsANewSnapshotForNoIndexTellsOfIt) {
  ASSERT_THAT(walked(), SizeIs(4));
  agent_.responder->forget(listener("0.0.0.0:22"), Clock::now());
  EXPECT_THAT(walked(), SizeIs(4));
  EXPECT_EQ(agent_.dumps.dumps(), 2);
}

TEST_F(Afterwards, WhoHasTheSameEndsLaterIsSeenInTheNextSnapshot) {
  ASSERT_THAT(walked(), SizeIs(4));
  ASSERT_EQ(Set(deleter_, {{kState}}).run(), Status::kNoError);
  agent_.set({the_connection(), another()});
  ASSERT_THAT(walked(), SizeIs(2));
  agent_.get_settled(own_oid("1.3.1.1.8"), agent_.pdu());  // which needs a new one
  EXPECT_THAT(walked(), SizeIs(4));
}

TEST_F(Afterwards, ARefusalCostsNoSnapshot) {
  ASSERT_THAT(walked(), SizeIs(4));
  destroyer_.refuse(EPERM);
  EXPECT_EQ(Set(deleter_, {{kState}}).run(), Status::kCommitFailed);
  EXPECT_THAT(walked(), SizeIs(4));
  EXPECT_EQ(agent_.dumps.dumps(), 1);
}

}  // namespace
}  // namespace tcpmibd::agent
