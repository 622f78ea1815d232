#include "kernel/mptcp_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/descriptors.h"
#include "support/temp_folder.h"

namespace tcpmibd::kernel {
namespace {

using lab::TempFolder;
using tcp::MptcpPresence;

constexpr const char* kNew = "6.12.0";
constexpr const char* kOld = "6.1.0-18-amd64";

constexpr const char* kUnused = "protocol size sockets memory\nMPTCP 1936 0 190\n";
constexpr const char* kUsed = "protocol size sockets memory\nMPTCP 1936 2 190\n";
constexpr const char* kAbsent = "protocol size sockets memory\nTCP 2304 9 190\n";

MptcpProbe probe_in(const TempFolder& folder, const char* release) {
  return MptcpProbe::open(folder.path(), release).value();
}

TEST(MptcpProbe, LooksAnewEachTime) {
  const TempFolder folder;
  folder.write("protocols", kUnused);
  MptcpProbe probe = probe_in(folder, kNew);
  EXPECT_EQ(probe.look(), MptcpPresence::kUnused);
  folder.write("protocols", kUsed);
  EXPECT_EQ(probe.look(), MptcpPresence::kUsed);
  folder.write("protocols", kUnused);
  EXPECT_EQ(probe.look(), MptcpPresence::kUnused);
}

TEST(MptcpProbe, OfAKernelWithoutMptcpLooksNeverAgain) {
  const TempFolder folder;
  folder.write("protocols", kAbsent);
  MptcpProbe probe = probe_in(folder, kNew);
  EXPECT_EQ(probe.look(), MptcpPresence::kAbsent);
  folder.write("protocols", kUsed);
  EXPECT_EQ(probe.look(), MptcpPresence::kAbsent);
}

TEST(MptcpProbe, GoesByCountersWhereTheKernelKeepsNoNumberOfSockets) {
  const TempFolder folder;
  folder.write("protocols", kUnused);
  folder.write("netstat", "MPTcpExt: MPCapableSYNRX\nMPTcpExt: 3\n");
  EXPECT_EQ(probe_in(folder, kOld).look(), MptcpPresence::kUsed);
  EXPECT_EQ(probe_in(folder, kNew).look(), MptcpPresence::kUnused);
}

TEST(MptcpProbe, WhereThereIsNoSuchFileKnowsNothing) {
  const TempFolder folder;
  EXPECT_EQ(probe_in(folder, kNew).look(), MptcpPresence::kUnknown);
}

TEST(MptcpProbe, OfAFileThatSaysNonsenseKnowsNothing) {
  const TempFolder folder;
  folder.write("protocols", std::string(600 * 1024, 'x'));
  EXPECT_EQ(probe_in(folder, kNew).look(), MptcpPresence::kUnknown);
  folder.write("protocols", "MPTCP");
  EXPECT_EQ(probe_in(folder, kNew).look(), MptcpPresence::kUnknown);
}

TEST(MptcpProbe, WhatCannotBeReadIsNotKnown) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.file("protocols"));  // read(2): EISDIR
  EXPECT_EQ(probe_in(folder, kNew).look(), MptcpPresence::kUnknown);
}

TEST(MptcpProbe, OfThisKernelKnowsSomething) {
  Result<MptcpProbe> probe = MptcpProbe::open();
  ASSERT_TRUE(probe) << probe.error().text();
  EXPECT_NE(probe->look(), MptcpPresence::kUnknown);
}

}  // namespace
}  // namespace tcpmibd::kernel
