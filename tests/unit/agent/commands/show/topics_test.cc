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
tables::Data::Needs needs_of(const View& view) {
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
  for (const View* view : views()) {
    const Topic* topic = topic_named(view->word);
    ASSERT_NE(topic, nullptr) << view->word;
    const tables::Data::Needs needed = needs_of(*view);
    EXPECT_TRUE(topic->needs.snapshot) << view->word;
    EXPECT_TRUE(topic->needs.survey || !needed.survey) << view->word;
    EXPECT_TRUE(topic->needs.owners || !needed.owners) << view->word;
    EXPECT_TRUE(topic->needs.pressure || !needed.pressure) << view->word;
    EXPECT_TRUE(topic->needs.counters || !needed.counters) << view->word;
  }
}

TEST_F(ShowTopics, OfAnUnknownWordAreAnError) {
  const Result<Shown> result = show_all({.what = "nothing"});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("show 'nothing'"));
}

}  // namespace
}  // namespace tcpmibd::agent
