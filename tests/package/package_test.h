#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "package/machine.h"
#include "support/process.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

namespace tcpmibd::lab {

inline const std::string kTree = TCPMIBD_SOURCE_DIR;

// What tools/package makes in `folder`: the file that it names.
inline std::string pack(const TempFolder& folder, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{kTree + "/tools/package", "--output", folder.path().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Output made =
      run(words, {.environment = {{"DEB_BUILD_OPTIONS", "noautodbgsym"}}}, std::chrono::minutes(5));
  if (made.status != 0)
    throw Trouble("tools/package: " + made.err);
  return made.out.substr(0, made.out.find('\n'));
}

// The package of the tcpmibd that was built with these tests, and once more with a higher version.
struct Packages {
  TempFolder folder;
  std::string first = build("1");
  std::string second = build("2");

  std::string build(const std::string& revision) const {
    return pack(folder, {"--built", built_folder(), "--revision", revision});
  }

  static std::string built_folder() {
    return std::filesystem::path(TCPMIBD_BINARY).parent_path().string();
  }
};

inline const Packages& packages() {
  static const Packages packages;
  return packages;
}

// A Debian root to boot, or why there is none.
struct Base {
  std::string root{};
  std::optional<std::string> trouble{};
};

inline const Base& base() {
  static const Base base = [] {
    if (::geteuid() != 0)
      return Base{.trouble = "a machine of one's own takes root"};
    const Output made =
        run({kTree + "/tests/package/debian-root", packages().first}, {}, std::chrono::minutes(10));
    if (made.status != 0)
      return Base{.trouble = "no Debian root can be made: " + made.err};
    return Base{.root = made.out.substr(0, made.out.find('\n'))};
  }();
  return base;
}

// The layers of a root on which snmpd and tcpmibd are installed, but have never run: to install
// them anew for each test would take most of its time. How they are installed has tests of its own.
inline const std::string& installed_root() {
  static const TempFolder layer;
  static const std::string layers = [] {
    const Output made = run({kTree + "/tests/package/installed-layer", base().root,
                             packages().first, layer.path().string()},
                            {}, std::chrono::minutes(5));
    if (made.status != 0)
      throw Trouble("installing: " + made.out + made.err);
    return made.out.substr(0, made.out.find('\n'));
  }();
  return layers;
}

// A test in a Debian of its own, on which nothing has been installed yet.
class PackageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (base().trouble)
      GTEST_SKIP() << *base().trouble;
    machine_ = std::make_unique<Machine>(root());
    machine_->bring(packages().first);
  }

  virtual const std::string& root() const { return base().root; }

  const Machine& machine() const { return *machine_; }

  // Makes one of the drop-ins that lie ready count, as access.md says.
  void choose_tier(const std::string& tier) const {
    machine().must(
        "install -D -m 644 -t /etc/systemd/system/tcpmibd.service.d "
        "/usr/share/tcpmibd/systemd/tcpmibd-" +
        tier +
        ".conf && "
        "systemctl daemon-reload && systemctl restart tcpmibd");
  }

 private:
  std::unique_ptr<Machine> machine_;
};

// One where snmpd and tcpmibd are installed and serve; on the machine itself the community "secret"
// may write.
class InstalledTest : public PackageTest {
 protected:
  const std::string& root() const override { return installed_root(); }

  void SetUp() override {
    PackageTest::SetUp();
    if (!IsSkipped() && !machine().eventually("systemctl is-active tcpmibd"))
      throw Trouble(machine().must("systemctl status tcpmibd snmpd || true"));
  }

  // snmpget, snmpset or snmpwalk of one object: its value alone, or what the tool says.
  std::string ask(const std::string& tool, const std::string& object) const {
    const Output answer =
        machine().run(tool + " -v2c -c secret -t 5 -r 0 -OvqeU 127.0.0.1 " + object);
    return answer.status == 0 ? answer.out.substr(0, answer.out.find_last_not_of('\n') + 1)
                              : answer.out + answer.err;
  }

  std::string property(const std::string& name, const std::string& unit = "tcpmibd") const {
    return machine().must("systemctl show --property=" + name + " --value " + unit);
  }
};

// No snmpd has it of its own.
inline const std::string kTcpHcInSegs = "1.3.6.1.2.1.6.17.0";

}  // namespace tcpmibd::lab
