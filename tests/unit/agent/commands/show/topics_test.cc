#include "agent/commands/show/topics.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

#include "agent/commands/show/views.h"
#include "tables/registry.h"
#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using testing::HasSubstr;

class ShowTopics : public Showing {};

// What must be at hand to read a view's table.
tables::Data::Needs needs_of(const TableView& view) {
  const auto entry =
      std::ranges::find(tables::registry(), view.table,
                        [](const tables::Entry& each) { return each.object->name(); });
  return entry->object->needs();
}

TEST_F(ShowTopics, AreFoundByTheirWordsAndBothKindsOfSocketsByNone) {
  std::set<std::string_view> words;
  for (const Topic& topic : topics()) {
    EXPECT_TRUE(words.insert(topic.word).second) << topic.word;
    EXPECT_EQ(topic_named(topic.word), &topic);
  }
  EXPECT_FALSE(words.contains(""));
  EXPECT_NE(topic_named(""), nullptr);
  EXPECT_EQ(topic_named("nothing"), nullptr);
}

TEST_F(ShowTopics, AreNamedByTheirWordsInJson) {
  for (const Topic& topic : topics())
    EXPECT_FALSE(shown_json({.what = std::string(topic.word)}).is_null()) << topic.word;
}

TEST_F(ShowTopics, LookAtWhatTheirTablesNeed) {
  for (const TableView* view : views()) {
    const Topic* topic = topic_named(view->word);
    ASSERT_NE(topic, nullptr) << view->word;
    const tables::Data::Needs needed = needs_of(*view);
    const Evidence::Needs looked = topic->needs.complete();
    EXPECT_TRUE(looked.snapshot || (looked.counts && !needed.survey)) << view->word;
    EXPECT_TRUE(looked.survey || !needed.survey) << view->word;
    EXPECT_TRUE(looked.owners || !needed.owners) << view->word;
    EXPECT_TRUE(looked.pressure || !needed.pressure) << view->word;
    EXPECT_TRUE(looked.counters || !needed.counters) << view->word;
  }
}

TEST_F(ShowTopics, LookAtWhatIsMadeFromSomethingElseWithThat) {
  const Evidence::Needs owners = Evidence::Needs{.owners = true}.complete();
  EXPECT_TRUE(owners.snapshot && owners.processes && owners.survey);
  EXPECT_FALSE(owners.pressure || owners.alarms);
  const Evidence::Needs alarms = Evidence::Needs{.alarms = true}.complete();
  EXPECT_TRUE(alarms.snapshot && alarms.survey && alarms.pressure);
  EXPECT_FALSE(alarms.processes || alarms.owners);
}

TEST_F(ShowTopics, OfAnUnknownWordAreAnError) {
  const Result<Shown> result = show_all({.what = "nothing"});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("show 'nothing'"));
}

}  // namespace
}  // namespace tcpmibd::agent
