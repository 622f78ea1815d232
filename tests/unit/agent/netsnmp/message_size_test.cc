#include "agent/netsnmp/message_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"
#include "snmp/oid.h"
#include "snmp/value.h"
#include "support/random.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using lab::Random;

using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;
using Octets = std::vector<std::uint8_t>;

// Numbers of every length, most of them near where one more octet is needed.
std::uint64_t any_number(Random& random) {
  const std::uint64_t edge = std::uint64_t{1} << random.below(64);
  return edge + random.below(3) - 1;
}

snmp::Oid any_name(Random& random, std::size_t most = 60) {
  snmp::Oid name{static_cast<snmp::SubId>(random.below(3)),
                 static_cast<snmp::SubId>(random.below(40))};
  for (std::size_t i = random.below(most); i > 0; --i)
    name.append(static_cast<snmp::SubId>(any_number(random)));
  return name;
}

snmp::Value any_value(Random& random) {
  const std::uint64_t number = any_number(random);
  const auto word = static_cast<std::uint32_t>(number);
  switch (random.below(8)) {
    case 0:
      return snmp::Integer{static_cast<std::int32_t>(word)};
    case 1:
      return snmp::Counter32{word};
    case 2:
      return snmp::Gauge32{word};
    case 3:
      return snmp::TimeTicks{word};
    case 4:
      return snmp::Counter64{number};
    case 5:
      return snmp::IpAddress{{10, 0, 0, 1}};
    case 6:
      return snmp::OctetString{std::string(random.below(400), 'x')};
    default:
      return any_name(random);
  }
}

void add_any_binding(netsnmp_pdu& pdu, Random& random) {
  const LibraryOid name(any_name(random));
  netsnmp_variable_list* binding = snmp_add_null_var(&pdu, name.data(), name.size());
  constexpr std::array<std::uint8_t, 4> kWithoutValue{ASN_NULL, SNMP_NOSUCHOBJECT,
                                                      SNMP_NOSUCHINSTANCE, SNMP_ENDOFMIBVIEW};
  if (random.below(5) == 0)
    binding->type = kWithoutValue[random.below(kWithoutValue.size())];
  else
    set_value(*binding, any_value(random));
}

// A response as the agent library makes one.
Pdu response(long version) {
  Pdu pdu(snmp_pdu_create(SNMP_MSG_RESPONSE));
  pdu->version = version;
  pdu->errstat = SNMP_ERR_NOERROR;
  pdu->errindex = 0;
  return pdu;
}

Pdu community_response(Random& random) {
  Pdu pdu = response(random.below(2) == 0 ? SNMP_VERSION_1 : SNMP_VERSION_2c);
  pdu->reqid = static_cast<std::int32_t>(any_number(random));
  pdu->errstat = static_cast<long>(random.below(19));
  pdu->errindex = static_cast<long>(random.below(300));
  const std::string community(random.below(200), 'c');
  pdu->community = static_cast<u_char*>(netsnmp_memdup(community.data(), community.size()));
  pdu->community_len = community.size();
  return pdu;
}

std::size_t count_of(const netsnmp_pdu& pdu) {
  std::size_t count = 0;
  for (const netsnmp_variable_list* each = pdu.variables; each != nullptr;
       each = each->next_variable)
    ++count;
  return count;
}

// How long the library makes it.
std::size_t built(netsnmp_pdu& pdu) {
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = pdu.version;
  std::size_t size = SNMP_MIN_MAX_LEN, length = 0;
  auto* buffer = static_cast<u_char*>(std::malloc(size));
  const int status = snmp_build(&buffer, &size, &length, &session, &pdu);
  std::free(buffer);
  EXPECT_EQ(status, 0);
  return length;
}

std::size_t built(const netsnmp_variable_list& binding) {
  std::size_t size = SNMP_MIN_MAX_LEN, length = 0;
  std::size_t name_length = binding.name_length;
  auto* buffer = static_cast<u_char*>(std::malloc(size));
  const int built =
      snmp_realloc_rbuild_var_op(&buffer, &size, &length, 1, binding.name, &name_length,
                                 binding.type, binding.val.string, binding.val_len);
  std::free(buffer);
  EXPECT_EQ(built, 1);
  return length;
}

TEST(MessageSize, OfABindingIsToTheOctetWhatTheLibraryMakes) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 20'000; ++round) {
    const Pdu pdu = response(SNMP_VERSION_2c);
    add_any_binding(*pdu, random);
    ASSERT_EQ(encoded_size(*pdu->variables), built(*pdu->variables))
        << "type " << int{pdu->variables->type} << " under "
        << snmp::to_text(name_of(*pdu->variables));
  }
}

TEST(MessageSize, OfACommunitysMessageIsToTheOctetWhatTheLibraryMakes) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 2'000; ++round) {
    const Pdu pdu = community_response(random);
    for (std::size_t i = random.below(60); i > 0; --i)
      add_any_binding(*pdu, random);
    ASSERT_EQ(message_size(*pdu), built(*pdu));
  }
}

TEST(MessageSize, ACutResponseIsTheLongestThatFits) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 2'000; ++round) {
    const Pdu pdu = community_response(random);
    for (std::size_t i = random.below(60); i > 0; --i)
      add_any_binding(*pdu, random);
    const Pdu whole(snmp_clone_pdu(pdu.get()));
    const std::size_t limit = SNMP_MIN_MAX_LEN + random.below(3'000);
    cut_to(*pdu, limit);
    const std::size_t left = count_of(*pdu);
    EXPECT_LE(built(*pdu), limit);
    if (left == count_of(*whole))
      continue;
    std::size_t bindings = 0;
    const netsnmp_variable_list* each = whole->variables;
    for (std::size_t i = 0; i <= left; ++i, each = each->next_variable)
      bindings += encoded_size(*each);
    EXPECT_GT(message_size(*whole, bindings, 0), limit) << "one more would have fitted";
  }
}

TEST(MessageSize, OfACutResponseNothingMayBeLeft) {
  Random random;
  SCOPED_TRACE(random.text());
  const Pdu pdu = response(SNMP_VERSION_2c);
  add_any_binding(*pdu, random);
  add_any_binding(*pdu, random);
  cut_to(*pdu, 20);
  EXPECT_EQ(pdu->variables, nullptr);
  cut_to(*pdu, 20);
  EXPECT_EQ(pdu->variables, nullptr);
}

// Without a user, as in an answer to a stranger.
Pdu v3_response(Random& random, const std::string& engine, const std::string& context) {
  Pdu pdu = response(SNMP_VERSION_3);
  pdu->msgid = static_cast<std::int32_t>(any_number(random) & INT32_MAX);
  pdu->reqid = static_cast<std::int32_t>(any_number(random));
  pdu->securityModel = SNMP_SEC_MODEL_USM;
  pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  const auto copy = [](const std::string& text) {
    return netsnmp_memdup(text.data(), text.size());
  };
  pdu->contextEngineID = static_cast<u_char*>(copy(engine));
  pdu->contextEngineIDLen = engine.size();
  pdu->securityEngineID = static_cast<u_char*>(copy(engine));
  pdu->securityEngineIDLen = engine.size();
  pdu->contextName = static_cast<char*>(copy(context));
  pdu->contextNameLen = context.size();
  return pdu;
}

TEST(MessageSize, OfAMessageOfSnmpv3IsWhatItsPartsMake) {
  Random random;
  SCOPED_TRACE(random.text());
  const std::string engine(17, 'e'), context = "blue";
  const Pdu pdu = v3_response(random, engine, context);
  pdu->msgid = 1;
  pdu->reqid = 1;
  const Pdu authenticated(snmp_clone_pdu(pdu.get()));
  authenticated->securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
  const Pdu encrypted(snmp_clone_pdu(pdu.get()));
  encrypted->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
  const std::size_t version = 3, global = 2 + 3 + 6 + 3 + 3;
  const std::size_t security = 2 + 2 + (2 + 17) + 6 + 6 + 2 + 2 + 2;
  const std::size_t scoped = 2 + (2 + 17) + (2 + 4) + (2 + 3 + 3 + 3 + 2);
  EXPECT_EQ(message_size(*pdu, 0, 0), 2 + version + global + security + scoped);
  EXPECT_EQ(message_size(*authenticated, 0, 12), 2 + version + global + security + 12 + scoped);
  EXPECT_EQ(message_size(*encrypted, 0, 12),
            3 + version + global + security + 12 + 8 + 2 + scoped + 8);
}

// ---- What a stream begins with ----

TEST(MessageSize, OfAStreamIsToldByItsFirstOctets) {
  EXPECT_EQ(awaited_size(Octets{}), 0U);
  EXPECT_EQ(awaited_size(Octets{0x30}), 0U);
  EXPECT_EQ(awaited_size(Octets{0x30, 0x05}), 7U);
  EXPECT_EQ(awaited_size(Octets{0x30, 0x81}), 0U);
  EXPECT_EQ(awaited_size(Octets{0x30, 0x81, 0xff}), 3U + 0xff);
  EXPECT_EQ(awaited_size(Octets{0x30, 0x82, 0x01, 0x00, 0x55}), 4U + 0x100);
}

TEST(MessageSize, OfWhatIsNoMessageIsMoreThanTheLongest) {
  for (const Octets& stream : std::vector<Octets>{{0x16},
                                                  {'G', 'E', 'T', ' '},
                                                  {0x30, 0x80},
                                                  {0x30, 0xff},
                                                  {0x30, 0x83, 0x01, 0x00, 0x00},
                                                  {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}})
    EXPECT_GT(awaited_size(stream), kLongestMessage) << testing::PrintToString(stream);
}

}  // namespace
}  // namespace tcpmibd::agent
