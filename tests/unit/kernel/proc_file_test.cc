#include "kernel/proc_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace tcpmibd::kernel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EachLine : public testing::Test {
 protected:
  std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    EXPECT_TRUE(each_line(folder_.write("file", text),
                          [&](std::string_view line) { lines.emplace_back(line); }));
    return lines;
  }

 private:
  lab::TempFolder folder_;
};

TEST_F(EachLine, ComesWithoutItsEnd) {
  EXPECT_THAT(lines_of(""), IsEmpty());
  EXPECT_THAT(lines_of("a\n\nb\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\nb"), ElementsAre("a", "b"));
}

TEST_F(EachLine, IsWholeHoweverItWasRead) {
  const std::string longer(5000, 'x');  // than one read gives
  EXPECT_THAT(lines_of("a\n" + longer + "\n" + longer + "y\nb\n"),
              ElementsAre("a", longer, longer + "y", "b"));
}

TEST_F(EachLine, ThatIsTooLongIsLeftOutWhole) {
  const std::string endless(200'000, 'x');
  EXPECT_THAT(lines_of("a\n" + endless + "\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of("a\n" + endless), ElementsAre("a"));
}

TEST_F(EachLine, OfAFileThatIsNotThereIsAnError) {
  const Status status = each_line("/proc/self/nothing", [](std::string_view) {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ENOENT);
}

}  // namespace
}  // namespace tcpmibd::kernel
