#include "agent/commands/show/show.h"

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/metrics.h"
#include "agent/commands/show/topics.h"

namespace tcpmibd::agent {

Result<std::string> show(const Options& options, const Config& config, const ShowSources& sources,
                         bool colour, const Writer& write) {
  const Topic* topic = topic_named(options.what);
  if (topic == nullptr)
    return failure("show '" + options.what + '\'');
  Evidence evidence(options, config, sources);
  // What there is to remark is a metric: whoever reads them reads no standard error.
  if (options.openmetrics || options.prometheus)
    return evidence.look_at(metric_needs(options.what)).map([&] {
      write(metrics_text(options, evidence));
      return std::string();
    });
  return evidence.look_at(topic->needs).map([&] {
    if (topic->write != nullptr)
      topic->write(options, evidence, colour, write);
    else
      write(topic->print(options, evidence, colour));
    return evidence.remarks() + (topic->remarks != nullptr ? topic->remarks(evidence) : "");
  });
}

}  // namespace tcpmibd::agent
