#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace tcpmibd::agent {

// An object of JSON on one line, written at once, without a tree: for rows of which there may
// be a hundred thousand. Keys are plain words.
class JsonRow {
 public:
  void number(std::string_view key, std::integral auto value) {
    begin_field(key);
    text_ += std::to_string(value);
  }
  void flag(std::string_view key, bool value);
  void text(std::string_view key, std::string_view value);

  // What follows belongs to an object, or an array, of its own; an element of an array has no key.
  void open_object(std::string_view key = {}) { open(key, '{'); }
  void close_object() { text_ += '}'; }
  void open_array(std::string_view key) { open(key, '['); }
  void close_array() { text_ += ']'; }

  // The whole, without an end of line; a new one begins. Valid until then.
  void begin();
  std::string_view finish();

 private:
  void open(std::string_view key, char bracket);
  void begin_field(std::string_view key);

  std::string text_ = "{";
};

}  // namespace tcpmibd::agent
