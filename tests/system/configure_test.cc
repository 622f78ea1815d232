#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The step with which tools/demo, tools/package and a newcomer begin, on machines that have some of
// Debian's packages and not others.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;

// Takes the files of $2, packages or patterns below /usr, from the command that follows, and from
// nobody else: it has a layer over /usr, in the folder $1.
constexpr const char* kHide = R"(
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$1/upper,workdir=$1/work" /usr
for hidden in $2; do
  case $hidden in
    /*) rm -rf $hidden ;;
    *) dpkg --listfiles "$hidden" | while read -r file; do [ -d "$file" ] || rm -f "$file"; done ;;
  esac
done
shift 2
exec "$@"
)";

Output run_without(const std::string& hidden, const std::vector<std::string>& command) {
  const TempFolder layer;
  std::vector<std::string> words{"unshare", "--mount", "bash", "-c", kHide, "hide"};
  words.push_back(layer.path().string());
  words.push_back(hidden);
  words.insert(words.end(), command.begin(), command.end());
  return run(words);
}

// As tools/demo does it, but into a folder of the test's.
std::vector<std::string> configure_into(const TempFolder& folder) {
  return {"cmake", "--preset", "release", "-S", TCPMIBD_SOURCE_DIR, "-B", folder.path().string()};
}

bool has_target(const TempFolder& folder, const std::string& target) {
  return read_file(folder.file("build.ninja")).find("\nbuild " + target + ": ") !=
         std::string::npos;
}

// What a machine lacks, and how that is said.
struct Lack {
  const char* name;
  const char* hidden;
  const char* said;
};

std::ostream& operator<<(std::ostream& stream, const Lack& lack) { return stream << lack.name; }

std::string name_of(const testing::TestParamInfo<Lack>& info) { return info.param.name; }

class ConfigureTest : public SystemTest, public testing::WithParamInterface<Lack> {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const Output layered = run_without("", {"true"}); layered.status != 0)
      GTEST_SKIP() << "nothing can be hidden here: " << layered.err;
  }

  const TempFolder folder_;
};

// ---- What only some tests need, and what the program can do without ----

constexpr const char* kNoGoogleMock =
    "Left out: unit_tests, kernel_tests, system_tests, fault_tests, soak_tests, package_tests. "
    "They need (Debian's names): libgmock-dev\n";

constexpr Lack kOptionalPackages[] = {
    {"GoogleTest", "libgtest-dev libgmock-dev", kNoGoogleMock},
    {"GoogleMock", "libgmock-dev", kNoGoogleMock},
    {"YamlCpp", "libyaml-cpp-dev",
     "Left out: unit_tests. They need (Debian's names): libyaml-cpp-dev\n"},
    {"Benchmark", "libbenchmark-dev",
     "Left out: tcpmibd_micro. They need (Debian's names): libbenchmark-dev\n"},
    {"Libbpf", "libbpf-dev", "With the BPF look-up of processes: OFF\n"},
    {"Clang", "/usr/bin/clang*", "With the BPF look-up of processes: OFF\n"},
    {"Ccache", "/usr/bin/ccache", "Build files have been written to: "},
};

class Without : public ConfigureTest {};

TEST_P(Without, TheProgramCanBeBuilt) {
  const Output configured = run_without(GetParam().hidden, configure_into(folder_));
  EXPECT_EQ(configured.status, 0) << configured.err;
  EXPECT_THAT(configured.out, HasSubstr(GetParam().said));
  EXPECT_TRUE(has_target(folder_, "tcpmibd"));
}

INSTANTIATE_TEST_SUITE_P(Configure, Without, testing::ValuesIn(kOptionalPackages), name_of);

using ConfigureAllTests = ConfigureTest;

TEST_F(ConfigureAllTests, StopsWhereOneHasToBeLeftOut) {
  std::vector<std::string> command = configure_into(folder_);
  command.push_back("-DTCPMIBD_TESTS=ON");
  const Output configured = run_without("libyaml-cpp-dev libbenchmark-dev", command);
  EXPECT_EQ(configured.status, 1);
  EXPECT_THAT(configured.err,
              HasSubstr("Left out: tcpmibd_micro, unit_tests. They need (Debian's names): "
                        "libyaml-cpp-dev libbenchmark-dev\n"));
}

// ---- What the program needs ----

constexpr Lack kNeededPackages[] = {
    {"PkgConfig", "/usr/bin/pkgconf /usr/bin/*pkg-config",
     "pkg-config libsnmp-dev libcap-dev libnl-3-dev libsystemd-dev\n"},
    {"Expected", "libexpected-dev", "libexpected-dev\n"},
    {"BoostLog", "/usr/lib/*/cmake/boost_log-*", "libboost-log-dev\n"},
    {"Cli11AndTomlPlusPlus", "libcli11-dev libtomlplusplus-dev",
     "libcli11-dev libtomlplusplus-dev\n"},
    {"NlohmannJson", "nlohmann-json3-dev", "nlohmann-json3-dev\n"},
    {"NetSnmp", "libsnmp-dev", "libsnmp-dev\n"},
    {"LibcapLibnlAndLibsystemd", "libcap-dev libnl-3-dev libsystemd-dev",
     "libcap-dev libnl-3-dev libsystemd-dev\n"},
    {"Libunistring", "libunistring-dev", "libunistring-dev\n"},
};

class WithoutNeeded : public ConfigureTest {};

TEST_P(WithoutNeeded, OneLineNamesThePackages) {
  const Output configured = run_without(GetParam().hidden, configure_into(folder_));
  EXPECT_EQ(configured.status, 1);
  EXPECT_THAT(
      configured.err,
      HasSubstr(std::string("To build tcpmibd, install (Debian's names): ") + GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(Configure, WithoutNeeded, testing::ValuesIn(kNeededPackages), name_of);

}  // namespace
}  // namespace tcpmibd::lab
