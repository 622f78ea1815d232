#include "agent/serve/end_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/log.h"
#include "support/temp_folder.h"

namespace tcpmibd::agent {
namespace {

using lab::TempFolder;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(EndNumbers, BeginWithOneAndGoOnByOne) {
  const TempFolder folder;
  EndNumbers numbers(folder.path());
  EXPECT_EQ(numbers.next(), 1U);
  EXPECT_EQ(numbers.next(), 2U);
  EXPECT_EQ(lab::read_file(folder.file("ended")), "65536\n") << "the end of the block";
}

TEST(EndNumbers, GoOnBehindTheBlockAfterARestart) {
  const TempFolder folder;
  EXPECT_EQ(EndNumbers(folder.path()).next(), 1U);
  EndNumbers after(folder.path());
  EXPECT_EQ(after.next(), 65'537U);
  EXPECT_EQ(after.next(), 65'538U);
}

TEST(EndNumbers, OfAStartWithoutAnEndUseUpNothing) {
  const TempFolder folder;
  { const EndNumbers unused(folder.path()); }
  EXPECT_EQ(EndNumbers(folder.path()).next(), 1U);
}

TEST(EndNumbers, ReserveBlockByBlock) {
  const TempFolder folder;
  EndNumbers numbers(folder.path());
  for (std::uint32_t i = 1; i <= EndNumbers::kBlock; ++i)
    ASSERT_EQ(numbers.next(), i);
  EXPECT_EQ(lab::read_file(folder.file("ended")), "65536\n");
  EXPECT_EQ(numbers.next(), 65'537U);
  EXPECT_EQ(lab::read_file(folder.file("ended")), "131072\n");
}

TEST(EndNumbers, BeginAnewBehindTheLastOneAndNeverWithZero) {
  const TempFolder folder;
  folder.write("ended", "4294967294\n");
  {
    EndNumbers numbers(folder.path());
    EXPECT_EQ(numbers.next(), std::numeric_limits<std::uint32_t>::max());
    EXPECT_EQ(numbers.next(), 1U);
    std::uint32_t last = 0;
    for (std::uint32_t i = 2; i < EndNumbers::kBlock; ++i)
      last = numbers.next();
    EXPECT_EQ(std::to_string(last) + '\n', lab::read_file(folder.file("ended")));
  }
  EXPECT_EQ(EndNumbers(folder.path()).next(), 65'536U) << "none is given twice";
}

TEST(EndNumbers, OfAFileThatHoldsNoneBeginWithOne) {
  const TempFolder folder;
  folder.write("ended", "many\n");
  EXPECT_EQ(EndNumbers(folder.path()).next(), 1U);
}

TEST(EndNumbers, AreGivenWhereNothingCanBeWrittenAndTheLogSaysSoOnce) {
  const TempFolder folder;
  const std::string no_folder = folder.write("file", "");
  ASSERT_TRUE(log::start(log::Target::kStderr, log::Level::kWarning));
  testing::internal::CaptureStderr();
  EndNumbers numbers(no_folder);
  EXPECT_EQ(numbers.next(), 1U);
  log::finish(std::chrono::seconds(1));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("begin anew with the next start"));
  testing::internal::CaptureStderr();
  for (std::uint32_t i = 1; i <= EndNumbers::kBlock; ++i)
    numbers.next();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::agent
