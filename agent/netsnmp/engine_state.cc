#include "agent/netsnmp/engine_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/input_file.h"
#include "base/log.h"
#include "base/replace_file.h"
#include "base/words.h"

namespace tcpmibd::agent {
namespace {

constexpr const char* kFile = "engine";
constexpr const char* kSystemFolder = "/var/lib/tcpmibd";
constexpr std::uint32_t kLastBoots = 2147483647;  // RFC 3414, 2.2.1

// RFC 3411, SnmpEngineID: the enterprise of Net-SNMP (8072) with the first bit set, and a format
// of its own choice: Net-SNMP's for "random".
constexpr std::string_view kIdPrefix = "80001f8880";
constexpr std::size_t kRandomOctets = 8;
constexpr std::size_t kShortestId = 5 * 2, kLongestId = 32 * 2;

constexpr std::string_view kHeader =
    "# SNMPv3 engine of tcpmibd (RFC 3414, 2.2). Do not edit; do not copy to another agent.\n";

struct State {
  std::string id;
  std::uint32_t boots = 0;
};

Result<std::string> new_id() {
  std::array<unsigned char, kRandomOctets> octets;
  if (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size()))
    return failure("draw an SNMP engine id", errno);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id(kIdPrefix);
  for (const unsigned char octet : octets) {
    id += kDigits[octet >> 4U];
    id += kDigits[octet & 0xfU];
  }
  return id;
}

bool is_id(std::string_view text) {
  return text.size() >= kShortestId && text.size() <= kLongestId && text.size() % 2 == 0 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The rest of the next line, which has to be whole and to begin with `word`; cut off `text`.
std::optional<std::string_view> take_next_line(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word) || text.find('\n') == std::string_view::npos)
    return std::nullopt;
  return take_until(text, '\n').substr(word.size());
}

std::string to_text(const State& state) {
  return std::string(kHeader) + "id " + state.id + "\nboots " + std::to_string(state.boots) + "\n";
}

// None for anything but what to_text() writes.
std::optional<State> parse(std::string_view text) {
  const auto header = take_next_line(text, "#");
  const auto id = take_next_line(text, "id ");
  const auto boots = take_next_line(text, "boots ");
  if (!header || !id || !boots || !text.empty() || !is_id(*id))
    return std::nullopt;
  const std::uint32_t count = number<std::uint32_t>(*boots).value_or(0);
  if (count == 0)
    return std::nullopt;
  return State{.id = std::string(*id), .boots = count};
}

std::string cure(const std::string& folder) {
  return "let this user write " + folder + ", or set standalone.state to a folder it can write";
}

Result<FileDescriptor> open_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return failure("make the folder " + folder, error.value(), cure(folder));
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened)
    return failure("open the folder " + folder, errno, cure(folder));
  if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0)
    return failure("use the SNMPv3 state in " + folder + ": another agent uses it", 0,
                   "give each its own folder with standalone.state");
  return opened;
}

// The whole file; none where there is no file.
Result<std::optional<std::string>> read_state(const FileDescriptor& folder,
                                              const std::string& name) {
  constexpr std::size_t kMost = 4096;  // Ours is far shorter.
  Result<std::string> text = read_input(
      folder, kFile, {.name = name, .most = kMost, .writers = InputFile::Writers::kAnybody});
  if (text)
    return std::optional(*std::move(text));
  if (text.error().code == ENOENT)
    return std::nullopt;
  text.error().cure = "make it readable, or remove it for a new identity";
  return tl::unexpected(text.error());
}

Status write_state(const FileDescriptor& folder, const std::string& name, const State& state,
                   const std::string& how) {
  if (!replace_file(folder, kFile, to_text(state)))
    return failure("write " + name, errno, how);
  return {};
}

Result<State> first_state(const std::string& name, const std::optional<std::string>& text) {
  if (text)
    log::warning(name +
                 " is damaged or used up: this agent gets a new SNMPv3 engine id, which "
                 "managers and trap receivers that know the old one must be given");
  return new_id().map([](std::string id) { return State{.id = std::move(id), .boots = 1}; });
}

Result<State> next_state(const std::string& name, const std::optional<std::string>& text) {
  std::optional<State> state = text ? parse(*text) : std::nullopt;
  if (!state || state->boots >= kLastBoots - 1)
    return first_state(name, text);
  ++state->boots;
  return *std::move(state);
}

// Whether the folder, or the first one above it that exists, can be written.
bool usable(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

std::string home_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/tcpmibd";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.local/state/tcpmibd";
  return {};
}

}  // namespace

Result<EngineState> EngineState::raise(const std::string& folder) {
  const std::string name = folder + '/' + kFile;
  Result<FileDescriptor> opened = open_folder(folder);
  if (!opened)
    return tl::unexpected(opened.error());
  const Result<std::optional<std::string>> text = read_state(*opened, name);
  if (!text)
    return tl::unexpected(text.error());
  Result<State> state = next_state(name, *text);
  if (!state)
    return tl::unexpected(state.error());
  if (Status status = write_state(*opened, name, *state, cure(folder)); !status)
    return tl::unexpected(status.error());
  return EngineState(*std::move(opened), std::move(state->id), state->boots);
}

std::string engine_state_folder(std::string_view configured) {
  if (!configured.empty())
    return std::string(configured);
  if (const char* folders = std::getenv("STATE_DIRECTORY"); folders != nullptr && *folders != '\0')
    return std::string(folders).substr(0, std::string_view(folders).find(':'));
  const std::string home = home_folder();
  return usable(kSystemFolder) || home.empty() ? kSystemFolder : home;
}

}  // namespace tcpmibd::agent
