#include "agent/commands/show/show.h"

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/topics.h"

namespace tcpmibd::agent {

Result<Shown> show(const Options& options, const Config& config, const ShowSources& sources,
                   bool colour) {
  const Topic* topic = topic_named(options.what);
  if (topic == nullptr)
    return failure("show '" + options.what + '\'');
  Evidence evidence(options, config, sources);
  return evidence.look_at(topic->needs).map([&] {
    return Shown{topic->print(options, evidence, colour),
                 evidence.remarks() + (topic->remarks ? topic->remarks(evidence) : "")};
  });
}

}  // namespace tcpmibd::agent
