#include "base/printable.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tcpmibd {
namespace {

struct Range {
  char32_t first, last;
};

constexpr Range kSteering[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},      // C0; DEL and C1
    {0x61c, 0x61c},   {0x200e, 0x200f},  // marks of direction
    {0x2028, 0x202e},                    // ends of lines and paragraphs; embedded directions
    {0x2066, 0x2069},                    // isolated directions
};

// How many octets a character has that begins with `first`; 0: none does. RFC 3629.
std::size_t length_by(std::uint8_t first) {
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first < 0xe0)
    return 2;
  if (first >= 0xe0 && first < 0xf0)
    return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool continues(char octet) { return (static_cast<std::uint8_t>(octet) & 0xc0U) == 0x80; }

// Neither longer than it has to be, nor half of a pair of UTF-16, nor beyond the last character.
bool is_character(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kLeast[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

// Of `octets`, which are as many as the first one promises.
char32_t code_of(std::string_view octets) {
  if (octets.size() == 1)
    return static_cast<std::uint8_t>(octets[0]);
  char32_t code = static_cast<std::uint8_t>(octets[0]) & (0x7fU >> octets.size());
  for (const char octet : octets.substr(1)) {
    if (!continues(octet))
      return Character::kInvalid;
    code = code << 6U | (static_cast<std::uint8_t>(octet) & 0x3fU);
  }
  return is_character(code, octets.size()) ? code : Character::kInvalid;
}

constexpr std::string_view kDigits = "0123456789abcdef";

std::string escaped(std::string_view octets) {
  std::string text;
  for (const char octet : octets) {
    const auto value = static_cast<std::uint8_t>(octet);
    text += "\\x";
    text += kDigits[value >> 4U];
    text += kDigits[value & 0xfU];
  }
  return text;
}

}  // namespace

bool Character::steers() const {
  return code == kInvalid || std::ranges::any_of(kSteering, [this](const Range& range) {
           return range.first <= code && code <= range.last;
         });
}

Character take_character(std::string_view& text) {
  const std::size_t length = length_by(static_cast<std::uint8_t>(text.front()));
  Character character{text.substr(0, 1), Character::kInvalid};
  if (length != 0 && length <= text.size()) {
    const std::string_view octets = text.substr(0, length);
    if (const char32_t code = code_of(octets); code != Character::kInvalid)
      character = {octets, code};
  }
  text.remove_prefix(character.octets.size());
  return character;
}

std::string unicode_escape(char32_t code) {
  std::string text = "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U})
    text += kDigits[code >> shift & 0xfU];
  return text;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char octet) { return octet >= ' ' && octet <= '~'; });
}

std::string printable(std::string_view text, std::size_t most) {
  if (text.size() <= most && is_plain(text))
    return std::string(text);
  std::string shown;
  shown.reserve(std::min(text.size(), most));
  while (!text.empty()) {
    const Character character = take_character(text);
    const std::size_t before = shown.size();
    if (character.steers())
      shown += escaped(character.octets);
    else
      shown += character.octets;
    if (shown.size() > most) {
      shown.resize(before);
      break;
    }
  }
  return shown;
}

std::string_view without_cut_character(std::string_view name) {
  std::size_t begin = name.size();
  while (begin > 0 && name.size() - begin < 3) {
    --begin;
    if (continues(name[begin]))
      continue;
    const bool is_cut = length_by(static_cast<std::uint8_t>(name[begin])) > name.size() - begin;
    return is_cut ? name.substr(0, begin) : name;
  }
  return name;
}

}  // namespace tcpmibd
