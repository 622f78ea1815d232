#pragma once

#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include "tables/arc.h"

// docs/nms: what others poll us with.

namespace tcpmibd::lab {

inline std::filesystem::path nms_folder() {
  return std::filesystem::path(TCPMIBD_SOURCE_DIR) / "docs" / "nms";
}

inline std::string arc_text() {
  std::string text;
  for (const snmp::SubId id : tables::kArc)
    text += (text.empty() ? "" : ".") + std::to_string(id);
  return text;
}

// Our OIDs that `text` names, each as it stands there: 1.3.6.1.…, or with {#SNMPINDEX} at its end.
inline std::set<std::string> own_oids_in(const std::string& text) {
  const std::regex oid(std::regex_replace(arc_text(), std::regex("[.]"), "[.]") +
                       R"((?:[.]\d+)*(?:[.]\{#SNMPINDEX\})?)");
  std::set<std::string> oids;
  for (std::sregex_iterator found(text.begin(), text.end(), oid); found != std::sregex_iterator();
       ++found)
    oids.insert(found->str());
  return oids;
}

}  // namespace tcpmibd::lab
