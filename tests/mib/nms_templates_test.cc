#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "mib/own_mib.h"
#include "support/nms.h"
#include "support/process.h"
#include "support/programs.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

// The files of docs/nms are made from templates, in which objects have their names, or by other
// people's generators. So a new arc is written in one place.

namespace tcpmibd::lab {
namespace {

using testing::Each;
using testing::IsSubsetOf;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

bool is_to_be_written() {
  const char* wish = std::getenv("TCPMIBD_REGENERATE");
  return wish != nullptr && *wish == '1';
}

constexpr const char* kHint = "TCPMIBD_REGENERATE=1 makes this test write it anew";

// --------------------------------------------------------------------------------- from templates

std::filesystem::path template_folder() { return nms_folder() / "templates"; }

std::vector<std::filesystem::path> templates() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(template_folder())) {
    if (entry.path().extension() == ".in")
      files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// templates/nagios/commands.cfg.in makes nagios/commands.cfg.
std::filesystem::path made_from(const std::filesystem::path& file) {
  return nms_folder() / file.lexically_relative(template_folder()).replace_extension();
}

// The first line of debian/changelog: "tcpmibd (0.1.0-1) ...".
std::string upstream_version() {
  const std::string text = text_of(nms_folder() / ".." / ".." / "debian" / "changelog");
  std::smatch version;
  if (!std::regex_search(text, version, std::regex("^tcpmibd \\(([0-9.]+)")))
    throw Trouble("debian/changelog begins with no version");
  return version[1];
}

// `text` with the number of an object for each @name@, and our version for @version@; throws for a
// name that is none of ours.
std::string with_numbers(const std::string& text) {
  const Numbers numbers(definitions_of(own_tokens()), "tcpmibdMIB", arc_text());
  const std::regex name("@([a-z][A-Za-z0-9]*)@");
  std::string made;
  auto rest = text.cbegin();
  for (std::sregex_iterator at(text.begin(), text.end(), name); at != std::sregex_iterator();
       ++at) {
    made.append(rest, (*at)[0].first);
    made += (*at)[1] == "version" ? upstream_version() : numbers.of((*at)[1]);
    rest = (*at)[0].second;
  }
  return made.append(rest, text.cend());
}

// What the exporter's generator has made of generator.yml: one module.
std::filesystem::path module_file() { return template_folder() / "prometheus" / "module.yml"; }

// What stands below the module's name there, each line after `indentation`.
std::string module_lines(const std::string& indentation) {
  constexpr std::string_view kName = "\ntcpmibd:\n";
  const std::string text = text_of(module_file());
  std::istringstream lines(text.substr(text.find(kName) + kName.size()));
  std::string indented;
  for (std::string line; std::getline(lines, line);)
    indented += indentation + line + "\n";
  return indented;
}

// What a template makes: names are numbers, and in place of a line that says @module@ is the
// module.
std::string made_of(const std::string& text) {
  std::smatch line;
  if (!std::regex_search(text, line, std::regex("\n( *)@module@\n")))
    return with_numbers(text);
  return with_numbers(line.prefix().str()) + "\n" + module_lines(line[1].str()) +
         with_numbers(line.suffix().str());
}

class NmsTemplates : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(NmsTemplates, IsTheFileBesideThem) {
  const std::string wanted = made_of(text_of(GetParam()));
  if (is_to_be_written())
    std::ofstream(made_from(GetParam())) << wanted;
  EXPECT_EQ(text_of(made_from(GetParam())), wanted) << kHint;
}

INSTANTIATE_TEST_SUITE_P(Docs, NmsTemplates, testing::ValuesIn(templates()), [](const auto& test) {
  std::string name = test.param.lexically_relative(template_folder()).string();
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(NmsFiles, NobodyWritesTheNumberOfAnObjectIntoATemplate) {
  for (const auto& file : templates())
    EXPECT_THAT(own_oids_in(text_of(file)), SizeIs(0)) << file;
}

// ------------------------------------------------------------- by the generator of snmp_exporter

TEST(ExporterModule, ReadsWhatTheMibDefines) {
  std::vector<std::string> objects;
  for (const MibObject& object : own_objects())
    objects.push_back("- name: " + object.name + "\n    oid: " + object.number);
  const std::string text = text_of(module_file());
  std::vector<std::string> metrics;
  for (std::size_t at = text.find("- name: "); at != text.npos; at = text.find("- name: ", at + 1))
    metrics.push_back(text.substr(at, text.find('\n', text.find("oid: ", at)) - at));
  EXPECT_THAT(metrics, Not(SizeIs(0)));
  EXPECT_THAT(metrics, IsSubsetOf(objects)) << kHint;
}

// What the generator makes of generator.yml, which it takes from the folder it is started in.
std::string generated_by_exporter(const std::filesystem::path& ietf) {
  const TempFolder folder;
  folder.write("generator.yml", text_of(nms_folder() / "prometheus" / "generator.yml"));
  const Output output =
      run({"sh", "-c", "cd \"$1\" && exec prometheus-snmp-generator generate", "sh",
           folder.path().string()},
          {.environment = {{"MIBDIRS", ietf.string() + ":" + own_mib_folder().string()},
                           {"SNMPCONFPATH", folder.path().string()}}});
  EXPECT_EQ(output.status, 0) << output.err;
  return text_of(folder.file("snmp.yml"));
}

TEST(ExporterModule, IsWhatTheGeneratorMakes) {
  if (!is_installed("prometheus-snmp-generator"))
    GTEST_SKIP() << "no prometheus-snmp-generator (package prometheus-snmp-exporter)";
  const auto ietf = ietf_folder();
  if (!ietf)
    GTEST_SKIP() << kNoIetfFolder;
  const std::string wanted = generated_by_exporter(*ietf);
  if (wanted.find("\nmodules:") != wanted.npos)
    GTEST_SKIP() << "this generator is 0.23 or later, whose files look otherwise";
  if (is_to_be_written())
    std::ofstream(module_file()) << wanted;
  EXPECT_EQ(text_of(module_file()), wanted) << kHint;
}

// -------------------------------------------------------------------------- and the pages for
// people

TEST(Pages, NameOurObjectsBelowTheArc) {
  const std::string playpen = arc_text().substr(0, arc_text().rfind('.') + 1);
  std::vector<std::filesystem::path> pages{nms_folder() / ".." / ".." / "README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(nms_folder() / "..")) {
    if (entry.path().extension() == ".md")
      pages.push_back(entry.path());
  }
  for (const auto& page : pages) {
    const std::string text = text_of(page);
    for (std::size_t at = text.find(playpen); at != text.npos; at = text.find(playpen, at + 1))
      EXPECT_THAT(text.substr(at, 80), StartsWith(arc_text())) << page;
  }
}

}  // namespace
}  // namespace tcpmibd::lab
