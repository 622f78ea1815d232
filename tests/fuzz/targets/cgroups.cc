#include <string>
#include <vector>

#include "base/mount.h"
#include "base/printable.h"
#include "fuzz/targets.h"
#include "kernel/cgroup_units.h"
#include "tcp/unit.h"

namespace tcpmibd::fuzz {

namespace {

void unit(std::string_view path) {
  const std::string name = tcp::unit_name(path);
  require(!name.empty() && name.size() <= tcp::kUnitNameMax, "a name of 1 to 64 octets");
  require(name == printable(name), "that can be printed");
  require(tcp::unit_name('/' + std::string(path)) == name, "a path may begin with any slashes");
}

// As the kernel writes a path there (mangle() in fs/namespace.c).
std::string escaped(std::string_view path) {
  std::string text;
  for (const char sign : path) {
    const auto octet = static_cast<unsigned char>(sign);
    if (std::string_view(" \t\n\\").find(sign) == std::string_view::npos)
      text += sign;
    else
      for (const int shift : {6, 3, 0})
        text += (shift == 6 ? "\\" : "") + std::to_string((octet >> shift) & 7);
  }
  return text;
}

// What is mounted is read to the letter, however it is called.
void mount_of(const std::string& root, const std::string& directory) {
  const std::string text = "41 31 0:38 " + escaped(root) + ' ' + escaped(directory) +
                           " rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
  std::string_view rest = text;
  const auto mount = take_mount(rest);
  require(mount && mount->root == root && mount->directory == directory, "the paths, unescaped");
  require(mount->type == "cgroup2" && rest.empty(), "of one line");
  require(kernel::cgroup2_mount(text) == kernel::CgroupMount{directory, root},
          "and found as the tree of cgroups");
}

void mounts(std::string_view text) {
  const auto tree = kernel::cgroup2_mount(text);
  std::size_t trees = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t before = rest.size();
    const auto mount = take_mount(rest);
    require(!mount || rest.size() < before, "each mount takes a line");
    if (!mount)
      break;
    require(!mount->type.empty(), "what is mounted has a type");
    require(mount->option("hidepid").size() <= mount->options.size(), "an option is among them");
    trees += mount->type == "cgroup2" ? 1 : 0;
  }
  require(tree.has_value() == (trees > 0), "a tree of cgroups is one that is mounted");
}

}  // namespace

// The input: an octet that says of what: the path of a cgroup, a whole mountinfo, or two paths with
// a NUL between them.
void cgroups(Input input) {
  Draw draw(input);
  switch (draw.octet() % 3) {
    case 0:
      return unit(draw.rest_text());
    case 1:
      return mounts(draw.rest_text());
    default: {
      const std::string root = '/' + std::string(draw.text_until('\0'));
      return mount_of(root, '/' + std::string(draw.text_until('\0')));
    }
  }
}

}  // namespace tcpmibd::fuzz
