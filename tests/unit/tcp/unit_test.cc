#include "tcp/unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    {"/machine.slice/machine-web.scope/payload/system.slice/nginx.service", "machine.slice"},
    // Below the root of a container without a tree of its own
    {"/docker/0f12/system.slice/nginx.service", "nginx.service"},
    {"/lxc/web/init.scope", "init.scope"},
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

TEST(UnitName, OfOctetsThatAreNoTextIsCutAllTheSame) {
  EXPECT_EQ(unit_name("/" + std::string(100, '\x80')), std::string(64, '\x80'));
  EXPECT_EQ(unit_name("/" + std::string(100, '\xff')), std::string(64, '\xff'));
}

}  // namespace
}  // namespace tcpmibd::tcp
