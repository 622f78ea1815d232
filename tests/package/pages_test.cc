#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "package/package_test.h"
#include "support/markdown.h"
#include "support/mib_text.h"

// What README, docs/install.md and the first part of docs/access.md say to type, typed on a machine
// that has just been installed: in their order, as it stands, in one shell.

namespace tcpmibd::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

// What takes a network or a compiler has been done before a machine of a test boots, by who is
// named here. A block that begins so is left out.
constexpr std::string_view kDoneBefore[] = {
    "git clone",                           // the tree that is tested
    "sudo tools/package",                  // Packages
    "sudo tools/install-dependencies",     // tools/test, and then it builds by the same preset
    "sudo cmake --install build/release",  // InstallByHand installs from outside at this place
};

bool is_done_before(const PageCommand& command) {
  return std::ranges::any_of(
      kDoneBefore, [&](std::string_view begin) { return command.script.starts_with(begin); });
}

std::string part_of(const std::string& page, const std::string& from, const std::string& to) {
  const std::string text = read_file(kTree + "/" + page);
  const std::size_t begin = text.find("\n" + from + "\n");
  const std::size_t end = text.find("\n" + to + "\n");
  if (begin == text.npos || end == text.npos || end < begin)
    throw Trouble(page + " has no \"" + from + "\" before \"" + to + '"');
  return text.substr(begin, end - begin + 1);
}

std::vector<PageCommand> to_be_typed(const std::string& page) {
  std::vector<PageCommand> commands = commands_in(page);
  std::erase_if(commands, is_done_before);
  if (commands.empty())
    throw Trouble("nothing to be typed in: " + page);
  return commands;
}

// What separates the answers of one command from those of the next.
std::string mark(std::size_t number) { return "-- command " + std::to_string(number) + " --\n"; }

// The answer to each; a command that fails is the last one.
struct Answers {
  int status = 0;
  std::vector<std::string> texts{};
  std::string complaints{};
};

std::vector<std::string> split(const std::string& text, std::size_t count) {
  std::vector<std::string> parts;
  for (std::size_t number = 0; number < count; ++number) {
    const std::size_t begin = text.find(mark(number));
    if (begin == text.npos)
      break;
    const std::size_t end = text.find(mark(number + 1), begin);
    parts.push_back(text.substr(begin + mark(number).size(), end - begin - mark(number).size()));
  }
  return parts;
}

// Who reads a page takes longer than ten seconds for five restarts of snmpd, which is all that
// systemd allows; one more it refuses, and then tcpmibd's start waits for a master that never
// comes.
constexpr const char* kTakeTime = "systemctl reset-failed snmpd.service 2>/dev/null || true\n";

Answers type(const Machine& machine, const std::vector<PageCommand>& commands) {
  std::string script;
  for (std::size_t number = 0; number < commands.size(); ++number)
    script += kTakeTime + ("echo '" + mark(number).substr(0, mark(number).size() - 1)) + "'\n" +
              commands[number].script;
  const Output output = machine.run(script);
  return {output.status, split(output.out, commands.size()), output.err};
}

// Words and addresses. Numbers are other ones on each day; "..." is what the page leaves out.
bool is_key_word(const std::string& word) {
  return std::ranges::any_of(word, [](unsigned char c) { return std::isalpha(c) != 0; }) ||
         (std::ranges::count(word, '.') > 1 && word != "...");
}

std::set<std::string> key_words(const std::string& text) {
  std::set<std::string> found;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (is_key_word(word))
      found.insert(word);
  }
  return found;
}

std::vector<std::string> missing_words(const std::string& shown, const std::string& answer) {
  std::vector<std::string> missing;
  std::ranges::set_difference(key_words(shown), key_words(answer), std::back_inserter(missing));
  return missing;
}

void expect_answers(const std::vector<PageCommand>& commands, const Answers& answers) {
  ASSERT_FALSE(answers.texts.empty()) << answers.complaints;
  EXPECT_EQ(answers.status, 0) << "failed: " << commands[answers.texts.size() - 1].script
                               << answers.texts.back() << answers.complaints;
  for (std::size_t number = 0; number < answers.texts.size(); ++number)
    EXPECT_THAT(missing_words(commands[number].shown, answers.texts[number]), IsEmpty())
        << commands[number].script << answers.texts[number];
}

class PagesTest : public PackageTest {
 protected:
  // The modules that names take, where this host has them.
  bool bring_modules() const {
    const std::optional<fs::path> folder = ietf_folder();
    if (!folder)
      return false;
    for (const auto& entry : fs::directory_iterator(*folder))
      machine().write("/root/.snmp/mibs/" + entry.path().filename().string(),
                      read_file(entry.path()));
    return true;
  }

  void set_scene() const {
    machine().bring(kTree + "/tests/package/scene");
    machine().must("/root/scene");
  }

  // The two things that "End a connection" asks for, as deletion.md gives them.
  void allow_to_one_user() const {
    const std::string page =
        part_of("docs/deletion.md", "## Allow it to one user", "## Find it and end it");
    const std::size_t file = page.find("createUser closer ");
    machine().write("/etc/snmp/snmpd.conf.d/tcpmibd-delete.conf",
                    page.substr(file, page.find("```", file) - file));
    const std::vector<PageCommand> commands = to_be_typed(page);
    expect_answers(commands, type(machine(), commands));
  }

  bool holds_connection() const {
    return machine().holds("grep -q ' 0100000A:1F90 0900000A:C488 08 ' /proc/net/tcp");
  }
};

TEST_F(PagesTest, ReadmeCanBeFollowedWordForWord) {
  set_scene();
  std::vector<PageCommand> commands =
      to_be_typed(part_of("README.md", "## Install", "## End a connection"));
  if (!bring_modules()) {
    std::cout << "not by names: " << kNoIetfFolder << '\n';
    std::erase_if(commands, [](const PageCommand& command) {
      return command.script.find("-m TCPMIBD-MIB") != std::string::npos;
    });
  }
  expect_answers(commands, type(machine(), commands));

  ASSERT_TRUE(holds_connection());
  allow_to_one_user();
  commands = to_be_typed(part_of("README.md", "## End a connection", "## Command line"));
  expect_answers(commands, type(machine(), commands));
  EXPECT_FALSE(holds_connection());
}

// As `sudo cmake --install build/release` does on the machine that has built it.
void install_by_hand(const Machine& machine) {
  const std::string build = fs::path(TCPMIBD_BINARY).parent_path();
  const Output installed = run({"cmake", "--install", build, "--prefix", "/usr/local"},
                               {.environment = {{"DESTDIR", machine.outside("/")}}});
  if (installed.status != 0)
    throw Trouble("cmake --install: " + installed.out + installed.err);
  machine.write("/root/build/release/install_manifest.txt",
                read_file(build + "/install_manifest.txt"));
}

// The package, who may read, upgrade and removal, in the order in which they are done.
std::string life_of_a_package() {
  return part_of("docs/install.md", "## The package", "## Upgrade") +
         part_of("docs/access.md", "## Who may read", "## The AgentX socket") +
         part_of("docs/install.md", "## Upgrade", "## Building by hand");
}

TEST_F(PagesTest, TheInstallationPageCanBeFollowedWordForWord) {
  std::vector<PageCommand> commands = to_be_typed(life_of_a_package());
  expect_answers(commands, type(machine(), commands));
  EXPECT_EQ(machine().must("find / -xdev -path /proc -prune -o -name '*tcpmibd*' "
                           "! -path '/root/*' ! -path '/var/cache/*' -print"),
            "");

  install_by_hand(machine());
  commands = to_be_typed(part_of("docs/install.md", "## Building by hand", "## Under systemd"));
  expect_answers(commands, type(machine(), commands));
  EXPECT_EQ(machine().must("find /usr/local /etc /var/lib -name '*tcpmibd*' ! -type d"), "");
}

// ---- What the package brings ----

const fs::path& unpacked() {
  static const TempFolder folder;
  static const fs::path tree = [] {
    const Output output = run({"dpkg-deb", "--extract", packages().first, folder.path()});
    if (output.status != 0)
      throw Trouble("dpkg-deb: " + output.err);
    return folder.path();
  }();
  return tree;
}

TEST(Package, EveryPageFindsWhatItLinksTo) {
  std::vector<std::string> broken;
  std::size_t pages = 0;
  for (const auto& entry : fs::recursive_directory_iterator(unpacked() / "usr/share/doc/tcpmibd")) {
    if (entry.path().extension() != ".md")
      continue;
    ++pages;
    for (const std::string& link : links_in(read_file(entry.path()))) {
      const std::string file = link.substr(0, link.find('#'));
      if (!fs::exists(entry.path().parent_path() / file))
        broken.push_back(entry.path().filename().string() + ": " + link);
    }
  }
  EXPECT_THAT(broken, IsEmpty());
  EXPECT_GT(pages, 20U);
}

}  // namespace
}  // namespace tcpmibd::lab
