#include "agent/config/access_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace tcpmibd::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<AccessLine> lines(const std::string& text) {
  return access_lines("access", text).value();
}

std::string error_of(const std::string& text) {
  const auto read = access_lines("access", text);
  return read ? "no error" : read.error().text();
}

TEST(AccessFile, LinesHaveTheirNumberTheirWordAndTheirValue) {
  const std::vector<AccessLine> found =
      lines("# who may read\n\n  rocommunity\tpublic 127.0.0.1  \r\nsyslocation here");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].number, 3U);
  EXPECT_EQ(found[0].word, "rocommunity");
  EXPECT_EQ(found[0].value, "public 127.0.0.1");
  EXPECT_EQ(found[1].number, 4U);
}

TEST(AccessFile, BlankLinesAndCommentsSayNothing) {
  EXPECT_THAT(lines("\n \t\n# rocommunity public\n"), IsEmpty());
}

TEST(AccessFile, CaseDoesNotCount) { EXPECT_THAT(lines("RoCommunity public"), SizeIs(1)); }

TEST(AccessFile, WhatTheDocumentsNameIsAllowed) {
  EXPECT_THAT(lines("createUser operator SHA-256 \"a long phrase\" AES \"another phrase\"\n"
                    "view tcponly included .1.3.6.1.2.1.6\n"
                    "rouser operator priv -V tcponly\n"
                    "rocommunity6 monitoring ::1 -V tcponly\n"
                    "group closers usm closer\n"
                    "access closers \"\" usm priv exact a b none\n"
                    "com2sec one default public\n"
                    "trap2sink 127.0.0.1 public\n"
                    "trapsess -Ci -v 3 -u operator -l authPriv -a SHA -A \"it is -Loud\" -x AES "
                    "-X 'a \\-phrase' 127.0.0.1:162\n"
                    "sysname here\n"),
              SizeIs(10));
}

struct Mistaken {
  const char* name;
  std::string line;
  const char* what;
};

std::ostream& operator<<(std::ostream& stream, const Mistaken& it) { return stream << it.line; }

class RefusedAccessLine : public testing::TestWithParam<Mistaken> {};

TEST_P(RefusedAccessLine, IsToldByFileLineAndWord) {
  EXPECT_THAT(error_of("rocommunity public\n" + GetParam().line + "\n"),
              testing::AllOf(testing::StartsWith("access:2: "), HasSubstr(GetParam().what)));
}

const Mistaken kMistaken[] = {
    {"Unknown", "rocomunity public", "unknown word 'rocomunity'; did you mean 'rocommunity'?"},
    {"UnknownAtAll", "zzzzzz 1", "unknown word 'zzzzzz'"},
    {"AgentUser", "agentuser root", "'agentuser' is refused: tcpmibd does not change its user"},
    {"AgentGroup", "agentgroup root", "User="},
    {"AgentAddress", "agentAddress udp:161", "set standalone.address"},
    {"Smux", "smuxpeer 1.3 x", "no SMUX"},
    {"Master", "master agentx", "'master' is refused: tcpmibd is no AgentX master"},
    {"AgentXSocket", "agentXSocket /a", "no AgentX master"},
    {"IncludeFile", "includeFile other", "no other file is read"},
    {"IncludeDir", "includeDir /etc", "no other file is read"},
    {"Include", "include other", "no other file is read"},
    {"Pass", "pass .1.3 /bin/true", "runs no programs"},
    {"Extend", "extend a /bin/true", "runs no programs"},
    {"Dlmod", "dlmod a /a.so", "loads no modules"},
    {"Perl", "perl do('/a')", "runs no programs"},
    {"Proxy", "proxy -v1 host .1.3", "asks no other agent"},
    {"EngineId", "engineID x", "standalone.state"},
    {"EngineBoots", "engineBoots 1", "standalone.state"},
    {"LogOption", "logOption f /a", "log.target"},
    {"CertSecName", "certSecName 1 /a --sn x", "without TLS"},
    {"Section", "[snmp]", "'[snmp]' begins a section"},
    {"SectionOfALine", "[snmp] mibfile /a", "'[snmp]' begins a section"},
    {"NoValue", "rocommunity", "'rocommunity' says nothing"},
    {"ACommentForAValue", "rocommunity # public", "'rocommunity' says nothing"},
    {"Quoted", "\"rocommunity\" public", "unknown word"},
    {"Long", "syslocation " + std::string(2000, 'a'), "longer than 1000"},
    {"TrapsessLog", "trapsess -Lf /a host", "'trapsess' takes no '-Lf'"},
    {"TrapsessQuoted", "trapsess -v 2c \"-L\" \"f /a\" host", "'trapsess' takes no '-L'"},
    {"TrapsessEscaped", "trapsess -v 2c -\\Lf /a host", "'trapsess' takes no '-Lf'"},
    {"TrapsessJoined", "TrapSess -v ''-Yx host", "'trapsess' takes no '-Yx'"},
    {"TrapsessLong", "trapsess --persistentDir=/a host", "'trapsess' takes no '--persistentDir"},
};

INSTANTIATE_TEST_SUITE_P(Lines, RefusedAccessLine, testing::ValuesIn(kMistaken),
                         [](const auto& of) { return of.param.name; });

TEST(AccessFile, AWordCannotSteerATerminal) {
  EXPECT_EQ(error_of("a\x1b[2J b"), "access:1: unknown word 'a\\x1b[2J'");
}

TEST(AccessFile, KnowsWhetherItAdmitsThoseWithoutAnAddress) {
  const auto admits = [](std::string_view text) {
    return admit_without_address(access_lines("access", text).value());
  };
  EXPECT_FALSE(admits("rocommunity public\ncom2sec here default public\n"));
  EXPECT_TRUE(admits("COM2SECUNIX here default public\n"));
  EXPECT_TRUE(admits("rouser operator priv\n"));
}

}  // namespace
}  // namespace tcpmibd::agent
