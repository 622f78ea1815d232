#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "support/markdown.h"
#include "support/temp_folder.h"

// The pages of the tree lead somewhere.

namespace tcpmibd::lab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const fs::path kTreeOfPages = TCPMIBD_SOURCE_DIR;

std::vector<fs::path> pages_of_tree() {
  std::vector<fs::path> pages{kTreeOfPages / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(kTreeOfPages / "docs")) {
    if (entry.path().extension() == ".md")
      pages.push_back(entry.path());
  }
  return pages;
}

bool leads_somewhere(const fs::path& page, const std::string& link) {
  const std::string file = link.substr(0, link.find('#'));
  const fs::path target = file.empty() ? page : page.parent_path() / file;
  if (!fs::exists(target))
    return false;
  return link.find('#') == link.npos ||
         anchors_in(read_file(target)).contains(link.substr(link.find('#') + 1));
}

TEST(Links, OfEveryPageLeadToAFileAndAHeading) {
  std::vector<std::string> broken;
  std::size_t followed = 0;
  for (const fs::path& page : pages_of_tree()) {
    for (const std::string& link : links_in(read_file(page))) {
      ++followed;
      if (!leads_somewhere(page, link))
        broken.push_back(page.filename().string() + ": " + link);
    }
  }
  EXPECT_THAT(broken, IsEmpty());
  EXPECT_GT(followed, 100U);
}

// Not links: the pages are installed without the sources.
TEST(SourcesNamed, ByTheTourAndTheTestsToCopyAreThere) {
  const std::regex kSource("`((agent|src|tests)/[a-z_/]+\\.cc)`");
  std::size_t named = 0;
  for (const char* page : {"docs/architecture.md", "docs/testing.md"}) {
    const std::string text = read_file(kTreeOfPages / page);
    for (std::sregex_iterator each(text.begin(), text.end(), kSource), end; each != end; ++each) {
      ++named;
      EXPECT_TRUE(fs::exists(kTreeOfPages / each->str(1))) << page << ": " << each->str(1);
    }
  }
  EXPECT_GT(named, 14U);
}

TEST(Links, AreToldFromWhatABlockShows) {
  EXPECT_THAT(links_in("[a](b.md#c) and [d](https://e)\n```\n[f](g)\n```\n![h](i.svg)\n"),
              ElementsAre("b.md#c", "i.svg"));
}

TEST(Links, NameHeadingsInSmallLettersWithoutSigns) {
  EXPECT_THAT(anchors_in("# A\n```sh\n# no heading\n```\n### Debian's `x_y`, once more\n"),
              ElementsAre("a", "debians-x_y-once-more"));
}

TEST(Commands, AreBlocksOfShAndLinesAfterADollar) {
  const std::vector<PageCommand> commands = commands_in(
      "```sh\na\nb\n```\ntext\n```\n$ c\nd\n\ne\n$ f\n```\n```toml\nx = 1\ny = 2\n```\n");
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[0].script, "a\nb\n");
  EXPECT_EQ(commands[0].shown, "");
  EXPECT_EQ(commands[1].script, "c\n");
  EXPECT_EQ(commands[1].shown, "d\n\ne\n");
  EXPECT_EQ(commands[2].script, "f\n");
}

}  // namespace
}  // namespace tcpmibd::lab
