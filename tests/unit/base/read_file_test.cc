#include "base/read_file.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>

#include "support/temp_folder.h"

namespace tcpmibd {
namespace {

class ReadFile : public testing::Test {
 protected:
  lab::TempFolder folder_;
};

TEST_F(ReadFile, IsTheWholeFileHoweverManyReadsThatTakes) {
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 20'000})
    EXPECT_EQ(read_file(folder_.write("file", std::string(size, 'x'))).value_or("no").size(), size);
}

TEST_F(ReadFile, OfTheKernelIsWholeThoughItHasNoSize) {
  const std::string status = read_file("/proc/self/status").value_or("");
  EXPECT_TRUE(status.starts_with("Name:"));
  EXPECT_TRUE(status.ends_with('\n'));
}

TEST_F(ReadFile, ThatIsNotThereIsAnErrorWithItsName) {
  const Result<std::string> text = read_file("/proc/self/nothing");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ENOENT);
  EXPECT_EQ(text.error().doing, "open /proc/self/nothing");
}

TEST_F(ReadFile, ThatIsAFolderIsAnError) {
  EXPECT_EQ(read_file("/proc/self").error().code, EISDIR);
}

TEST_F(ReadFile, ThatIsOpenedIsReadFromItsBeginningEachTime) {
  const Result<FileDescriptor> file = open_to_read(folder_.write("file", "text"));
  ASSERT_TRUE(file);
  std::array<char, 2> begun{};
  EXPECT_EQ(read_next(file->get(), begun), 2);
  EXPECT_EQ(read_opened(file->get(), "file", 4), "text");
  EXPECT_EQ(read_opened(file->get(), "file", 4), "text");
}

TEST_F(ReadFile, ThatIsLargerThanAllowedIsAnError) {
  const Result<FileDescriptor> file = open_to_read(folder_.write("file", "text"));
  ASSERT_TRUE(file);
  EXPECT_EQ(read_opened(file->get(), "file", 3).error().code, EFBIG);
}

}  // namespace
}  // namespace tcpmibd
