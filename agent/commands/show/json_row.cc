#include "agent/commands/show/json_row.h"

#include "agent/commands/show/text.h"
#include "base/printable.h"

namespace tcpmibd::agent {

namespace {

bool needs_no_escape(std::string_view text) {
  return is_plain(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

}  // namespace

void JsonRow::begin() { text_ = "{"; }

std::string_view JsonRow::finish() { return text_ += '}'; }

void JsonRow::flag(std::string_view key, bool value) {
  begin_field(key);
  text_ += value ? "true" : "false";
}

void JsonRow::text(std::string_view key, std::string_view value) {
  begin_field(key);
  if (needs_no_escape(value))
    text_.append(1, '"').append(value).append(1, '"');
  else
    text_ += dump_line(Json(value));
}

void JsonRow::open(std::string_view key, char bracket) {
  begin_field(key);
  text_ += bracket;
}

void JsonRow::begin_field(std::string_view key) {
  if (const char last = text_.back(); last != '{' && last != '[')
    text_ += ',';
  if (!key.empty())
    text_.append(1, '"').append(key).append("\":");
}

}  // namespace tcpmibd::agent
