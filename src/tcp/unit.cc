#include "tcp/unit.h"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "base/printable.h"
#include "base/words.h"

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

// ---- containers ----------------------------------------------------------------------------

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kShownDigits = 12;

bool is_id(std::string_view digits) {
  return digits.size() == kIdDigits && std::ranges::all_of(digits, [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

std::string_view without_suffix(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

struct ContainerId {
  std::string_view engine;  // "docker"; empty where the cgroup bears the id alone
  std::string_view digits;
};

// Of "docker-ID.scope", "docker-ID", "ID", and of "kubepods-pod7.slice:cri-containerd:ID", where
// runc was given a path in the form of the other driver.
std::optional<ContainerId> container_id(std::string_view component) {
  component = without_suffix(component, ".scope");
  const std::size_t before = component.size() - std::min(component.size(), kIdDigits);
  std::string_view engine = component.substr(0, before);
  if (!is_id(component.substr(before)) ||
      !(engine.empty() || engine.ends_with('-') || engine.ends_with(':')))
    return std::nullopt;
  engine.remove_suffix(engine.empty() ? 0 : 1);
  return ContainerId{engine.substr(engine.find_last_of(':') + 1), component.substr(before)};
}

// Empty where the component is no container's. `otherwise` stands for an engine that has no name.
std::string container_name(std::string_view component, std::string_view otherwise) {
  const std::optional<ContainerId> id = container_id(component);
  if (!id)
    return "";
  const std::string_view engine = id->engine.empty() ? otherwise : id->engine;
  return printable(engine, kUnitNameMax - kShownDigits - 1) + '-' +
         std::string(id->digits.substr(0, kShownDigits));
}

constexpr std::string_view kAnyEngine = "container";
constexpr std::string_view kUserManager = "user@";

bool is_user_manager(std::string_view service) { return service.starts_with(kUserManager); }

// The first container below a user's manager, "user@1000/libpod-0123456789ab"; else the manager.
std::string unit_of_user(std::string_view manager, std::string_view below) {
  const std::string owner = std::string(without_suffix(manager, ".service")) + '/';
  while (!below.empty()) {
    const std::string container = container_name(take_until(below, '/'), kAnyEngine);
    if (!container.empty())
      return printable(owner + container, kUnitNameMax);
  }
  return std::string(manager);
}

// ---- machines ------------------------------------------------------------------------------

constexpr std::string_view kMachine = "machine-";
constexpr std::string_view kMachineSlice = "machine.slice";
constexpr std::string_view kPayload = "lxc.payload.";

std::optional<char> octet_of(std::string_view digits) {
  const std::optional<unsigned> value = number<unsigned>(digits, 16);
  if (digits.size() != 2 || !value)
    return std::nullopt;
  return static_cast<char>(*value);
}

// "\x2d" is a hyphen (systemd-escape(1)).
std::string without_escapes(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const auto octet =
        name.starts_with("\\x") ? octet_of(name.substr(2, 2)) : std::optional<char>();
    text += octet.value_or(name.front());
    name.remove_prefix(octet ? 4 : 1);
  }
  return text;
}

// A scope that counts for no slice: "machine-web" of "machine-web.scope". Empty for any other.
std::string machine_name(std::string_view scope, std::string_view slice) {
  if (scope.starts_with(kMachine))
    return without_escapes(without_suffix(scope, ".scope"));
  const bool is_machines = slice == kMachineSlice || slice.starts_with(kMachine);
  return is_machines ? std::string(scope) : "";
}

// LXC makes plain cgroups: "lxc.payload.web" in the root, before version 4 "lxc/web".
std::string lxc_name(std::string_view path) {
  const std::string_view first = take_until(path, '/');
  const std::string_view name =
      first == "lxc" ? take_until(path, '/')
                     : first.substr(first.starts_with(kPayload) ? kPayload.size() : first.size());
  return name.empty() ? "" : "lxc-" + std::string(name);
}

// ---- the way down --------------------------------------------------------------------------

// Empty where no component is a unit, a container or a machine.
std::string unit_in(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  if (std::string container = lxc_name(path); !container.empty())
    return container;
  const std::string_view parent = without_suffix(path.substr(0, path.find('/')), ".slice");
  std::string_view slice;
  while (!path.empty()) {
    const std::string_view name = unescaped(take_until(path, '/'));
    if (std::string container = container_name(name, is_id(parent) ? kAnyEngine : parent);
        !container.empty())
      return container;
    const Kind kind = kind_of(name);
    if (kind == Kind::kScope) {
      const std::string machine = machine_name(name, slice);
      return !machine.empty() ? machine : std::string(slice.empty() ? name : slice);
    }
    if (kind == Kind::kOther)
      return is_user_manager(name) ? unit_of_user(name, path) : std::string(name);
    if (kind == Kind::kSlice)
      slice = name;
  }
  return std::string(slice);
}

std::string_view last_component(std::string_view path) {
  path = path.substr(0, path.find_last_not_of('/') + 1);
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

std::string unit_name(std::string_view cgroup_path) {
  std::string name = unit_in(cgroup_path);
  if (name.empty())
    name = last_component(cgroup_path);
  return name.empty() ? "/" : printable(name, kUnitNameMax);
}

}  // namespace tcpmibd::tcp
