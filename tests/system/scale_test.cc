#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <unordered_map>

#include "support/crowd.h"
#include "system/system_test.h"

// As many connections as a busy host has, far more than snmpd's own table of processes can take.

namespace tcpmibd::lab {
namespace {

constexpr unsigned kManyConnections = 95'000;
constexpr long kMostMemory = 40 * 1024;  // KiB

class Scale : public SystemTest {};

using Values = std::unordered_map<std::string, std::string>;  // by OID

Values column_of(const Manager& manager, const Oid& column) {
  const Answer walk = manager.bulk_walk(column);
  EXPECT_EQ(walk.error, "");
  EXPECT_TRUE(strictly_increasing(walk.varbinds));
  Values values;
  for (const Varbind& varbind : walk.varbinds)
    values.emplace(text(varbind.oid), varbind.value);
  return values;
}

std::string value_in(const Values& values, const Oid& cell) {
  const auto found = values.find(text(cell));
  return found == values.end() ? "missing" : found->second;
}

// How many members' cells of `column` have another value than `wanted` gives for them.
template <typename Wanted>
unsigned wrong_in(const Values& values, unsigned column, const Crowd& crowd, Wanted wanted) {
  unsigned wrong = 0;
  for (unsigned number = 0; number < crowd.size(); ++number) {
    const Crowd::Member member = crowd.member(number);
    const std::string value = value_in(values, connection_cell(column, member.ends));
    if (value == wanted(member))
      continue;
    if (wrong++ == 0)
      ADD_FAILURE() << "first wrong one: " << member.ends << " is " << value;
  }
  return wrong;
}

std::string pid_of(const Crowd::Member& member) { return std::to_string(member.pid); }

void expect_every_row(const Manager& manager, const Crowd& crowd) {
  const Values states = column_of(manager, kConnectionState);
  EXPECT_GE(states.size(), crowd.size());
  EXPECT_EQ(wrong_in(states, kStateColumn, crowd, [](const auto&) { return kEstablished; }), 0U);
  const Values processes = column_of(manager, kConnectionProcess);
  EXPECT_EQ(processes.size(), states.size());
  EXPECT_EQ(wrong_in(processes, kProcessColumn, crowd, pid_of), 0U);
}

void expect_single_rows(const Manager& manager, const Crowd& crowd) {
  for (const unsigned number : {0U, crowd.size() / 2, crowd.size() - 1}) {
    const Crowd::Member member = crowd.member(number);
    EXPECT_EQ(told(manager, connection_cell(kStateColumn, member.ends)), kEstablished);
    EXPECT_EQ(told(manager, connection_cell(kProcessColumn, member.ends)), pid_of(member));
  }
}

void expect_it_to_cope(const Manager& manager, const Daemon& daemon, const Crowd& crowd) {
  const Manager patient = manager.patient(kGreatPatience);
  expect_every_row(patient, crowd);
  expect_single_rows(patient, crowd);
  EXPECT_LT(daemon.process().memory("VmRSS"), kMostMemory);
  testing::Test::RecordProperty("peak_kib", std::to_string(daemon.process().memory("VmHWM")));
}

TEST_F(Scale, ThroughAMasterEveryConnectionAndItsProcessIsThere) {
  const Namespace space;
  const Crowd crowd(space, kManyConnections);
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  expect_it_to_cope(master.manager(), daemon, crowd);
}

TEST_F(Scale, FromAnAgentOfItsOwnEveryConnectionAndItsProcessIsThere) {
  const Namespace space;
  const Crowd crowd(space, kManyConnections);
  const Daemon daemon = Daemon::standalone(space);
  expect_it_to_cope(Manager::v2c(space, Daemon::kAddress), daemon, crowd);
}

// ---- Memory ----

TEST_F(Scale, WhatACrowdTookIsGivenBackWhenNobodyAsksAnyMore) {
  constexpr std::chrono::seconds kPatienceToFree{60};         // six times as long as it is kept
  constexpr long kRows = Crowd::kMostPerProcess * 48 / 1024;  // KiB
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  const auto anonymous = [&] { return daemon.process().memory("RssAnon"); };
  const auto whole = [&] { return daemon.process().memory("VmRSS"); };
  const long anonymous_before = anonymous();
  const long whole_before = whole();
  {
    const Crowd crowd(space, Crowd::kMostPerProcess);
    EXPECT_GE(column_of(manager, kConnectionState).size(), crowd.size());
  }
  EXPECT_GT(anonymous(), anonymous_before + kRows);
  EXPECT_TRUE(eventually([&] { return anonymous() < anonymous_before + kRows; }, kPatienceToFree))
      << anonymous() << " KiB, and " << anonymous_before << " before";
  // With the code that only the start and the walk needed.
  EXPECT_TRUE(eventually([&] { return whole() < whole_before; }, kPatienceToFree))
      << whole() << " KiB, and " << whole_before << " before";
}

// ---- TCPMIBD-MIB ----

// The values below `column`, added up.
unsigned long sum_of(const Manager& manager, const Oid& column) {
  const Answer walk = manager.bulk_walk(column);
  EXPECT_EQ(walk.error, "");
  unsigned long sum = 0;
  for (const Varbind& varbind : walk.varbinds)
    sum += std::stoul(varbind.value);
  return sum;
}

TEST_F(Scale, ElevenCountsCostNoSnapshotAndEveryTableIsAnswered) {
  const Namespace space;
  const Crowd crowd(space, kManyConnections);
  const Daemon daemon = Daemon::standalone(space);
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  const Oid snapshots = own({1, 1, 9, 0});
  EXPECT_EQ(told(manager, snapshots), "0");
  const Answer counts = manager.bulk(0, 11, {own({1, 2, 1, 5})});
  ASSERT_EQ(counts.varbinds.size(), 11U) << counts.error;
  EXPECT_EQ(counts.varbinds[4].value, std::to_string(kManyConnections));
  EXPECT_EQ(told(manager, snapshots), "0");

  const Answer everything = manager.bulk_walk(own({}));
  EXPECT_EQ(everything.error, "");
  EXPECT_TRUE(strictly_increasing(everything.varbinds));
  EXPECT_EQ(sum_of(manager, own({1, 7, 1, 10})), kManyConnections) << "by process";
  EXPECT_EQ(sum_of(manager, own({1, 8, 1, 9})), kManyConnections) << "by remote address";
  EXPECT_LT(daemon.process().memory("VmRSS"), kMostMemory);
}

}  // namespace
}  // namespace tcpmibd::lab
