#include "package/machine.h"

#include <signal.h>

#include <filesystem>
#include <fstream>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

const std::string kBoot = TCPMIBD_SOURCE_DIR "/tests/package/boot";
constexpr std::chrono::seconds kUp{60};
constexpr std::chrono::minutes kScript{5};

// What a login shell of root has, and no word of this host's.
constexpr const char* kPreamble = R"(
set -euo pipefail
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
export SYSTEMD_PAGER= SYSTEMD_COLORS=0 MIBS=
sudo() { "$@"; }
cd /root
)";

// 0 where it has none yet.
pid_t child_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

// The script's child is `unshare`, whose child is pid 1 of the machine.
pid_t find_init(const Child& boot) {
  pid_t init = 0;
  const auto found = [&] {
    const pid_t unshare = child_of(boot.process().pid());
    init = unshare == 0 ? 0 : child_of(unshare);
    return init != 0;
  };
  if (!lab::eventually(found, kUp))
    throw Trouble("the machine did not start: " + boot.err());
  return init;
}

std::string all_of(const Output& output) {
  return "status " + std::to_string(output.status) + "\n" + output.out + output.err;
}

}  // namespace

Machine::Machine(const std::string& root) : boot_({kBoot, root}), init_(find_init(boot_)) {
  if (!eventually("[[ $(systemctl is-system-running) =~ running|degraded ]]", kUp))
    throw Trouble("the machine did not come up: " + run("systemctl list-jobs").out);
}

// The script has a branch of cgroups to remove.
Machine::~Machine() {
  boot_.process().signal(SIGTERM);
  boot_.process().wait(std::chrono::seconds(15));
}

Output Machine::run(const std::string& script) const {
  return lab::run({"nsenter", "--target", std::to_string(init_), "--all", "env", "-i", "bash", "-c",
                   kPreamble + script},
                  {}, kScript);
}

std::string Machine::must(const std::string& script) const {
  const Output output = run(script);
  if (output.status != 0)
    throw Trouble("in the machine: " + script + "\n" + all_of(output));
  return output.out.substr(0, output.out.find_last_not_of('\n') + 1);
}

bool Machine::eventually(const std::string& script, std::chrono::milliseconds timeout) const {
  return lab::eventually([&] { return holds(script); }, timeout);
}

std::string Machine::outside(const std::string& file) const {
  return "/proc/" + std::to_string(init_) + "/root" + file;
}

void Machine::write(const std::string& file, std::string_view text) const {
  std::filesystem::create_directories(std::filesystem::path(outside(file)).parent_path());
  std::ofstream(outside(file)) << text;
}

void Machine::bring(const std::string& file) const {
  const std::filesystem::path source(file);
  std::filesystem::copy_file(source, outside("/root/" + source.filename().string()));
}

}  // namespace tcpmibd::lab
