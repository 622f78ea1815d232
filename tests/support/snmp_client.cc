#include "support/snmp_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <utility>

#include "support/temp_folder.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

constexpr std::string_view kSeparator = " = ";

// What the tools print in place of a value.
struct Exception {
  std::string_view text;
  const char* name;
};
constexpr std::array kExceptions{
    Exception{"No Such Object", "noSuchObject"},
    Exception{"No Such Instance", "noSuchInstance"},
    Exception{"No more variables left in this MIB View", "endOfMibView"},
};

bool starts_varbind(std::string_view line) {
  const std::size_t separator = line.find(kSeparator);
  const auto part_of_oid = [](char c) { return c == '.' || std::isdigit(static_cast<int>(c)); };
  return line.starts_with('.') && separator != std::string_view::npos &&
         std::ranges::all_of(line.substr(0, separator), part_of_oid);
}

// What snmpwalk says in version 1, where no exception can.
std::string without_end_of_mib(std::string output) {
  const std::size_t at = output.rfind("End of MIB\n");
  if (at != std::string::npos && (at == 0 || output[at - 1] == '\n'))
    output.resize(at);
  return output;
}

// "Timeticks: (1234) 0:00:12.34" -> 1234
std::string without_rendering(const std::string& value) {
  const std::size_t open = value.find('('), close = value.find(')');
  return value.substr(open + 1, close - open - 1);
}

std::string unquoted(const std::string& value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

Varbind varbind_of(std::string_view line) {
  const std::size_t separator = line.find(kSeparator);
  Varbind varbind{.oid = oid_of(line.substr(0, separator)), .type = {}, .value = {}};
  const std::string_view content = line.substr(separator + kSeparator.size());
  for (const Exception& exception : kExceptions) {
    if (content.starts_with(exception.text)) {
      varbind.type = exception.name;
      return varbind;
    }
  }
  const std::size_t colon = content.find(": ");
  if (content.starts_with('"') || colon == std::string_view::npos) {
    varbind.type = "STRING";  // An empty one is printed without its type.
    varbind.value = unquoted(std::string(content));
    return varbind;
  }
  varbind.type = content.substr(0, colon);
  varbind.value = content.substr(colon + 2);
  if (varbind.type == "Timeticks")
    varbind.value = without_rendering(varbind.value);
  if (varbind.type == "STRING")
    varbind.value = unquoted(varbind.value);
  return varbind;
}

bool is_exception(const Varbind& varbind) {
  return std::ranges::any_of(kExceptions,
                             [&](const Exception& each) { return varbind.type == each.name; });
}

// "Reason: (noSuchName) There is no such …" -> "noSuchName"; "Reason: notWritable (That …" too.
std::string error_in(const std::string& text) {
  if (text.starts_with("Timeout"))
    return "timeout";
  for (const std::string_view intro :
       {std::string_view("Reason: ("), std::string_view("Reason: ")}) {
    const std::size_t at = text.find(intro);
    if (at != std::string::npos) {
      const std::string rest = text.substr(at + intro.size());
      return rest.substr(0, rest.find_first_of(" )\n"));
    }
  }
  return text.empty() ? "failed without a word" : text;
}

std::vector<std::string> texts_of(const std::vector<Oid>& oids) {
  std::vector<std::string> texts;
  for (const Oid& oid : oids)
    texts.push_back("." + text(oid));
  return texts;
}

// One folder for all tools of this test process.
const std::string& shared_folder() {
  static const TempFolder folder;
  static const std::string name = [] {
    // Whoever makes it says so, which is no error.
    std::filesystem::create_directories(folder.path() / "state" / "cert_indexes");
    return folder.path().string();
  }();
  return name;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Varbind& varbind) {
  return stream << text(varbind.oid) << " = " << varbind.type << ": " << varbind.value;
}

const Varbind& Answer::only() const {
  if (!ok() || varbinds.size() != 1)
    throw Trouble("not one variable but " + std::to_string(varbinds.size()) + ", error: " + error);
  return varbinds.front();
}

Manager::Manager(const Namespace& space, std::string address, std::vector<std::string> access)
    : space_(&space), address_(std::move(address)), access_(std::move(access)) {}

Manager Manager::v1(const Namespace& space, std::string address, std::string community) {
  return {space, std::move(address), {"-v1", "-c", std::move(community)}};
}

Manager Manager::v2c(const Namespace& space, std::string address, std::string community) {
  return {space, std::move(address), {"-v2c", "-c", std::move(community)}};
}

Manager Manager::v3(const Namespace& space, std::string address, const User& user) {
  const bool has_digest = !user.authentication.empty(), has_cipher = !user.privacy.empty();
  const char* level = has_cipher ? "authPriv" : has_digest ? "authNoPriv" : "noAuthNoPriv";
  std::vector<std::string> access{"-v3", "-l", level, "-u", user.name};
  if (has_digest)
    access.insert(access.end(), {"-a", user.digest, "-A", user.authentication});
  if (has_cipher)
    access.insert(access.end(), {"-x", user.cipher, "-X", user.privacy});
  return {space, std::move(address), std::move(access)};
}

Manager Manager::stating(int octets) const {
  Manager other = *this;
  other.access_.push_back("--sendMessageMaxSize=" + std::to_string(octets));
  return other;
}

Manager Manager::patient(std::chrono::milliseconds timeout, int tries) const {
  Manager other = *this;
  other.timeout_ = timeout;
  other.tries_ = tries;
  return other;
}

Answer Manager::get(const std::vector<Oid>& oids) const { return ask({"snmpget"}, texts_of(oids)); }

Answer Manager::next(const std::vector<Oid>& oids) const {
  return ask({"snmpgetnext"}, texts_of(oids));
}

Answer Manager::bulk(int non_repeaters, int repetitions, const std::vector<Oid>& oids) const {
  return ask(
      {"snmpbulkget", "-Cn" + std::to_string(non_repeaters), "-Cr" + std::to_string(repetitions)},
      texts_of(oids));
}

Answer Manager::set(const std::vector<SetRequest>& requests) const {
  std::vector<std::string> words;
  for (const SetRequest& request : requests) {
    words.push_back("." + text(request.oid));
    words.emplace_back(1, request.type);
    words.push_back(request.value);
  }
  return ask({"snmpset"}, words);
}

Answer Manager::walk(const Oid& root) const {
  Answer answer = ask({"snmpwalk", "-CI"}, texts_of({root}));
  std::erase_if(answer.varbinds, is_exception);
  return answer;
}

Answer Manager::bulk_walk(const Oid& root, int repetitions) const {
  Answer answer = ask({"snmpbulkwalk", "-Cr" + std::to_string(repetitions)}, texts_of({root}));
  std::erase_if(answer.varbinds, is_exception);
  return answer;
}

Output Manager::run(std::vector<std::string> tool, const std::vector<std::string>& objects) const {
  tool.insert(tool.end(), access_.begin(), access_.end());
  tool.insert(tool.end(), {"-t", std::to_string(static_cast<double>(timeout_.count()) / 1000), "-r",
                           std::to_string(tries_ - 1), address_});
  tool.insert(tool.end(), objects.begin(), objects.end());
  return lab::run(tool, {.in = space_, .environment = isolated_snmp_environment(shared_folder())},
                  std::chrono::minutes(5));
}

Answer Manager::ask(std::vector<std::string> tool, const std::vector<std::string>& objects) const {
  tool.emplace_back("-OneU");
  const Output output = run(std::move(tool), objects);
  Answer answer{.varbinds = parse_varbinds(without_end_of_mib(output.out)), .error = {}};
  if (output.status != 0 || output.out.find("OID not increasing") != std::string::npos ||
      !output.err.empty())
    answer.error = error_in(output.err);
  return answer;
}

std::vector<Varbind> parse_varbinds(std::string_view output) {
  std::vector<Varbind> varbinds;
  while (!output.empty()) {
    // A value may go on over several lines.
    std::size_t end = output.find('\n');
    while (end != std::string_view::npos && end + 1 < output.size() &&
           !starts_varbind(output.substr(end + 1, output.find('\n', end + 1) - end - 1)))
      end = output.find('\n', end + 1);
    const std::string_view piece = output.substr(0, end);
    if (starts_varbind(piece))
      varbinds.push_back(varbind_of(piece));
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
  }
  return varbinds;
}

std::map<std::string, std::string> isolated_snmp_environment(const std::string& folder) {
  return {{"MIBS", ""},
          {"MIBDIRS", folder},
          {"SNMPCONFPATH", folder},
          {"SNMP_PERSISTENT_DIR", folder + "/state"}};
}

}  // namespace tcpmibd::lab
