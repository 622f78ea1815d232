#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/trouble.h"

// The manual pages and the completion, by the programs that read them.

namespace tcpmibd::lab {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::string in_docs(const std::string& file) {
  return std::string(TCPMIBD_SOURCE_DIR) + "/docs/" + file;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

TEST(ManualPages, AreCleanForMandoc) {
  for (const char* page : {"man/tcpmibd.8", "man/tcpmibd.toml.5"}) {
    Output output;
    try {
      output = run({"mandoc", "-Tlint", in_docs(page)});
    } catch (const Trouble& trouble) {
      GTEST_SKIP() << trouble.what();
    }
    for (const std::string& line : lines_of(output.out + output.err)) {
      // Whether other pages are installed is this host's affair.
      const bool of_this_host = line.find("referenced manual not found") != std::string::npos ||
                                line.find("outdated mandoc.db") != std::string::npos;
      EXPECT_TRUE(of_this_host) << line;
    }
  }
}

// What bash offers where the cursor stands behind the last of `words`.
std::vector<std::string> offered(const std::vector<std::string>& words) {
  std::vector<std::string> command{
      "bash", "-c",
      "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _tcpmibd; "
      "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"",
      in_docs("completion/tcpmibd.bash"), "tcpmibd"};
  command.insert(command.end(), words.begin(), words.end());
  const Output output = run(command);
  EXPECT_THAT(output.err, IsEmpty());
  return lines_of(output.out);
}

TEST(Completion, OffersCommandsAndOptions) {
  EXPECT_THAT(offered({"d"}), ElementsAre("doctor"));
  EXPECT_THAT(offered({"che"}), ElementsAre("check-config"));
  EXPECT_THAT(offered({"--sta"}), ElementsAre("--standalone"));
  EXPECT_THAT(offered({"show", "--st"}), ElementsAre("--state"));
  EXPECT_THAT(offered({"doctor", "--"}), Contains("--community"));
  EXPECT_THAT(offered({"check-config", "--"}), Not(Contains("--community")));
}

TEST(Completion, OffersWhatACommandTakes) {
  EXPECT_THAT(offered({"show", "li"}), ElementsAre("listeners"));
  EXPECT_THAT(offered({"explain", "close"}), UnorderedElementsAre("closed", "closeWait"));
  EXPECT_THAT(offered({"--config", "show", "explain", "time"}), ElementsAre("timeWait"));
}

TEST(Completion, OffersValues) {
  EXPECT_THAT(offered({"--set", "snap"}), ElementsAre("snapshot.max-age="));
  EXPECT_THAT(offered({"show", "--state", "=", "time"}), ElementsAre("timeWait"));
  EXPECT_THAT(offered({"show", "--state", "listen,time"}), ElementsAre("listen,timeWait"));
  EXPECT_THAT(offered({"--access", in_docs("configuration")}),
              ElementsAre(in_docs("configuration.md")));
  EXPECT_THAT(offered({"--agentx", ""}), IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::lab
