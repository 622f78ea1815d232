#include "snmp/oid.h"

#include <algorithm>
#include <ostream>

#include "base/words.h"

namespace tcpmibd::snmp {

std::optional<Oid> Oid::parse(std::string_view text) {
  if (text.starts_with('.'))
    text.remove_prefix(1);
  Oid oid;
  while (true) {
    const std::optional<SubId> id = take_number<SubId>(text);
    if (!id || oid.size() == kMaxOidLength)
      return std::nullopt;
    oid.append(*id);
    if (text.empty())
      return oid;
    if (!text.starts_with('.'))
      return std::nullopt;
    text.remove_prefix(1);
  }
}

std::string Oid::text() const { return to_text(view()); }

std::strong_ordering compare(OidView a, OidView b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

bool starts_with(OidView name, OidView prefix) {
  return name.size() >= prefix.size() && std::ranges::equal(name.first(prefix.size()), prefix);
}

std::string to_text(OidView name) {
  std::string text;
  for (const SubId id : name) {
    if (!text.empty())
      text += '.';
    text += std::to_string(id);
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const Oid& oid) { return out << oid.text(); }

}  // namespace tcpmibd::snmp
