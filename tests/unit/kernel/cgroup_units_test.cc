#include "kernel/cgroup_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace tcpmibd::kernel {
namespace {

// ---- Finding the tree ----

constexpr const char* kHybrid =
    "23 1 0:5 / / rw - ext4 /dev/vda rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(Cgroup2Mount, IsFoundOnHybridHosts) {
  EXPECT_EQ(cgroup2_mount(kHybrid), (CgroupMount{"/sys/fs/cgroup/unified", "/"}));
}

struct MountCase {
  const char* why;
  const char* text;
  std::optional<CgroupMount> want;
};

const MountCase kMountCases[] = {
    {"no text", "", {}},
    {"no cgroup2", "32 31 0:29 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n", {}},
    {"any number of optional fields",
     "30 23 0:26 / /sys/fs/cgroup rw shared:4 master:2 - cgroup2 cgroup2 rw\n",
     CgroupMount{"/sys/fs/cgroup", "/"}},
    {"no newline at the end", "30 23 0:26 / /cg rw - cgroup2 none rw", CgroupMount{"/cg", "/"}},
    {"the whole tree before a part",
     "30 23 0:26 /docker/0f12 /a rw - cgroup2 none rw\n31 23 0:26 / /b rw - cgroup2 none rw\n",
     CgroupMount{"/b", "/"}},
    {"the first of parts",
     "30 23 0:26 /docker/0f12 /a rw - cgroup2 none rw\n31 23 0:26 /x /b rw - cgroup2 none rw\n",
     CgroupMount{"/a", "/docker/0f12"}},
    {"blanks and backslashes", R"(30 23 0:26 / /a\040b\134c\09 rw - cgroup2 none rw)",
     CgroupMount{R"(/a b\c\09)", "/"}},
    {"an escape that is cut", R"(30 23 0:26 / /a\04 rw - cgroup2 none rw)",
     CgroupMount{R"(/a\04)", "/"}},
    {"a path of that name", "30 23 0:26 / /cgroup2 rw - ext4 cgroup2 rw\n", {}},
    {"cut before the kind", "30 23 0:26 / /cg rw -", {}},
    {"too few fields", "30 23 - cgroup2 none rw\n", {}},
};

TEST(Cgroup2Mount, IsToldByTheKindOfTheFilesystem) {
  for (const MountCase& c : kMountCases)
    EXPECT_EQ(cgroup2_mount(c.text), c.want) << c.why;
}

TEST(Cgroup2Mount, BearsATextThatIsCutAnywhere) {
  const std::string whole(kHybrid);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto mount = cgroup2_mount(std::string(whole, 0, length));
    EXPECT_TRUE(!mount || mount->directory == "/sys/fs/cgroup/unified") << length;
  }
}

}  // namespace
}  // namespace tcpmibd::kernel
