#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "snmp/oid.h"
#include "support/builders.h"
#include "support/mib_text.h"
#include "tables/arc.h"

// mib/TCPMIBD-MIB.txt, read without any other module.

namespace tcpmibd::lab {

inline std::filesystem::path own_mib_folder() {
  return std::filesystem::path(TCPMIBD_SOURCE_DIR) / "mib";
}

inline std::filesystem::path own_mib_file() { return own_mib_folder() / "TCPMIBD-MIB.txt"; }

inline std::vector<std::string> own_tokens() { return tokens_of(text_of(own_mib_file())); }

// `Name ::= TEXTUAL-CONVENTION … SYNTAX Base`: Base by Name.
inline std::map<std::string, std::string> own_conventions(const std::vector<std::string>& tokens) {
  std::map<std::string, std::string> bases;
  for (std::size_t i = 2; i < tokens.size(); ++i) {
    if (tokens[i] != "TEXTUAL-CONVENTION" || tokens[i - 1] != "::=")
      continue;
    const auto word =
        std::find(tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens.end(), "SYNTAX");
    bases[tokens[i - 2]] = *std::next(word);
  }
  return bases;
}

inline Numbers own_numbers(const std::vector<Definition>& definitions) {
  return {definitions, "enterprises", "1.3.6.1.4.1"};
}

// The module's scalars and columns with their whole OIDs, in their order. Objects that only
// notifications carry are left out: nobody can ask for them, so no table serves them.
inline std::vector<MibObject> own_objects() {
  const std::vector<std::string> tokens = own_tokens();
  const std::vector<Definition> definitions = definitions_of(tokens);
  const std::map<std::string, std::string> conventions = own_conventions(tokens);
  const Numbers numbers = own_numbers(definitions);
  std::vector<MibObject> objects;
  for (const Definition& definition : definitions) {
    if (!definition.is_object() || definition.is_table_or_entry() ||
        definition.access == "accessible-for-notify")
      continue;
    const auto base = conventions.find(definition.syntax);
    objects.push_back({numbers.of(definition.name), definition.name,
                       wire_syntax(base == conventions.end() ? definition.syntax : base->second),
                       access_of(definition.access)});
  }
  std::ranges::sort(objects, {}, [](const MibObject& object) { return oid_from(object.number); });
  return objects;
}

}  // namespace tcpmibd::lab
