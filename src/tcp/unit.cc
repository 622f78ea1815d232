#include "tcp/unit.h"

#include <algorithm>
#include <array>

#include "tcp/header_lines.h"

namespace tcpmibd::tcp {

namespace {

enum class Kind { kNone, kSlice, kScope, kOther };

struct Suffix {
  std::string_view text;
  Kind kind;
};

// The kinds of units that have cgroups.
constexpr std::array<Suffix, 6> kSuffixes{{
    {".slice", Kind::kSlice},
    {".scope", Kind::kScope},
    {".service", Kind::kOther},
    {".socket", Kind::kOther},
    {".mount", Kind::kOther},
    {".swap", Kind::kOther},
}};

bool may_stand_in_unit_name(char c) {
  constexpr std::string_view kSigns = ":-_.\\@";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kSigns.find(c) != std::string_view::npos;
}

// systemd.unit(5): a prefix, perhaps with @ and an instance. A template, "a@.service", never runs.
bool is_stem(std::string_view stem) {
  return !stem.empty() && stem.front() != '@' && stem.back() != '@' &&
         std::ranges::all_of(stem, may_stand_in_unit_name);
}

Kind kind_of(std::string_view name) {
  for (const Suffix& suffix : kSuffixes) {
    if (name.ends_with(suffix.text))
      return is_stem(name.substr(0, name.size() - suffix.text.size())) ? suffix.kind : Kind::kNone;
  }
  return Kind::kNone;
}

// A unit whose own name begins with an underscore has two in its cgroup's.
std::string_view unescaped(std::string_view component) {
  return component.substr(component.starts_with('_') ? 1 : 0);
}

// Empty where no component is a unit.
std::string_view unit_in(std::string_view path) {
  std::string_view unit;
  while (!path.empty()) {
    const std::string_view name = unescaped(take_until(path, '/'));
    const Kind kind = kind_of(name);
    if (kind == Kind::kScope)
      return unit.empty() ? name : unit;
    if (kind == Kind::kOther)
      return name;
    if (kind == Kind::kSlice)
      unit = name;
  }
  return unit;
}

std::string_view last_component(std::string_view path) {
  path = path.substr(0, path.find_last_not_of('/') + 1);
  return path.substr(path.find_last_of('/') + 1);
}

bool continues_character(char octet) { return (static_cast<unsigned char>(octet) & 0xC0) == 0x80; }

// A character has at most three octets after its first: what has more is no UTF-8, and cut
// anywhere.
std::string_view cut(std::string_view name) {
  if (name.size() <= kUnitNameMax)
    return name;
  std::size_t length = kUnitNameMax;
  while (length > kUnitNameMax - 3 && continues_character(name[length]))
    --length;
  return name.substr(0, continues_character(name[length]) ? kUnitNameMax : length);
}

}  // namespace

std::string unit_name(std::string_view cgroup_path) {
  std::string_view name = unit_in(cgroup_path);
  if (name.empty())
    name = last_component(cgroup_path);
  return name.empty() ? "/" : std::string(cut(name));
}

}  // namespace tcpmibd::tcp
