#include "base/message_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/read_file.h"

namespace tcpmibd::log {
namespace {

using testing::HasSubstr;

std::string text_of(const std::string& file) {
  return tcpmibd::read_file(std::string(TCPMIBD_SOURCE_DIR) + file).value_or("");
}

long count_of(const std::string& part, const std::string& text) {
  long count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// The entries of the catalog begin with "-- " and the id (Journal Message Catalogs, systemd.io).
TEST(MessageIds, AreThoseOfTheDocumentationAndOfTheCatalog) {
  const std::string page = text_of("/docs/troubleshooting.md");
  const std::string catalog = text_of("/systemd/tcpmibd.catalog");
  for (const MessageId* each : kMessageIds) {
    const std::string id(each->id);
    EXPECT_THAT(page, HasSubstr("| `" + id + "` | " + std::string(each->event) + " |\n"));
    EXPECT_THAT(catalog, HasSubstr("\n-- " + id + "\nSubject: "));
  }
  EXPECT_EQ(count_of("\n-- ", catalog), std::ssize(kMessageIds));
}

TEST(MessageIds, Are128BitsEachOfItsOwn) {
  std::set<std::string_view> ids;
  for (const MessageId* each : kMessageIds) {
    EXPECT_EQ(each->id.size(), 32u);
    EXPECT_EQ(each->id.find_first_not_of("0123456789abcdef"), std::string_view::npos);
    EXPECT_TRUE(ids.insert(each->id).second) << each->id;
  }
}

TEST(MessageIds, AreAFieldOfTheJournal) {
  const Field field = field_of(kAlarmRaised);
  EXPECT_EQ(field.name, "MESSAGE_ID");
  EXPECT_EQ(field.value, "40d60f1930cf4df99f84b3d02a452927");
}

}  // namespace
}  // namespace tcpmibd::log
