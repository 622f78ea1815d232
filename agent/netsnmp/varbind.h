#pragma once

#include <optional>

#include "snmp/oid.h"
#include "snmp/value.h"

struct variable_list;  // Net-SNMP's variable binding

namespace tcpmibd::agent {

// What Net-SNMP keeps in 64 bits a sub-identifier, as we do.
snmp::Oid name_of(const variable_list& binding);

void set_name(variable_list& binding, snmp::OidView name);

// The value a manager wants to write; none where its type is no syntax of ours.
std::optional<snmp::Value> value_of(const variable_list& binding);

// Replaces type and value; copies.
void set_value(variable_list& binding, const snmp::Value& value);

}  // namespace tcpmibd::agent
