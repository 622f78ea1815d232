#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "snmp/value.h"

// MIB modules (SMIv2) as text: as much of the language as it takes to compare objects.

namespace tcpmibd::lab {

// An object as it travels.
struct MibObject {
  std::string number;  // below the module's own root, as text
  std::string name;
  snmp::Syntax syntax;
  snmp::Access access;  // MAX-ACCESS

  bool operator==(const MibObject&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const MibObject& object) {
  return out << object.number << " " << object.name << " " << snmp::name_of(object.syntax) << " "
             << snmp::name_of(object.access);
}

// The folder with the IETF's modules, which no package of ours may bring.
inline std::optional<std::filesystem::path> ietf_folder() {
  std::vector<std::filesystem::path> folders;
  if (const char* folder = std::getenv("TCPMIBD_MIB_DIR"))
    folders.emplace_back(folder);
  folders.push_back(std::filesystem::path(TCPMIBD_SOURCE_DIR) / "../shared/mibs");
  for (const auto& folder : folders) {
    if (std::filesystem::exists(folder / "TCP-MIB.txt"))
      return folder;
  }
  return std::nullopt;
}

constexpr const char* kNoIetfFolder =
    "no TCP-MIB.txt; TCPMIBD_MIB_DIR can name the folder it lies in";

inline std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Words and punctuation, without strings and comments (which may also end at the next `--`).
inline std::vector<std::string> tokens_of(std::string_view text) {
  std::string plain;
  const auto skip_past = [&](std::size_t at, std::size_t length) {
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + length);
  };
  while (!text.empty()) {
    if (text.starts_with('"')) {
      skip_past(text.find('"', 1), 1);
    } else if (text.starts_with("--")) {
      const std::size_t line_end = text.find('\n');
      const std::size_t comment_end = text.find("--", 2);
      comment_end < line_end ? skip_past(comment_end, 2) : skip_past(line_end, 0);
    } else {
      const bool alone = std::string_view("{}(),").find(text.front()) != std::string_view::npos;
      plain += alone ? std::string{' ', text.front(), ' '} : std::string{text.front()};
      text.remove_prefix(1);
    }
  }
  std::istringstream words(plain);
  return {std::istream_iterator<std::string>(words), {}};
}

// `name MACRO … ::= { parent number }`.
struct Definition {
  std::string name;
  std::string macro;
  std::string syntax;  // its first word
  std::string access;
  std::vector<std::string> index;
  std::string parent;
  std::string number;

  bool is_object() const { return macro == "OBJECT-TYPE"; }
  bool is_table_or_entry() const {
    return is_object() && (name.ends_with("Table") || name.ends_with("Entry"));
  }
};

// Whether a definition begins at the word before `i`. The same words stand in IMPORTS, too, where
// a comma or FROM follows them.
inline bool begins_definition(const std::vector<std::string>& tokens, std::size_t i) {
  static const std::map<std::string, std::string> kFollowers = {
      {"OBJECT-TYPE", "SYNTAX"},
      {"OBJECT", "IDENTIFIER"},
      {"MODULE-IDENTITY", "LAST-UPDATED"},
      {"NOTIFICATION-TYPE", "OBJECTS"},
      {"MODULE-COMPLIANCE", "STATUS"},
      {"OBJECT-GROUP", "OBJECTS"},
      {"NOTIFICATION-GROUP", "NOTIFICATIONS"},
      {"AGENT-CAPABILITIES", "PRODUCT-RELEASE"},
  };
  const auto found = kFollowers.find(tokens[i]);
  return found != kFollowers.end() && tokens.at(i + 1) == found->second;
}

// Reads from the macro's word at `i` on, and leaves `i` at the definition's end.
inline Definition definition_at(const std::vector<std::string>& tokens, std::size_t& i) {
  Definition definition;
  definition.name = tokens.at(i - 1);
  definition.macro = tokens.at(i);
  for (; tokens.at(i) != "::="; ++i) {
    if (tokens[i] == "SYNTAX" && definition.syntax.empty())
      definition.syntax = tokens.at(i + 1);
    if (tokens[i] == "MAX-ACCESS")
      definition.access = tokens.at(i + 1);
    if (tokens[i] != "INDEX")
      continue;
    for (i += 2; tokens.at(i) != "}"; ++i) {
      if (tokens[i] != ",")
        definition.index.push_back(tokens[i]);
    }
  }
  definition.parent = tokens.at(i + 2);
  definition.number = tokens.at(i + 3);
  return definition;
}

inline std::vector<Definition> definitions_of(const std::vector<std::string>& tokens) {
  std::vector<Definition> definitions;
  for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
    if (begins_definition(tokens, i))
      definitions.push_back(definition_at(tokens, i));
  }
  return definitions;
}

// Numbers by name. A name may be used before it is defined.
class Numbers {
 public:
  // `root` is a name whose number is known, empty for one that all others are told below.
  Numbers(const std::vector<Definition>& definitions, const std::string& root,
          const std::string& number)
      : numbers_{{root, number}} {
    for (const Definition& definition : definitions)
      definitions_.emplace(definition.name, definition);
  }

  std::string of(const std::string& name) const {
    if (const auto known = numbers_.find(name); known != numbers_.end())
      return known->second;
    const Definition& definition = definitions_.at(name);
    const std::string above = of(definition.parent);
    return above.empty() ? definition.number : above + "." + definition.number;
  }

 private:
  std::map<std::string, std::string> numbers_;
  std::map<std::string, Definition> definitions_;
};

// What a base type or a textual convention of the IETF travels as.
inline snmp::Syntax wire_syntax(const std::string& word) {
  using snmp::Syntax;
  static const std::map<std::string, Syntax> kWire = {
      {"INTEGER", Syntax::kInteger},         {"Integer32", Syntax::kInteger},
      {"InetAddressType", Syntax::kInteger}, {"Counter32", Syntax::kCounter32},
      {"Gauge32", Syntax::kGauge32},         {"Unsigned32", Syntax::kGauge32},
      {"InetPortNumber", Syntax::kGauge32},  {"Counter64", Syntax::kCounter64},
      {"IpAddress", Syntax::kIpAddress},     {"InetAddress", Syntax::kOctetString},
      {"BITS", Syntax::kOctetString},        {"SnmpAdminString", Syntax::kOctetString},
      {"TimeStamp", Syntax::kTimeTicks},     {"CounterBasedGauge64", Syntax::kCounter64},
      {"TruthValue", Syntax::kInteger},      {"DateAndTime", Syntax::kOctetString},
  };
  return kWire.at(word);
}

inline snmp::Access access_of(const std::string& word) {
  using snmp::Access;
  for (const Access access : {Access::kNotAccessible, Access::kReadOnly, Access::kReadWrite}) {
    if (snmp::name_of(access) == word)
      return access;
  }
  throw std::invalid_argument("no access we know: " + word);
}

}  // namespace tcpmibd::lab
