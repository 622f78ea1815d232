#include <limits>
#include <string>

#include "agent/agentx/master_address.h"
#include "base/words.h"
#include "fuzz/targets.h"
#include "snmp/oid.h"
#include "tcp/header_lines.h"
#include "tcp/state.h"

namespace tcpmibd::fuzz {

namespace {

template <typename Number>
void number_in(std::string_view text) {
  std::string_view rest = text;
  const auto begun = take_number<Number>(rest);
  require(text.ends_with(rest), "a number is cut off the beginning");
  require(begun.has_value() == (rest.size() < text.size()), "or nothing is");
  const auto whole = number<Number>(text);
  require(whole.has_value() == (begun && rest.empty()), "a whole word, or none");
  require(!whole || number<Number>(std::to_string(*whole)) == whole, "that is read again");
}

void state(std::string_view text) {
  const auto state = tcp::parse_state(text);
  require(!state || tcp::parse_state(tcp::names_of(*state).ss) == state, "a state has its name");
}

void name(std::string_view text) {
  const auto oid = snmp::Oid::parse(text);
  require(!oid || snmp::Oid::parse(oid->text()) == oid, "an OID is read as it is written");
  require(!oid || oid->size() <= snmp::kMaxOidLength, "and not too long");
}

void master(std::string_view text) {
  const agent::MasterAddress address(text);
  require(address.text() == text, "an address is told as it was given");
  require(address.is_place_of(agent::MasterAddress(text)), "and is its own place");
  if (address.check())
    require(address.path() || !address.port().empty(), "a possible one has a port");
  (void)address.check().map([&] { (void)address.socket_address(); });
}

}  // namespace

// The input: a word that somebody gives us.
void words(Input input) {
  const std::string_view text = text_of(input);
  number_in<std::uint16_t>(text);
  number_in<std::uint64_t>(text);
  number_in<std::int64_t>(text);
  state(text);
  name(text);
  master(text);
  (void)tcp::is_release_since(text, {6, 3});
}

}  // namespace tcpmibd::fuzz
