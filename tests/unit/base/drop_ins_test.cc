#include "base/drop_ins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace tcpmibd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DropIns : public testing::Test {
 protected:
  Result<std::vector<std::string>> found(std::size_t most = 10) const {
    return drop_in_files(folder_.path(), ".conf", most);
  }

  lab::TempFolder folder_;
};

TEST_F(DropIns, AreFoundByTheirEndingInTheOrderOfTheirNames) {
  const std::string second = folder_.write("b.conf", "");
  const std::string first = folder_.write("a.conf", "");
  folder_.write("c.conf.bak", "");
  folder_.write("README", "");
  EXPECT_THAT(found().value(), ElementsAre(first, second));
}

TEST_F(DropIns, ThatAreHiddenAreLeftOut) {
  folder_.write(".a.conf", "");
  folder_.write(".conf", "");
  EXPECT_THAT(found().value(), IsEmpty());
}

TEST_F(DropIns, AreNoneWhereThereIsNoFolder) {
  EXPECT_THAT(drop_in_files(std::string(folder_.path()) + "/none", ".conf", 10).value(), IsEmpty());
}

TEST_F(DropIns, ThatAreTooManyAreAnError) {
  folder_.write("a.conf", "");
  folder_.write("b.conf", "");
  EXPECT_TRUE(found(2));
  EXPECT_THAT(found(1).error().text(), HasSubstr("more than 1 files *.conf"));
  EXPECT_EQ(found(1).error().cure, "") << "what to do about it, only who owns the folder knows";
}

TEST_F(DropIns, OfWhatIsNoFolderAreAnError) {
  EXPECT_FALSE(drop_in_files(folder_.write("file", ""), ".conf", 10));
}

}  // namespace
}  // namespace tcpmibd
