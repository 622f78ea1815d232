#pragma once

#include <array>
#include <string_view>

#include "fuzz/target.h"

// Everything that is fuzzed, each in targets/NAME.cc: it reads an input as the parsers of outside
// octets do, and aborts where a property of theirs does not hold. libFuzzer drives one at a time
// (driver.cc); the unit tests put the corpus through all of them.

namespace tcpmibd::fuzz {

void access_file(Input input);
void agentx_fields(Input input);
void agentx_session(Input input);
void agentx_stream(Input input);
void cgroups(Input input);
void doctor_master(Input input);
void doctor_texts(Input input);
void dump(Input input);
void engine_state(Input input);
void holders(Input input);
void module_link(Input input);
void names(Input input);
void netlink(Input input);
void overrides(Input input);
void parse_message(Input input);
void proc_texts(Input input);
void responder(Input input);
void snmp_message(Input input);
void snmp_stream(Input input);
void table_next(Input input);
void table_set(Input input);
void toml(Input input);
void words(Input input);

struct Target {
  std::string_view name;
  void (*run)(Input);
};

inline constexpr std::array kTargets{
    Target{"access_file", &access_file},
    Target{"agentx_fields", &agentx_fields},
    Target{"agentx_session", &agentx_session},
    Target{"agentx_stream", &agentx_stream},
    Target{"cgroups", &cgroups},
    Target{"doctor_master", &doctor_master},
    Target{"doctor_texts", &doctor_texts},
    Target{"dump", &dump},
    Target{"engine_state", &engine_state},
    Target{"holders", &holders},
    Target{"module_link", &module_link},
    Target{"names", &names},
    Target{"netlink", &netlink},
    Target{"overrides", &overrides},
    Target{"parse_message", &parse_message},
    Target{"proc_texts", &proc_texts},
    Target{"responder", &responder},
    Target{"snmp_message", &snmp_message},
    Target{"snmp_stream", &snmp_stream},
    Target{"table_next", &table_next},
    Target{"table_set", &table_set},
    Target{"toml", &toml},
    Target{"words", &words},
};

}  // namespace tcpmibd::fuzz
