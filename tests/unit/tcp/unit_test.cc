#include "tcp/unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tcpmibd::tcp {
namespace {

struct NameCase {
  const char* path;
  const char* name;
};

constexpr NameCase kNameCases[] = {
    // Every kind of unit that has a cgroup
    {"/system.slice/nginx.service", "nginx.service"},
    {"/system.slice/cups.socket", "cups.socket"},
    {"/system.slice/boot-efi.mount", "boot-efi.mount"},
    {"/system.slice/swapfile.swap", "swapfile.swap"},
    {"/system.slice", "system.slice"},
    {"/-.slice", "-.slice"},
    // The innermost slice
    {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
    {"/a.slice/a-b.slice", "a-b.slice"},
    // Scopes
    {"/system.slice/docker-0f12.scope", "system.slice"},
    {"/user.slice/user-1000.slice/session-3.scope", "user-1000.slice"},
    {"/kubepods.slice/kubepods-pod7.slice/cri-containerd-9.scope", "kubepods-pod7.slice"},
    {"/init.scope", "init.scope"},
    {"/init.scope/below", "init.scope"},
    // What another manager was given
    {"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "user@1000.service"},
    {"/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service"},
    {"/system.slice/docker.service/payload", "docker.service"},
    {"/system.slice/a.service/b.slice/c.service", "a.service"},
    // Below the root of a container without a tree of its own
    {"/docker/0f12/system.slice/nginx.service", "nginx.service"},
    // Between slices
    {"/a.slice/plain/b.service", "b.service"},
    {"/a.slice/plain", "a.slice"},
    // Escapes
    {R"(/system.slice/system-systemd\x2dfsck.slice/systemd-fsck@dev-disk-by\x2duuid.service)",
     R"(systemd-fsck@dev-disk-by\x2duuid.service)"},
    {R"(/system.slice/\x2dodd.service)", R"(\x2dodd.service)"},
    {"/system.slice/_cpu.service", "cpu.service"},
    {"/system.slice/__mine.service", "_mine.service"},
    // No unit
    {"/docker/0f12", "0f12"},
    {"/docker", "docker"},
    {"/_docker", "_docker"},
    {"/docker/", "docker"},
    {"/docker/.service", ".service"},
    {"/docker/@a.service", "@a.service"},
    {"/docker/a@.service", "a@.service"},
    {"/docker/two words.service", "two words.service"},
    {"/docker/a.service.d", "a.service.d"},
    {"/docker/service", "service"},
    {"/a.timer", "a.timer"},
    // The root
    {"/", "/"},
    {"", "/"},
    {"//", "/"},
    // Senseless, but harmless
    {"system.slice/a.service", "a.service"},
    {"//system.slice//a.service//", "a.service"},
};

TEST(UnitName, IsThatOfTheHostsServiceManager) {
  for (const NameCase& c : kNameCases)
    EXPECT_EQ(unit_name(c.path), c.name) << c.path;
}

// ---- containers and machines: the paths that engines make ----

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const std::string kPod = "pod8e24a9b1_55b0_4b5c_9a25_7a4f1c3f0a11";
const std::string kUsers = "/user.slice/user-1000.slice/user@1000.service";
const std::string kBurstable = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-";

struct ContainerCase {
  std::string path;
  std::string name;
};

const ContainerCase kContainerCases[] = {
    // Docker: both drivers, a parent of one's own, rootless, and what runs inside
    {"/system.slice/docker-" + kId + ".scope", "docker-0123456789ab"},
    {"/docker/" + kId, "docker-0123456789ab"},
    {"/web.slice/docker-" + kId + ".scope", "docker-0123456789ab"},
    {"/web/" + kId, "web-0123456789ab"},
    {kUsers + "/user.slice/docker-" + kId + ".scope", "user@1000/docker-0123456789ab"},
    {"/system.slice/docker-" + kId + ".scope/system.slice/nginx.service", "docker-0123456789ab"},
    {"/docker/" + kId + "/system.slice/nginx.service", "docker-0123456789ab"},
    {"/docker/" + kId + "/docker/" + kOther, "docker-0123456789ab"},
    // Podman: root's, in a pod, with cgroupfs, a user's, its monitor, started by a unit
    {"/machine.slice/libpod-" + kId + ".scope", "libpod-0123456789ab"},
    {"/machine.slice/libpod-" + kId + ".scope/container", "libpod-0123456789ab"},
    {"/machine.slice/machine-libpod_pod_" + kOther + ".slice/libpod-" + kId + ".scope/container",
     "libpod-0123456789ab"},
    {"/libpod_parent/libpod-" + kId, "libpod-0123456789ab"},
    {kUsers + "/user.slice/libpod-" + kId + ".scope/container", "user@1000/libpod-0123456789ab"},
    {kUsers + "/user.slice/user-libpod_pod_" + kOther + ".slice/libpod-" + kId + ".scope",
     "user@1000/libpod-0123456789ab"},
    {kUsers + "/app.slice/web.service/libpod-payload-" + kId,
     "user@1000/libpod-payload-0123456789ab"},
    {"/machine.slice/libpod-conmon-" + kId + ".scope", "libpod-conmon-0123456789ab"},
    {"/system.slice/web.service/libpod-payload-" + kId, "web.service"},
    // CRI-O
    {kBurstable + kPod + ".slice/crio-" + kId + ".scope", "crio-0123456789ab"},
    {kBurstable + kPod + ".slice/crio-" + kId + ".scope/container", "crio-0123456789ab"},
    {"/kubepods/burstable/" + kPod + "/crio-" + kId, "crio-0123456789ab"},
    {"/system.slice/crio-conmon-" + kId + ".scope", "crio-conmon-0123456789ab"},
    // containerd, below a kubelet, by nerdctl, and with a path for the other driver
    {kBurstable + kPod + ".slice/cri-containerd-" + kId + ".scope", "cri-containerd-0123456789ab"},
    {"/kubepods.slice/kubepods-" + kPod + ".slice/cri-containerd-" + kId + ".scope",
     "cri-containerd-0123456789ab"},
    {"/kubepods/besteffort/" + kPod + "/" + kId, "kubepods-0123456789ab"},
    {"/kubepods/" + kPod + "/" + kId, "kubepods-0123456789ab"},
    {"/system.slice/nerdctl-" + kId + ".scope", "nerdctl-0123456789ab"},
    {"/default/" + kId, "default-0123456789ab"},
    {"/kubepods-burstable-" + kPod + ".slice:cri-containerd:" + kId, "cri-containerd-0123456789ab"},
    {kBurstable + kPod + ".slice", "kubepods-burstable-" + kPod + ".slice"},
    {"/system.slice/docker-" + kId + ".scope/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" +
         kOther + ".scope",
     "docker-0123456789ab"},
    // systemd-nspawn and libvirt
    {"/machine.slice/machine-web.scope/payload/system.slice/nginx.service", "machine-web"},
    {R"(/machine.slice/machine-web\x2dfront.scope/payload)", "machine-web-front"},
    {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
     "systemd-nspawn@web.service"},
    {R"(/machine.slice/machine-qemu\x2d1\x2dvm1.scope/libvirt/emulator)", "machine-qemu-1-vm1"},
    {R"(/machine.slice/machine-lxc\x2d4711\x2dweb.scope)", "machine-lxc-4711-web"},
    {R"(/machine.slice/machine-odd\x1b\xff\x2g\x.scope)", R"(machine-odd\x1b\xff\x2g\x)"},
    {"/machine.slice/other.scope", "other.scope"},
    // LXC, since version 4 and before
    {"/lxc.payload.web/system.slice/nginx.service", "lxc-web"},
    {"/lxc.payload.web", "lxc-web"},
    {"/lxc/web/init.scope", "lxc-web"},
    {"/lxc/101/ns/system.slice/nginx.service", "lxc-101"},
    {"/lxc", "lxc"},
    {"/lxc.payload.", "lxc.payload."},
    // An id and nothing else
    {"/" + kId, "container-0123456789ab"},
    {"//docker//" + kId + "//", "docker-0123456789ab"},
    // No id: too short, too long, no such digits, nothing between the engine and it
    {"/system.slice/docker-" + kId.substr(1) + ".scope", "system.slice"},
    {"/system.slice/docker-0" + kId + ".scope", "system.slice"},
    {"/system.slice/docker-X" + kId.substr(1) + ".scope", "system.slice"},
    {"/system.slice/docker-A" + kId.substr(1) + ".scope", "system.slice"},
    {"/system.slice/docker" + kId + ".scope", "system.slice"},
    {"/user.slice/user-1000.slice/run-r" + kId.substr(32) + ".scope", "user-1000.slice"},
};

TEST(UnitName, OfAContainerOrMachineIsItsOwn) {
  for (const ContainerCase& c : kContainerCases)
    EXPECT_EQ(unit_name(c.path), c.name) << c.path;
}

TEST(UnitName, OfAContainerKeepsItsIdHoweverLongTheEnginesName) {
  EXPECT_EQ(unit_name("/" + std::string(120, 'e') + "-" + kId),
            std::string(51, 'e') + "-0123456789ab");
}

TEST(UnitName, HasNoMoreThanItsColumnHolds) {
  const std::string exact = std::string(56, 'a') + ".service";
  EXPECT_EQ(unit_name("/system.slice/" + exact), exact);
  EXPECT_EQ(unit_name("/system.slice/a" + exact), "a" + exact.substr(0, 63));
  EXPECT_EQ(unit_name("/" + std::string(255, 'b')), std::string(64, 'b'));
}

TEST(UnitName, IsNeverCutWithinACharacter) {
  for (const std::string& character : {std::string("ä"), std::string("€"), std::string("𝄞")}) {
    for (std::size_t before = 56; before <= 64; ++before) {
      std::string name(before, 'a');
      std::string want = name;
      while (want.size() + character.size() <= kUnitNameMax)
        want += character;
      for (int i = 0; i < 9; ++i)
        name += character;
      EXPECT_EQ(unit_name("/" + name), want) << character << " after " << before;
    }
  }
}

TEST(UnitName, IsPrintable) {
  EXPECT_EQ(unit_name("/a\nb\x1b[2J"), R"(a\x0ab\x1b[2J)");
  EXPECT_EQ(unit_name("/lxc.payload.\xff"), R"(lxc-\xff)");
  EXPECT_EQ(unit_name("/x\xe2\x80\xae"), R"(x\xe2\x80\xae)");
  EXPECT_EQ(unit_name("/a\n.slice/docker-" + kId), "docker-0123456789ab");
  EXPECT_EQ(unit_name("/a\n/" + kId), R"(a\x0a-0123456789ab)");
}

TEST(UnitName, IsNeverCutWithinAnEscape) {
  std::string sixteen;
  for (int i = 0; i < 16; ++i)
    sixteen += R"(\x80)";
  EXPECT_EQ(unit_name("/" + std::string(100, '\x80')), sixteen);
  EXPECT_EQ(unit_name("/a" + std::string(100, '\x80')), "a" + sixteen.substr(4));
}

}  // namespace
}  // namespace tcpmibd::tcp
