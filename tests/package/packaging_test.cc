#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "package/package_test.h"

namespace tcpmibd::lab {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// The source package as tools/package makes it: its .dsc, with the tarballs beside it.
struct SourcePackage {
  TempFolder folder;
  std::string dsc = pack(folder, {"--source"});

  // Unpacked, as whoever builds it does.
  std::string unpack() const {
    const std::string tree = folder.file("tree");
    const Output unpacked = run({"dpkg-source", "--no-check", "--extract", dsc, tree});
    if (unpacked.status != 0)
      throw Trouble("dpkg-source: " + unpacked.err);
    return tree;
  }
};

const SourcePackage& source_package() {
  static const SourcePackage package;
  return package;
}

// Every remark that it shows is a failure, down to the pedantic ones.
Output lintian(const std::string& package) {
  return run(
      {"lintian", "--allow-root", "--pedantic", "--fail-on", "error,warning,pedantic", package}, {},
      std::chrono::minutes(3));
}

// The words that `script` prints, a line each.
std::set<std::string> lines_of(const std::string& script) {
  const Output output = run({"bash", "-c", "cd '" + kTree + "' && " + script});
  std::set<std::string> lines;
  std::istringstream text(output.out);
  for (std::string line; std::getline(text, line);)
    lines.insert(line);
  return lines;
}

TEST(Package, LintianFindsNothing) {
  const Output output = lintian(packages().first);
  EXPECT_EQ(output.status, 0) << output.out << output.err;
}

TEST(SourcePackage, LintianFindsNothing) {
  const Output output = lintian(source_package().dsc);
  EXPECT_EQ(output.status, 0) << output.out << output.err;
}

TEST(SourcePackage, IsReadyToBeBuiltByItself) {
  const std::string tree = source_package().unpack();
  const Output output = run({"bash", "-c",
                             "cd '" + tree +
                                 "' && DEB_BUILD_OPTIONS=nocheck debian/rules "
                                 "override_dh_auto_configure"},
                            {}, std::chrono::minutes(2));
  ASSERT_EQ(output.status, 0) << output.out << output.err;
  const std::string cache = read_file(tree + "/build/debian/CMakeCache.txt");
  EXPECT_THAT(cache, HasSubstr("\nBUILD_TESTING:BOOL=OFF\n"));
  EXPECT_THAT(cache, HasSubstr("-ffile-prefix-map="));
  EXPECT_THAT(source_package().dsc,
              EndsWith("_" + *lines_of("dpkg-parsechangelog -S Version").begin() + ".dsc"));
}

// Each library that is linked, in both lists; those of the tests alone are marked in
// debian/control.
TEST(SourcePackage, DependsOnWhatTheTreeIsBuiltWith) {
  const std::set<std::string> wanted =
      lines_of("sed -n '/^# To build/,/^$/p' tools/dependencies | grep -- '-dev$'");
  EXPECT_FALSE(wanted.empty());
  EXPECT_EQ(lines_of("sed -n '/^Build-Depends:/,/^$/p' debian/control | grep -v nocheck | "
                     "grep -o '^ [^ ,]*-dev' | tr -d ' '"),
            wanted);
}

TEST(Package, IsTheSameWheneverItIsMadeOfOneBuild) {
  const TempFolder folder;
  const Output made =
      run({"bash", "-c", R"(umask 027 && TZ=Pacific/Kiritimati exec "$@")", "bash",
           kTree + "/tools/package", "--output", folder.file("elsewhere"), "--built",
           Packages::built_folder(), "--revision", "1"},
          {.environment = {{"DEB_BUILD_OPTIONS", "noautodbgsym"}}}, std::chrono::minutes(5));
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(read_file(made.out.substr(0, made.out.find('\n'))), read_file(packages().first));
}

// debian/tests/smoke, as autopkgtest runs it.
TEST_F(InstalledTest, TheDistributionsOwnTestPasses) {
  machine().bring(kTree + "/debian/tests/smoke");
  const Output output = machine().run("./smoke");
  EXPECT_EQ(output.status, 0) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("\nstandalone: a listener, a connection"));
}

}  // namespace
}  // namespace tcpmibd::lab
