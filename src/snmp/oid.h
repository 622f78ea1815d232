#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcpmibd::snmp {

// One sub-identifier: 32 bits on the wire, whatever the size of Net-SNMP's `oid`.
using SubId = std::uint32_t;

using OidView = std::span<const SubId>;

// The most sub-identifiers an object identifier may have (RFC 3416, 4.1).
inline constexpr std::size_t kMaxOidLength = 128;

// An object identifier held in place; never allocates.
//
// What would grow past kMaxOidLength is cut off: no object of ours is that long, and a longer
// name cannot arrive in a PDU.
class Oid {
 public:
  Oid() = default;
  Oid(std::initializer_list<SubId> ids) { append(OidView(ids.begin(), ids.size())); }
  explicit Oid(OidView ids) { append(ids); }
  Oid(const Oid& other) { append(other.view()); }  // Copies what is used, not the whole array.
  Oid& operator=(const Oid& other) {
    if (this != &other) {
      clear();
      append(other.view());
    }
    return *this;
  }
  ~Oid() = default;

  // "1.3.6.1", with or without a leading dot; none if it is anything else.
  static std::optional<Oid> parse(std::string_view text);

  void append(SubId id) {
    if (size_ < kMaxOidLength)
      ids_[size_++] = id;
  }
  void append(OidView ids) {
    const std::size_t count = std::min(ids.size(), kMaxOidLength - size_);
    std::copy_n(ids.data(), count, ids_.data() + size_);
    size_ += count;
  }
  void append(std::initializer_list<SubId> ids) { append(OidView(ids.begin(), ids.size())); }
  void clear() { size_ = 0; }

  const SubId* begin() const { return ids_.data(); }
  const SubId* end() const { return ids_.data() + size_; }
  std::size_t size() const { return size_; }
  OidView view() const { return {ids_.data(), size_}; }

  std::string text() const;

 private:
  std::array<SubId, kMaxOidLength> ids_;
  std::size_t size_ = 0;
};

// Lexicographic, sub-identifiers unsigned, a prefix first (RFC 3416, 4.2.2).
std::strong_ordering compare(OidView a, OidView b);

bool starts_with(OidView name, OidView prefix);

std::string to_text(OidView name);

inline bool operator==(const Oid& a, const Oid& b) { return compare(a, b) == 0; }
inline std::strong_ordering operator<=>(const Oid& a, const Oid& b) { return compare(a, b); }

std::ostream& operator<<(std::ostream& out, const Oid& oid);

}  // namespace tcpmibd::snmp
