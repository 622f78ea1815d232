#include <algorithm>
#include <vector>

#include "agent/agentx/pdu.h"
#include "agent/agentx/wire.h"
#include "fuzz/targets.h"

namespace tcpmibd::fuzz {

namespace {

namespace agentx = agent::agentx;
using agentx::Binding;
using agentx::Reader;

bool same(const Binding& a, const Binding& b) { return a.name == b.name && a.value == b.value; }

// What a peer has written and what we write of it may differ in octets; not in what they mean.
void binding_again(const Binding& binding, agentx::ByteOrder order) {
  if (!binding.value)
    return;
  agentx::Bytes bytes;
  agentx::Writer(bytes, order).add_binding(binding.name.view(), *binding.value);
  require(bytes.size() % 4 == 0, "fields are multiples of four octets");
  Reader reader(bytes, order);
  require(same(reader.take_binding(), binding), "a binding is read as it was written");
  require(!reader.failed() && reader.at_end(), "to its end");
  bytes.pop_back();
  Reader cut(bytes, order);
  (void)cut.take_binding();
  require(cut.failed(), "and a cut one is none");
}

void bindings(Reader reader, agentx::ByteOrder order) {
  while (!reader.failed() && !reader.at_end()) {
    const Binding binding = reader.take_binding();
    require(!reader.failed() || reader.at_end(), "after a failure there is nothing more");
    if (!reader.failed())
      binding_again(binding, order);
  }
}

void ranges(Reader reader, agentx::ByteOrder order) {
  while (!reader.failed() && !reader.at_end()) {
    const agentx::SearchRange range = reader.take_range();
    require(!reader.failed() || (range.end.size() == 0), "what is cut ends nowhere");
    agentx::Bytes bytes;
    agentx::Writer writer(bytes, order);
    writer.add_name(range.start.view());
    writer.add_name(range.end.view());
    Reader again(bytes, order);
    const agentx::SearchRange read = again.take_range();
    require(read.start == range.start && read.end == range.end, "names survive");
  }
}

void octets(Reader reader) {
  while (!reader.failed() && !reader.at_end())
    (void)reader.take_octets();
}

// A header that is read is the one that is written, but for its reserved octet.
void header(Input bytes) {
  const auto read = agentx::Header::parse(bytes);
  agentx::Bytes written;
  agentx::append_ping(written, read);
  const auto again = agentx::Header::parse(written);
  require(written.size() == agentx::Header::kSize && again.length == 0, "a Ping is a header");
  require(again.session == read.session && again.transaction == read.transaction &&
              again.packet == read.packet && again.flags == read.flags,
          "of the same numbers");
  agentx::Bytes answer;
  agentx::append_response(answer, read, {.error = agentx::ErrorCode::kGenErr, .index = 7}, {});
  const auto of_answer = agentx::Header::parse(answer);
  require(of_answer.type == agentx::PduType::kResponse && of_answer.packet == read.packet &&
              answer.size() == agentx::Header::kSize + of_answer.length,
          "and its answer says how long it is");
}

}  // namespace

// The input: a header and what follows it, read as each kind of field.
void agentx_fields(Input input) {
  if (input.size() < agentx::Header::kSize)
    return;
  header(input);
  const agentx::ByteOrder order = agentx::Header::parse(input).order();
  const Reader reader(input.subspan(agentx::Header::kSize), order);
  bindings(reader, order);
  ranges(reader, order);
  octets(reader);
  Reader response = reader;
  (void)agentx::take_response(response);
}

}  // namespace tcpmibd::fuzz
