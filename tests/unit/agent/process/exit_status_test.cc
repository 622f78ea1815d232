#include "agent/process/exit_status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcpmibd::agent {
namespace {

TEST(StatusOfMistake, IsTwoForWhatStaysWrongHoweverOftenItIsStarted) {
  for (const int code : {0, EINVAL, ENOENT, EACCES, EFBIG})
    EXPECT_EQ(status_of_mistake(failure("read a file", code).value()), ExitStatus::kUsage) << code;
}

TEST(StatusOfMistake, IsOneForWhatMayBeOverAtTheNextStart) {
  for (const int code : {EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EIO})
    EXPECT_EQ(status_of_mistake(failure("read a file", code).value()), ExitStatus::kFailed) << code;
}

}  // namespace
}  // namespace tcpmibd::agent
