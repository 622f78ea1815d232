#include <benchmark/benchmark.h>

#include <optional>
#include <utility>
#include <vector>

#include "diag/message.h"
#include "support/builders.h"
#include "support/fake_names.h"
#include "support/golden.h"
#include "survey/survey.h"
#include "tables/data.h"
#include "tables/index.h"
#include "tables/registry.h"
#include "tcp/snapshot.h"

// What a socket costs on its way from the kernel's message to an answer, step by step; guards
// against losing speed unseen. Figures by row: items_per_second.

namespace tcpmibd::bench {
namespace {

using lab::established;
using tcp::Snapshot;
using tcp::SnapshotBuilder;
using tcp::Socket;

constexpr std::int64_t kFew = 1'000;
constexpr std::int64_t kMany = 100'000;

// Connections in the order of a hash table: none.
std::vector<Socket> sockets(std::int64_t count) {
  const Socket one = established("10.0.0.1:2000", "10.9.0.9:1");
  std::vector<Socket> all(static_cast<std::size_t>(count), one);
  for (std::uint32_t number = 0; Socket & socket : all) {
    const std::uint32_t scattered = number++ * 2'654'435'761U;  // Knuth's multiplicative hash
    socket.id.remote.port = static_cast<std::uint16_t>(scattered);
    socket.id.remote.address[2] = static_cast<std::uint8_t>(scattered >> 16);
    socket.id.remote.address[3] = static_cast<std::uint8_t>(scattered >> 24);
    socket.id.cookie = number;
    socket.inode = number;
  }
  return all;
}

SnapshotBuilder filled(const std::vector<Socket>& all) {
  SnapshotBuilder builder({});
  for (const Socket& socket : all)
    builder.add(socket);
  return builder;
}

void each_row(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void parse(benchmark::State& state) {
  const std::vector<std::byte> message = lab::recording("established_ipv4").bytes;
  Socket socket;
  for (auto _ : state) {
    benchmark::DoNotOptimize(diag::parse_message(message, socket));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(parse);

void key_and_add(benchmark::State& state) {
  const std::vector<Socket> all = sockets(state.range(0));
  const Snapshot like = filled(all).finish();
  for (auto _ : state) {
    SnapshotBuilder builder({});
    builder.reserve(like);
    for (const Socket& socket : all)
      builder.add(socket);
    benchmark::DoNotOptimize(builder);
  }
  each_row(state);
}
BENCHMARK(key_and_add)->Arg(kFew)->Arg(kMany);

void sort_and_count(benchmark::State& state) {
  const SnapshotBuilder unsorted = filled(sockets(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    std::optional<SnapshotBuilder> builder(unsorted);
    state.ResumeTiming();
    benchmark::DoNotOptimize(builder->finish());
  }
  each_row(state);
}
BENCHMARK(sort_and_count)->Arg(kFew)->Arg(kMany);

// Calls to many remote ends, each from an ephemeral port.
std::vector<Socket> calls(std::int64_t count) {
  constexpr std::uint16_t kFirst = 32'768;
  constexpr std::uint32_t kPorts = 28'232;
  std::vector<Socket> all = sockets(count);
  for (Socket& socket : all)
    socket.id.local.port =
        static_cast<std::uint16_t>(kFirst + socket.id.cookie * 2'654'435'761U % kPorts);
  return all;
}

void survey(benchmark::State& state) {
  const Snapshot snapshot = filled(calls(state.range(0))).finish();
  const tcp::Pressure pressure = lab::full_pressure();
  const tcp::Sightings sightings;
  lab::FakeUnitLookup units;
  for (auto _ : state)
    benchmark::DoNotOptimize(tcp::Survey::build({.snapshot = snapshot,
                                                 .sightings = sightings,
                                                 .before = nullptr,
                                                 .ephemeral = pressure.ephemeral,
                                                 .reuse = pressure.reuse(),
                                                 .units = units}));
  each_row(state);
}
BENCHMARK(survey)->Arg(kFew)->Arg(kMany)->Arg(10 * kMany);

// The state column, of a table or of a snapshot of one row.
struct Column {
  explicit Column(std::int64_t rows)
      : snapshot(filled(sockets(rows)).finish()), data{.snapshot = &snapshot} {}

  const tables::Managed& table = lab::managed("tcpConnectionTable");
  snmp::Oid begin = lab::tcp_oid("19.1.7");
  Snapshot snapshot;
  tables::Data data;
};

void next(benchmark::State& state) {
  const Column column(state.range(0));
  snmp::Oid name = column.begin;
  for (auto _ : state) {
    const std::optional<snmp::Cell> cell =
        column.table.next(column.data, name.view(), /*inclusive=*/false);
    const bool inside = cell && snmp::starts_with(cell->name.view(), column.begin.view());
    name = inside ? cell->name : column.begin;
  }
}
BENCHMARK(next)->Arg(kFew)->Arg(kMany);

// Names that lie far apart, so that none is found where the last one was.
std::vector<snmp::Oid> scattered_names(const Column& column) {
  constexpr std::size_t kStride = 97;
  std::vector<snmp::Oid> names;
  for (std::size_t row = 0; row < column.snapshot.rows(); row += kStride) {
    const tcp::Connection connection = decoded(column.snapshot.ipv4()[row]);
    snmp::Oid& name = names.emplace_back(column.begin);
    tables::append_address(connection.local, name);
    name.append(connection.local_port);
    tables::append_address(connection.remote, name);
    name.append(connection.remote_port);
  }
  return names;
}

void exact_lookup(benchmark::State& state) {
  const Column column(state.range(0));
  const std::vector<snmp::Oid> names = scattered_names(column);
  std::size_t number = 0;
  for (auto _ : state) {
    constexpr std::size_t kApart = 7;
    number = (number + kApart) % names.size();
    if (!column.table.get(column.data, names[number].view()))
      state.SkipWithError("a row is not found");
  }
}
BENCHMARK(exact_lookup)->Arg(kFew)->Arg(kMany);

}  // namespace
}  // namespace tcpmibd::bench

BENCHMARK_MAIN();
