#include "base/backlog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/message_ids.h"

namespace tcpmibd::log {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Whoever reads: takes so many more, and counts how often it was asked.
struct Reader {
  std::size_t takes = 0;
  std::vector<std::string> taken{};
  std::string last_id{};  // the MESSAGE_ID of the last one; empty: it has none
};

class OutletTo final : public Outlet {
 public:
  explicit OutletTo(Reader& reader) : reader_(reader) {}

  bool write(const Record& record) override {
    if (reader_.takes == 0)
      return false;
    --reader_.takes;
    reader_.taken.push_back(record.message);
    reader_.last_id = record.fields.empty() ? "" : record.fields[0].second;
    return true;
  }

 private:
  Reader& reader_;
};

class BacklogTest : public testing::Test {
 protected:
  void write(const std::string& message) { backlog_.write({.message = message}); }

  Reader reader_;
  Backlog backlog_{std::make_unique<OutletTo>(reader_)};
};

TEST_F(BacklogTest, WhatIsTakenIsNotKept) {
  reader_.takes = 2;
  write("a");
  write("b");
  EXPECT_THAT(reader_.taken, ElementsAre("a", "b"));
  EXPECT_FALSE(backlog_.is_behind());
}

TEST_F(BacklogTest, WhatIsNotTakenComesLaterInItsOrder) {
  write("a");
  write("b");
  EXPECT_TRUE(backlog_.is_behind());
  reader_.takes = 1;
  write("c");
  EXPECT_THAT(reader_.taken, ElementsAre("a"));
  reader_.takes = 10;
  backlog_.catch_up();
  EXPECT_THAT(reader_.taken, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(backlog_.is_behind());
  write("d");
  EXPECT_THAT(reader_.taken, SizeIs(4));
}

TEST_F(BacklogTest, WhatDoesNotFitIsDroppedAndCountedWhereItIsMissing) {
  const std::string line(1000, 'x');
  std::size_t written = 0;
  for (; written < 1000; ++written)
    write(line);
  reader_.takes = 100;
  backlog_.catch_up();
  write("after a hole, whatever room there is");
  ++written;
  reader_.takes = written;
  backlog_.catch_up();
  const std::size_t kept = reader_.taken.size() - 1;
  EXPECT_LE(kept * line.size(), Backlog::kMostOctets);
  EXPECT_GT(kept * line.size(), Backlog::kMostOctets / 2);
  EXPECT_EQ(reader_.taken.back(), "here " + std::to_string(written - kept) +
                                      " lines are missing from the log: nobody took them in time");
  EXPECT_EQ(reader_.last_id, kLinesLost.id);
  reader_.taken.pop_back();
  EXPECT_THAT(reader_.taken, Each(line));
  write("next");
  EXPECT_EQ(reader_.taken.back(), "next");
  EXPECT_FALSE(backlog_.is_behind());
}

TEST_F(BacklogTest, AHoleIsToldOnceThoughTheTellingHasToWaitAsWell) {
  const std::string line(Backlog::kMostOctets / 2, 'x');
  for (int i = 0; i < 3; ++i)
    write(line);
  reader_.takes = 1;
  backlog_.catch_up();
  EXPECT_TRUE(backlog_.is_behind());
  write("b");
  reader_.takes = 10;
  for (int i = 0; i < 3; ++i)
    backlog_.catch_up();
  EXPECT_THAT(
      reader_.taken,
      ElementsAre(line, "here 2 lines are missing from the log: nobody took them in time", "b"));
}

TEST_F(BacklogTest, AnotherOutletGetsWhatTheOldOneDidNotTake) {
  write("a");
  Reader other{.takes = 10};
  backlog_.redirect(std::make_unique<OutletTo>(other));
  write("b");
  EXPECT_THAT(other.taken, ElementsAre("a", "b"));
  EXPECT_THAT(reader_.taken, IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::log
