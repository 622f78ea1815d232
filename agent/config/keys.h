#pragma once

#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/values.h"

// The keys: the one list from which reading, writing, suggestions and the manual derive. Those of
// alarms, which have any number of sections, are in alarms.h.

namespace tcpmibd::agent {

// Section by section, as they are written.
const std::vector<Key<Config>>& keys();

// Null where there is no such key.
const Key<Config>* find_key(std::string_view section, std::string_view name);

// In the order of the list, each once.
std::vector<std::string_view> sections();

std::vector<std::string_view> names_in(std::string_view section);

}  // namespace tcpmibd::agent
