#pragma once

#include <cctype>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// What the pages of this project show to be typed, and what they link to.

namespace tcpmibd::lab {

// A line of a page, and the fenced block it stands in.
struct PageLine {
  std::string text;
  int block = 0;           // counted from 1; 0: in none
  std::string language{};  // of the block: "sh"; empty where it has none
};

inline std::vector<PageLine> lines_of(const std::string& page) {
  std::vector<PageLine> lines;
  std::istringstream input(page);
  std::string language;
  int blocks = 0;
  bool inside = false;
  for (std::string line; std::getline(input, line);) {
    const std::size_t fence = line.find("```");
    if (fence != line.npos && line.find_first_not_of(' ') == fence) {
      inside = !inside;
      blocks += inside ? 1 : 0;
      language = line.substr(fence + 3);
      continue;
    }
    lines.push_back({line, inside ? blocks : 0, inside ? language : ""});
  }
  return lines;
}

// Something to be typed, and what the page says will be answered: nothing, or lines.
struct PageCommand {
  std::string script{};
  std::string shown{};
};

// Each block of sh as one, and each line after a "$ " in other blocks.
inline std::vector<PageCommand> commands_in(const std::string& page) {
  std::vector<PageCommand> commands;
  int block = 0;
  bool asked = false;
  for (const PageLine& line : lines_of(page)) {
    const bool fresh = line.block != block;
    block = line.block;
    asked = asked && !fresh;
    if (line.language == "sh" && fresh)
      commands.emplace_back();
    if (line.language == "sh")
      commands.back().script += line.text + '\n';
    else if (block != 0 && line.text.starts_with("$ ")) {
      commands.push_back({.script = line.text.substr(2) + '\n'});
      asked = true;
    } else if (asked)
      commands.back().shown += line.text + '\n';
  }
  return commands;
}

// Where it links to in its own project: "access.md#privileges", "#mptcp".
inline std::vector<std::string> links_in(const std::string& page) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  std::vector<std::string> links;
  for (const PageLine& line : lines_of(page)) {
    if (line.block != 0)
      continue;
    for (std::sregex_iterator link(line.text.begin(), line.text.end(), kLink), end; link != end;
         ++link) {
      if (link->str(1).find("://") == std::string::npos)
        links.push_back(link->str(1));
    }
  }
  return links;
}

// "Behind Debian's snmpd" as a link names it: "behind-debians-snmpd".
inline std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == ' ' || c == '-')
      anchor += '-';
    else if (c == '_' || octet >= 0x80 || std::isalnum(octet) != 0)
      anchor += static_cast<char>(std::tolower(octet));
  }
  return anchor;
}

inline std::set<std::string> anchors_in(const std::string& page) {
  std::set<std::string> anchors;
  for (const PageLine& line : lines_of(page)) {
    const std::size_t level = line.text.find_first_not_of('#');
    if (line.block == 0 && level != 0 && level != std::string::npos && line.text[level] == ' ')
      anchors.insert(anchor_of(std::string_view(line.text).substr(level + 1)));
  }
  return anchors;
}

}  // namespace tcpmibd::lab
