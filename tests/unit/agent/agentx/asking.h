#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "agent/agentx/pdu.h"
#include "support/builders.h"

// What the tests of requests have in common: a few of our objects, and Responses in words.

namespace tcpmibd::agent::agentx {

inline std::vector<const tables::Managed*> some_objects() {
  return {&lab::managed("tcpListenerTable"), &lab::managed("tcpActiveOpens"),
          &lab::managed("tcpConnectionTable")};
}

inline const snmp::Oid kScalar = lab::tcp_oid("5.0");

inline snmp::Oid connection_cell(snmp::SubId row) {
  snmp::Oid name = lab::tcp_oid("19.1.7");
  name.append(row);
  return name;
}

inline Time soon() { return Clock::now() + std::chrono::hours(1); }

// "packet: error N at I; NAME type, …", one a Response.
inline std::vector<std::string> responses_in(const Bytes& bytes) {
  std::vector<std::string> all;
  std::span<const std::uint8_t> rest = bytes;
  while (rest.size() >= Header::kSize) {
    const Header header = Header::parse(rest);
    EXPECT_EQ(header.type, PduType::kResponse);
    Reader fields({rest.subspan(Header::kSize, header.length)}, header.order());
    std::string text = std::to_string(header.packet) + ":";
    fields.take32();
    const unsigned error = fields.take16();
    const unsigned index = fields.take16();
    if (error != 0)
      text += " error " + std::to_string(error) + " at " + std::to_string(index);
    while (!fields.at_end()) {
      const Binding binding = fields.take_binding();
      text += ' ' + binding.name.text() + (binding.value ? "=value" : "=none");
    }
    EXPECT_FALSE(fields.failed());
    all.push_back(std::move(text));
    rest = rest.subspan(Header::kSize + header.length);
  }
  return all;
}

}  // namespace tcpmibd::agent::agentx
