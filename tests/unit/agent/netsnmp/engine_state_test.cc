#include "agent/netsnmp/engine_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace tcpmibd::agent {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class EngineStateFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "engine-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What one start of an agent sees. It ends at once, and with it its hold on the folder.
  std::string id_after_start() { return EngineState::raise(folder_).value().id(); }
  std::uint32_t boots_after_start() { return EngineState::raise(folder_).value().boots(); }

  std::string file() const { return folder_ + "/engine"; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(file()).rdbuf();
    return out.str();
  }
  void write(const std::string& text) const { std::ofstream(file()) << text; }

  std::string folder_;
};

TEST_F(EngineStateFile, ANewEngineHasARandomIdOfOurFormatAndOneBoot) {
  const EngineState state = EngineState::raise(folder_).value();
  EXPECT_THAT(state.id(), StartsWith("80001f8880"));
  EXPECT_EQ(state.id().size(), 2U * 13);
  EXPECT_EQ(state.boots(), 1U);
}

TEST_F(EngineStateFile, EveryStartKeepsTheIdAndRaisesTheBoots) {
  const std::string id = id_after_start();
  EXPECT_EQ(boots_after_start(), 2U);
  EXPECT_EQ(id_after_start(), id);
  EXPECT_EQ(boots_after_start(), 4U);
}

TEST_F(EngineStateFile, TheBootsOfThisRunAreOnDiskWhenItBegins) {
  const EngineState state = EngineState::raise(folder_).value();
  EXPECT_THAT(text(), HasSubstr("id " + state.id() + "\nboots 1\n"));
}

TEST_F(EngineStateFile, OnlyItsOwnerMayReadOrWriteIt) {
  id_after_start();
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(EngineStateFile, TheFolderIsMadeWithThoseAboveIt) {
  folder_ += "/a/b";
  EXPECT_EQ(boots_after_start(), 1U);
  EXPECT_EQ(boots_after_start(), 2U);
}

TEST_F(EngineStateFile, TwoAgentsCannotShareIt) {
  const EngineState first = EngineState::raise(folder_).value();
  const Result<EngineState> second = EngineState::raise(folder_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("another agent uses it"));
}

TEST_F(EngineStateFile, AFolderThatCannotBeMadeIsAnErrorWithItsCauseAndCure) {
  const Result<EngineState> state = EngineState::raise("/dev/null/state");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, ENOTDIR);
  EXPECT_THAT(state.error().text(), HasSubstr("standalone.state"));
}

// An old id with a lower count would let old messages pass for new ones.
class DamagedEngineState : public EngineStateFile,
                           public testing::WithParamInterface<const char*> {};

TEST_P(DamagedEngineState, GivesANewIdentity) {
  const std::string id = id_after_start();
  std::string damaged = GetParam();
  if (const std::size_t at = damaged.find("ID"); at != std::string::npos)
    damaged.replace(at, 2, id);
  write(damaged);
  const EngineState state = EngineState::raise(folder_).value();
  EXPECT_NE(state.id(), id);
  EXPECT_EQ(state.boots(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    AsItMayBeFound, DamagedEngineState,
    testing::Values("", "#\n", "# x\nid ID\n", "# x\nid ID\nboots \n", "# x\nid ID\nboots 0\n",
                    "# x\nid ID\nboots -1\n", "# x\nid ID\nboots 7", "# x\nid ID\nboots 7x\n",
                    "# x\nid ID\nboots 99999999999\n", "# x\nboots 7\n", "# x\nid 80\nboots 7\n",
                    "# x\nid IDx\nboots 7\n", "# x\nid ID\nboots 7\nmore\n",
                    "# x\nid ID\nboots 2147483646\n", "# x\nid ID\nboots 2147483647\n"));

// What cannot be ours is left as it is: it may be there for a reason.
class ForeignEngineState : public EngineStateFile {
 protected:
  std::string error() const {
    const Result<EngineState> state = EngineState::raise(folder_);
    return state ? "no error" : state.error().text();
  }
};

TEST_F(ForeignEngineState, AFifoIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_EQ(error(), "cannot read " + file() +
                         ": it is a FIFO (make it readable, or remove it for a new identity)");
}

TEST_F(ForeignEngineState, AFolderALinkAndADeviceAreRefused) {
  std::filesystem::create_directory(file());
  EXPECT_THAT(error(), HasSubstr("cannot read " + file() + ": Is a directory"));
  std::filesystem::remove(file());
  std::filesystem::create_symlink(folder_ + "/nothing", file());
  EXPECT_THAT(error(), HasSubstr("a link that leads nowhere"));
  std::filesystem::remove(file());
  std::filesystem::create_symlink("/dev/zero", file());
  EXPECT_THAT(error(), HasSubstr("it is a device"));
}

TEST_F(ForeignEngineState, WhatIsHugeOrNoTextIsRefused) {
  write(std::string(5000, '#'));
  EXPECT_THAT(error(), HasSubstr("File too large"));
  write(std::string(100, '\0'));
  EXPECT_THAT(error(), HasSubstr(file() + ":1: a NUL octet"));
}

TEST_F(ForeignEngineState, WhatLiesInTheWayOfANewOneIsNotWrittenTo) {
  ASSERT_EQ(::mkfifo((folder_ + "/engine.new").c_str(), 0600), 0);
  EXPECT_EQ(boots_after_start(), 1U);
  std::filesystem::create_symlink(folder_ + "/other", folder_ + "/engine.new");
  EXPECT_EQ(boots_after_start(), 2U);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/other"));
}

class EngineStateFolder : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("STATE_DIRECTORY"); }
  void TearDown() override { ::unsetenv("STATE_DIRECTORY"); }
};

TEST_F(EngineStateFolder, TheConfiguredOneComesFirst) {
  ::setenv("STATE_DIRECTORY", "/from/systemd", 1);
  EXPECT_EQ(engine_state_folder("/configured"), "/configured");
}

TEST_F(EngineStateFolder, ThenTheFirstOneOfSystemd) {
  ::setenv("STATE_DIRECTORY", "/from/systemd:/another", 1);
  EXPECT_EQ(engine_state_folder(""), "/from/systemd");
}

TEST_F(EngineStateFolder, ThenTheSystemsOrTheUsers) {
  ::setenv("XDG_STATE_HOME", "/home/somebody/state", 1);
  EXPECT_THAT(engine_state_folder(""),
              testing::AnyOf("/var/lib/tcpmibd", "/home/somebody/state/tcpmibd"));
  ::unsetenv("XDG_STATE_HOME");
}

}  // namespace
}  // namespace tcpmibd::agent
