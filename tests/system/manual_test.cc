#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/programs.h"
#include "support/trouble.h"

// The manual pages and the completion, by the programs that read them.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
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

// What zsh is told to offer where the cursor stands in the last of `words`; before it filters. The
// builtins of completion work in an editor only, so that here they print.
std::vector<std::string> offered_by_zsh(std::vector<std::string> words) {
  words.insert(words.begin(),
               {"zsh", "-fc",
                "compset() { : }; _files() { print files }; "
                "compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- $@ }; "
                "words=(tcpmibd \"$@\"); CURRENT=$#words; PREFIX=$words[-1]; source $0",
                in_docs("completion/_tcpmibd")});
  const Output output = run(words);
  EXPECT_THAT(output.err, IsEmpty());
  return lines_of(output.out);
}

TEST(Completion, OfZshOffersWhatFitsTheCommand) {
  if (!is_installed("zsh"))
    GTEST_SKIP() << "no zsh";
  EXPECT_THAT(offered_by_zsh({""}), AllOf(Contains("doctor"), Contains("--standalone")));
  EXPECT_THAT(offered_by_zsh({"show", ""}), AllOf(Contains("listeners"), Contains("--jsonl"),
                                                  Contains("--config"), Not(Contains("doctor"))));
  EXPECT_THAT(offered_by_zsh({"--config", "show", "explain", ""}), Contains("timeWait"));
  EXPECT_THAT(offered_by_zsh({"show", "--state", ""}), Contains("closeWait"));
  EXPECT_THAT(offered_by_zsh({"show", "--state=listen,"}), Contains("closeWait"));
  EXPECT_THAT(offered_by_zsh({"--set", ""}), Contains("snapshot.max-age"));
  EXPECT_THAT(offered_by_zsh({"--access", ""}), ElementsAre("files"));
  EXPECT_THAT(offered_by_zsh({"--agentx", ""}), IsEmpty());
}

// What fish offers behind `line`, without what it means.
std::vector<std::string> offered_by_fish(const std::string& line) {
  const Output output = run({"fish", "--no-config", "-c",
                             "source $argv[1]; complete -C $argv[2] | string replace -r '\\t.*' ''",
                             in_docs("completion/tcpmibd.fish"), line});
  EXPECT_THAT(output.err, IsEmpty());
  return lines_of(output.out);
}

TEST(Completion, OfFishOffersWhatFitsTheCommand) {
  if (!is_installed("fish"))
    GTEST_SKIP() << "no fish";
  EXPECT_THAT(offered_by_fish("tcpmibd d"), ElementsAre("doctor"));
  EXPECT_THAT(offered_by_fish("tcpmibd --stan"), ElementsAre("--standalone"));
  EXPECT_THAT(offered_by_fish("tcpmibd show "), AllOf(Contains("listeners"), Not(Contains("run"))));
  EXPECT_THAT(offered_by_fish("tcpmibd show --js"), UnorderedElementsAre("--json", "--jsonl"));
  EXPECT_THAT(offered_by_fish("tcpmibd show --stan"), IsEmpty());
  EXPECT_THAT(offered_by_fish("tcpmibd show --state time"), ElementsAre("timeWait"));
  EXPECT_THAT(offered_by_fish("tcpmibd explain closeW"), ElementsAre("closeWait"));
  EXPECT_THAT(offered_by_fish("tcpmibd --set snap"), ElementsAre("snapshot.max-age"));
}

}  // namespace
}  // namespace tcpmibd::lab
