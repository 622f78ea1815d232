#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcpmibd {
namespace {

struct TextCase {
  int code;
  const char* cure;
  const char* place;
  const char* want;
};

constexpr TextCase kTextCases[] = {
    {0, "", "", "cannot open a file"},
    {EACCES, "", "", "cannot open a file: Permission denied"},
    {0, "run as root", "", "cannot open a file (run as root)"},
    {EACCES, "run as root", "", "cannot open a file: Permission denied (run as root)"},
};

TEST(Error, SaysWhatWasTriedWhyItFailedAndWhatHelps) {
  for (const TextCase& c : kTextCases) {
    Error error;
    error.doing = "open a file";
    error.code = c.code;
    error.cure = c.cure;
    error.place = c.place;
    EXPECT_EQ(error.text(), c.want);
  }
}

TEST(Mistake, SaysWhereAndWhat) {
  const Result<int> result = mistake("tcpmibd.toml:7", "unknown key 'colour'");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "tcpmibd.toml:7: unknown key 'colour'");
}

TEST(Failure, IsAResultWithoutItsValue) {
  const Result<int> result = failure("count", ENOMEM, "buy memory");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().doing, "count");
  EXPECT_EQ(result.error().code, ENOMEM);
  EXPECT_EQ(result.error().cure, "buy memory");
}

TEST(Failure, IsAStatusThatIsNotDone) {
  const Status done;
  const Status failed = failure("write");
  EXPECT_TRUE(done);
  EXPECT_FALSE(failed);
}

TEST(Error, WhatItQuotesSteersNoTerminal) {
  EXPECT_EQ(mistake("a\x1b.toml:1", "unknown key 'x\nerror: y'").value().text(),
            "a\\x1b.toml:1: unknown key 'x\\x0aerror: y'");
  EXPECT_EQ(failure("read \x9b", 0, "rm \x07").value().text(), "cannot read \\x9b (rm \\x07)");
}

}  // namespace
}  // namespace tcpmibd
