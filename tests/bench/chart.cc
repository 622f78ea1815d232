#include "bench/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tcpmibd::bench {
namespace {

// In pixels.
constexpr double kWidth = 1100;
constexpr double kLabels = 660;  // the column of texts
constexpr double kMargin = 80;   // for the figure behind the longest bar
constexpr double kRow = 26;
constexpr double kBar = 16;
constexpr double kTop = 64;

// The grey of the text can be read on white and on black, by viewers that do not know the scheme.
constexpr const char* kHead =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img">
<title>tcpmibd beside others</title>
<style>
text { font: 13px sans-serif; fill: #6e7781 }
.title { font-size: 16px; font-weight: 600 }
.axis { stroke: #8c959f; stroke-width: 1 }
.ahead { fill: #2da44e }
.behind { fill: #bf8700 }
@media (prefers-color-scheme: light) { text { fill: #1f2328 } }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>
)";

template <typename... Values>
std::string printed(const char* format, Values... values) {
  char text[1024];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

// Decades of advantage: 0 where both are alike.
double decades(const Comparison& comparison) { return std::log10(comparison.advantage); }

std::vector<Comparison> charted(const Findings& findings) {
  std::vector<Comparison> all;
  std::ranges::copy_if(findings.comparisons, std::back_inserter(all),
                       [](const Comparison& c) { return c.advantage > 0; });
  std::ranges::stable_sort(all, {}, &Comparison::target);
  return all;
}

// Where a number of decades lies on the axis.
class Scale {
 public:
  explicit Scale(const std::vector<Comparison>& all) {
    for (const Comparison& comparison : all) {
      least_ = std::min(least_, decades(comparison));
      most_ = std::max(most_, decades(comparison));
    }
  }

  double at(double decade) const {
    return kLabels + (decade - least_) / (most_ - least_) * (kWidth - kLabels - kMargin);
  }

 private:
  double least_ = 0;
  double most_ = 1;
};

std::string bar(const Comparison& comparison, const Scale& scale, double y) {
  const double zero = scale.at(0);
  const double end = scale.at(decades(comparison));
  const bool ahead = end >= zero;
  const double text_y = y + kBar - 3;
  return printed("<text x=\"0\" y=\"%g\">", text_y) + escaped(comparison.title) + " (" +
         grouped(comparison.population) + ")</text>\n" +
         printed("<rect class=\"%s\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"%g\"/>\n",
                 ahead ? "ahead" : "behind", std::min(zero, end), y, std::abs(end - zero), kBar) +
         printed("<text x=\"%.1f\" y=\"%g\">", std::max(zero, end) + 6, text_y) +
         short_number(comparison.advantage) + " ×</text>\n";
}

}  // namespace

std::string chart(const Findings& findings) {
  const std::vector<Comparison> all = charted(findings);
  const Scale scale(all);
  const double height = kTop + kRow * static_cast<double>(all.size()) + 10;
  std::string svg = printed(kHead, kWidth, height);
  svg += "<text class=\"title\" x=\"0\" y=\"20\">How far tcpmibd is ahead of others</text>\n";
  svg += "<text x=\"0\" y=\"42\">Their cost / ours, logarithmic; sockets in brackets.</text>\n";
  double y = kTop;
  for (const Comparison& comparison : all) {
    svg += bar(comparison, scale, y);
    y += kRow;
  }
  svg += printed("<line class=\"axis\" x1=\"%.1f\" y1=\"%g\" x2=\"%.1f\" y2=\"%g\"/>\n",
                 scale.at(0), kTop - 6, scale.at(0), height);
  return svg + "</svg>\n";
}

}  // namespace tcpmibd::bench
