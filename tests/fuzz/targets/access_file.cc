#include <algorithm>
#include <string>
#include <vector>

#include "agent/commands/doctor/doctor.h"
#include "agent/config/access_file.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

using agent::AccessLine;

constexpr std::string_view kBlank = " \t\r\v\f";

void judge(const AccessLine& line) {
  require(!line.word.empty(), "a line has a word");
  require(line.word.find_first_of(kBlank) == std::string::npos, "one");
  for (const std::string& part : {line.word, line.value}) {
    require(part.find('\n') == std::string::npos, "that is on one line");
    require(part.empty() || (kBlank.find(part.front()) == std::string_view::npos &&
                             kBlank.find(part.back()) == std::string_view::npos),
            "with no blanks around it");
  }
}

// What the library is told is the line that was judged, and no other.
void judge_accepted(const AccessLine& line) {
  require(line.word.size() + line.value.size() <= 1000, "the library has room for it");
  require(!line.value.empty() && !line.value.starts_with('#'), "and it says something");
  require(line.word != "exec" && line.word != "pass" && line.word != "includeFile",
          "and runs and reads nothing");
  const auto again = agent::access_lines("again", line.word + ' ' + line.value);
  require(again && again->size() == 1 && again->front().word == line.word &&
              again->front().value == line.value,
          "once more the same");
}

}  // namespace

// The input: the text of an access file, or of snmpd's.
void access_file(Input input) {
  const std::string_view text = text_of(input);
  const std::vector<AccessLine> all = agent::conf_lines(text);
  std::ranges::for_each(all, judge);
  require(std::ranges::is_sorted(all, {}, &AccessLine::number), "lines in their order");
  for (const agent::SnmpdLine& line : agent::snmpd_lines("snmpd.conf", text))
    require(line.place.starts_with("snmpd.conf:"), "snmpd's lines have their places");

  const auto accepted = agent::access_lines("access", text);
  if (!accepted) {
    require(accepted.error().place.starts_with("access:"), "a mistake has its place");
    return;
  }
  require(accepted->size() == all.size(), "no line is passed over");
  std::ranges::for_each(*accepted, judge_accepted);
  (void)agent::admit_without_address(*accepted);
}

}  // namespace tcpmibd::fuzz
