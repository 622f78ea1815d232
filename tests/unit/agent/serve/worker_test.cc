#include "agent/serve/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "support/descriptors.h"
#include "support/fakes.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using testing::UnorderedElementsAre;

constexpr int kDeadlineMs = 10'000;

bool has_news(const Worker& worker, int timeout_ms) {
  pollfd waiting{.fd = worker.descriptor(), .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

class WorkerTest : public testing::Test {
 protected:
  // The next news, waited for as the agent's loop does.
  News await() {
    EXPECT_TRUE(has_news(*worker_, kDeadlineMs)) << "no news in time";
    return worker_->take();
  }

  FakeSocketSource sockets_{{listener("0.0.0.0:22", {.inode = 7}),
                             established("10.0.0.1:22", "10.0.0.9:1", {.inode = 8})}};
  FakeProcessLookup processes_{{{.inode = 7, .pid = 700}}};
  FakePressureSource pressure_;
  FakeUnitLookup units_;
  std::unique_ptr<Worker> worker_ =
      Worker::start({sockets_, processes_, pressure_, units_}, tcp::AddressForms{}).value();
};

TEST_F(WorkerTest, DoesNothingUnasked) {
  EXPECT_FALSE(has_news(*worker_, 0));
  EXPECT_EQ(sockets_.dumps(), 0);
  EXPECT_EQ(processes_.faults().calls(), 0);
  const News news = worker_->take();
  EXPECT_EQ(news.snapshot, nullptr);
  EXPECT_EQ(news.processes, nullptr);
}

TEST_F(WorkerTest, PublishesTheSnapshotThatIsWantedAndNoProcesses) {
  const Time before = Clock::now();
  worker_->want_snapshot();
  const News news = await();
  ASSERT_NE(news.snapshot, nullptr);
  EXPECT_EQ(news.snapshot->rows(), 2u);
  EXPECT_GE(news.snapshot->taken_at(), before);
  EXPECT_FALSE(news.snapshot_failure);
  EXPECT_EQ(processes_.faults().calls(), 0);
}

TEST_F(WorkerTest, CountsAloneHaveNoRowsAndAreNoSnapshot) {
  worker_->want_counts();
  const News news = await();
  ASSERT_NE(news.counts, nullptr);
  EXPECT_EQ(news.counts->rows(), 0u);
  EXPECT_EQ(news.counts->count(tcp::State::kEstablished).ipv4, 1u);
  EXPECT_EQ(news.snapshot, nullptr);
  EXPECT_EQ(sockets_.counts(), 1);
}

TEST_F(WorkerTest, CountsThatFailAreToldWithTheirCauseAndTheirBeginning) {
  sockets_.faults().fail_always(true);
  const Time before = Clock::now();
  worker_->want_counts();
  const News news = await();
  EXPECT_EQ(news.counts, nullptr);
  ASSERT_TRUE(news.snapshot_failure);
  EXPECT_GE(news.snapshot_failure->began, before);
}

TEST_F(WorkerTest, ASnapshotThatIsWantedAnywayHasTheCounts) {
  sockets_.faults().hold();
  worker_->want_snapshot();
  ASSERT_TRUE(sockets_.faults().await_calls(1));
  worker_->want_counts();
  sockets_.faults().release();
  EXPECT_NE(await().snapshot, nullptr);
  EXPECT_EQ(sockets_.counts(), 0);
}

TEST_F(WorkerTest, TellsNewsOnce) {
  worker_->want_snapshot();
  EXPECT_NE(await().snapshot, nullptr);
  EXPECT_FALSE(has_news(*worker_, 0));
  EXPECT_EQ(worker_->take().snapshot, nullptr);
}

TEST_F(WorkerTest, AskedOftenDuringADumpReadsOnce) {
  sockets_.faults().hold();
  worker_->want_snapshot();
  ASSERT_TRUE(sockets_.faults().await_calls(1));
  for (int i = 0; i < 5; ++i)
    worker_->want_snapshot();  // The one under way is on its way to all of them.
  sockets_.faults().release();
  await();
  worker_.reset();
  EXPECT_EQ(sockets_.dumps(), 1);
}

TEST_F(WorkerTest, MakesTheNextSnapshotInTheMemoryOfARetiredOne) {
  worker_->want_snapshot();
  News first = await();
  const void* memory = first.snapshot->ipv4().data();
  worker_->retire(std::move(first.snapshot));
  worker_->want_snapshot();
  const News second = await();
  EXPECT_EQ(second.snapshot->ipv4().data(), memory);
  EXPECT_EQ(second.snapshot->rows(), 2u);
}

TEST_F(WorkerTest, LeavesARetiredSnapshotAloneThatSomebodyStillReads) {
  worker_->want_snapshot();
  const News first = await();
  worker_->retire(first.snapshot);
  worker_->want_snapshot();
  EXPECT_NE(await().snapshot->ipv4().data(), first.snapshot->ipv4().data());
  EXPECT_EQ(first.snapshot->rows(), 2u);
}

// Else there would be three: the asker's, the one that waits to be taken, and the one being made.
TEST_F(WorkerTest, AskedWhileASnapshotWaitsToBeTakenMeansThatOne) {
  worker_->want_snapshot();
  ASSERT_TRUE(has_news(*worker_, kDeadlineMs));
  worker_->want_snapshot();
  worker_->want_processes();  // Comes after any snapshot that is wanted.
  ASSERT_TRUE(processes_.faults().await_calls(1));
  EXPECT_EQ(sockets_.dumps(), 1);
}

TEST_F(WorkerTest, AskedAfterADumpHasBeenToldBeginsAnother) {
  worker_->want_snapshot();
  const News first = await();
  const Time asked = Clock::now();
  worker_->want_snapshot();
  const News second = await();
  ASSERT_NE(second.snapshot, nullptr);
  EXPECT_NE(second.snapshot, first.snapshot);
  EXPECT_GE(second.snapshot->taken_at(), asked);
}

TEST_F(WorkerTest, NeverMakesTheAskerWait) {
  sockets_.faults().hold();
  worker_->want_snapshot();
  ASSERT_TRUE(sockets_.faults().await_calls(1));
  auto asking = std::async(std::launch::async, [&] {
    worker_->want_snapshot();
    worker_->want_processes({7});
    return worker_->take();
  });
  EXPECT_EQ(asking.wait_for(Faults::kDeadline), std::future_status::ready);
  sockets_.faults().release();
}

TEST_F(WorkerTest, AFailedDumpIsToldWithItsCauseAndItsBeginning) {
  sockets_.faults().fail_nth(1);
  const Time before = Clock::now();
  worker_->want_snapshot();
  const News failed = await();
  EXPECT_EQ(failed.snapshot, nullptr);
  ASSERT_TRUE(failed.snapshot_failure);
  EXPECT_EQ(failed.snapshot_failure->error.code, ENOBUFS);
  EXPECT_GE(failed.snapshot_failure->began, before);

  worker_->want_snapshot();
  const News next = await();
  EXPECT_NE(next.snapshot, nullptr);
  EXPECT_FALSE(next.snapshot_failure);
}

TEST_F(WorkerTest, NewsNotTakenGiveWayToNewer) {
  sockets_.faults().fail_nth(1);
  worker_->want_snapshot();
  ASSERT_TRUE(has_news(*worker_, kDeadlineMs));
  worker_->want_snapshot();
  ASSERT_TRUE(sockets_.faults().await_calls(2));
  worker_->want_processes();
  ASSERT_TRUE(processes_.faults().await_calls(1));  // Begun only when the snapshot was published.
  const News news = worker_->take();
  EXPECT_NE(news.snapshot, nullptr);
  EXPECT_FALSE(news.snapshot_failure) << "an old failure beside a new snapshot";
}

TEST_F(WorkerTest, AsksForTheHoldersOfEverySocketOfTheSnapshot) {
  worker_->want_snapshot();
  const News kept = await();
  worker_->want_processes({99});
  const News news = await();
  ASSERT_NE(news.processes, nullptr);
  EXPECT_THAT(processes_.asked(), UnorderedElementsAre(7, 8, 99));
  EXPECT_EQ(news.processes->lowest(7), 700u);
  EXPECT_EQ(news.processes->lowest(8), 0u) << "known to be nobody's";
  EXPECT_EQ(news.processes->lowest(1234), std::nullopt);
}

TEST_F(WorkerTest, AsksForTheHoldersOfSocketsThatShareARow) {
  sockets_.set({listener("0.0.0.0:80", {.inode = 31}), listener("0.0.0.0:80", {.inode = 32}),
                listener("0.0.0.0:80", {.inode = 33})});
  worker_->want_snapshot();
  const News kept = await();
  worker_->want_processes();
  const News news = await();
  EXPECT_THAT(processes_.asked(), UnorderedElementsAre(31, 32, 33));
}

TEST_F(WorkerTest, AFailedLookUpIsToldWithItsCause) {
  processes_.faults().fail_nth(1);
  worker_->want_processes();
  const News news = await();
  EXPECT_EQ(news.processes, nullptr);
  ASSERT_TRUE(news.processes_failure);
  EXPECT_EQ(news.processes_failure->error.code, ENOBUFS);
}

TEST_F(WorkerTest, ASnapshotDoesNotWaitForALookUpThatMayNotBeginYet) {
  worker_->want_processes();
  await();
  worker_->want_processes();  // Within a second of the last: put off.
  worker_->want_snapshot();
  const News news = await();
  EXPECT_NE(news.snapshot, nullptr);
  EXPECT_EQ(processes_.faults().calls(), 1);
}

TEST_F(WorkerTest, LookUpsBeginASecondApart) {
  worker_->want_processes();
  const News first = await();
  worker_->want_processes();
  const News second = await();
  ASSERT_NE(first.processes, nullptr);
  ASSERT_NE(second.processes, nullptr);
  EXPECT_GE(second.processes->taken_at() - first.processes->taken_at(), std::chrono::seconds(1));
}

// --------------------------------------------------------------------------------------- Surveys

TEST_F(WorkerTest, ASurveyComesWithItsSnapshot) {
  const Time asked = Clock::now();
  worker_->want_survey(asked);
  const News news = await();
  ASSERT_NE(news.survey, nullptr);
  ASSERT_NE(news.snapshot, nullptr);
  EXPECT_EQ(news.survey->taken_at(), news.snapshot->taken_at());
  EXPECT_GE(news.survey->taken_at(), asked);
  EXPECT_EQ(news.survey->count(tcp::State::kEstablished), 1u);
  EXPECT_EQ(processes_.faults().calls(), 0);
}

TEST_F(WorkerTest, ASnapshotComesWithoutASurveyThatNobodyWants) {
  worker_->want_snapshot();
  EXPECT_EQ(await().survey, nullptr);
}

TEST_F(WorkerTest, ASurveyIsCountedFromASnapshotThatIsYoungEnough) {
  worker_->want_snapshot();
  const News first = await();
  worker_->want_survey(first.snapshot->taken_at());
  const News second = await();
  ASSERT_NE(second.survey, nullptr);
  EXPECT_EQ(second.snapshot, nullptr);
  EXPECT_EQ(second.survey->taken_at(), first.snapshot->taken_at());
  EXPECT_EQ(sockets_.dumps(), 1);
}

TEST_F(WorkerTest, ASurveyIsNotCountedFromASnapshotThatIsTooOld) {
  worker_->want_snapshot();
  const News first = await();
  const Time asked = Clock::now();
  worker_->want_survey(asked);
  const News second = await();
  ASSERT_NE(second.survey, nullptr);
  EXPECT_GE(second.survey->taken_at(), asked);
  EXPECT_EQ(sockets_.dumps(), 2);
}

TEST_F(WorkerTest, ASnapshotThatNobodyKeepsIsNotCountedAgain) {
  worker_->want_snapshot();
  const Time taken_at = await().snapshot->taken_at();
  worker_->want_survey(taken_at);
  EXPECT_NE(await().snapshot, nullptr);
  EXPECT_EQ(sockets_.dumps(), 2);
}

TEST_F(WorkerTest, OneSurveyIsForAllWhoAskedMeanwhile) {
  sockets_.faults().hold();
  worker_->want_snapshot();
  ASSERT_TRUE(sockets_.faults().await_calls(1));
  for (int i = 0; i < 5; ++i)
    worker_->want_survey(Time());
  sockets_.faults().release();
  News news = await();
  const auto snapshot = news.snapshot;
  while (news.survey == nullptr && !HasFailure())
    news = await();
  worker_->want_processes();  // Comes after any survey that is wanted.
  ASSERT_TRUE(processes_.faults().await_calls(1));
  EXPECT_EQ(sockets_.dumps(), 1);
  EXPECT_EQ(pressure_.faults().calls(), 1) << "counted once";
}

TEST_F(WorkerTest, ASurveyThatStillHoldsIsToldAgainAndNotCountedAgain) {
  worker_->want_survey(Time());
  const News first = await();
  worker_->want_survey(Time());
  const News second = await();
  EXPECT_EQ(second.survey, first.survey);
  EXPECT_EQ(pressure_.faults().calls(), 1);
}

TEST_F(WorkerTest, TheYoungestWishOfSeveralHolds) {
  worker_->want_snapshot();
  const News first = await();
  processes_.faults().hold();
  worker_->want_processes();
  ASSERT_TRUE(processes_.faults().await_calls(1));
  const Time asked = Clock::now();
  worker_->want_survey(asked);
  worker_->want_survey(Time());
  processes_.faults().release();
  News news = await();
  while (news.survey == nullptr && !HasFailure())
    news = await();
  EXPECT_GE(news.survey->taken_at(), asked);
}

TEST_F(WorkerTest, ASurveyOfASnapshotThatFailsIsNone) {
  sockets_.faults().fail_nth(1);
  worker_->want_survey(Clock::now());
  const News failed = await();
  EXPECT_EQ(failed.survey, nullptr);
  ASSERT_TRUE(failed.snapshot_failure);
  worker_->want_survey(Clock::now());
  EXPECT_NE(await().survey, nullptr);
}

TEST_F(WorkerTest, CloseWaitsAreAskedAboutWhenTheyAreSeenFirst) {
  const auto close_wait = [](const char* remote) {
    return established("10.0.0.1:22", remote,
                       {.state = tcp::State::kCloseWait, .quiet_ms = 90'000});
  };
  worker_->want_survey(Clock::now());
  await();
  EXPECT_EQ(sockets_.quiet_faults().calls(), 0) << "there are none";
  const tcp::Socket first = close_wait("10.0.0.9:1");
  for (const auto& [sockets, calls] : std::vector<std::pair<std::vector<tcp::Socket>, int>>{
           {{first}, 1}, {{first}, 1}, {{first, close_wait("10.0.0.9:2")}, 2}}) {
    sockets_.set(sockets);
    worker_->want_survey(Clock::now());
    const News news = await();
    ASSERT_NE(news.survey, nullptr);
    EXPECT_EQ(news.survey->ages(tcp::State::kCloseWait).over_1m, sockets.size());
    EXPECT_EQ(sockets_.quiet_faults().calls(), calls);
  }
}

TEST_F(WorkerTest, ASurveyDoesWithoutWhatTheKernelDoesNotTell) {
  sockets_.set({established("10.0.0.1:40000", "10.0.0.9:1",
                            {.state = tcp::State::kCloseWait, .quiet_ms = 90'000})});
  sockets_.quiet_faults().fail_always(true);
  pressure_.faults().fail_always(true);
  worker_->want_survey(Clock::now());
  const News news = await();
  ASSERT_NE(news.survey, nullptr);
  EXPECT_EQ(news.survey->ages(tcp::State::kCloseWait).oldest, 0u);
  EXPECT_EQ(news.survey->ephemeral().used, 0u);
  EXPECT_FALSE(news.survey->knows_drops());
}

TEST_F(WorkerTest, NothingIsReadBesideADumpWhileNobodyWantsSurveys) {
  worker_->want_snapshot();
  const News first = await();
  EXPECT_EQ(pressure_.listen_drops_reads(), 0);
  worker_->want_survey(Clock::now());
  await();
  EXPECT_EQ(pressure_.listen_drops_reads(), 0) << "the first survey has nothing to compare with";
  worker_->want_snapshot();
  const News last = await();
  EXPECT_EQ(pressure_.listen_drops_reads(), 1);
}

class WorkerDropsTest : public WorkerTest {
 protected:
  // What the listener's own counter says, and ListenDrops.
  void set_discards(std::uint32_t count) {
    sockets_.set({listener("0.0.0.0:22", {.cookie = 5, .discards = count})});
  }
  void set_listen_drops(std::uint64_t count) {
    tcp::Pressure pressure = full_pressure();
    pressure.listen_drops = count;
    pressure_.set(pressure);
  }

  // Of a survey that is made now.
  std::uint32_t drops() {
    worker_->want_survey(Clock::now());
    const News news = await();
    EXPECT_NE(news.survey, nullptr);
    return news.survey == nullptr ? ~0u : news.survey->ports()[0].accepting.drops;
  }
};

TEST_F(WorkerDropsTest, AConnectionThatIsLostAfterItsListenerWasReadIsToldByTheNextSurvey) {
  set_discards(7);
  set_listen_drops(100);
  EXPECT_EQ(drops(), 0u);
  sockets_.while_reading([this] { set_listen_drops(101); });
  EXPECT_EQ(drops(), 0u);
  sockets_.while_reading({});
  set_discards(8);
  EXPECT_EQ(drops(), 1u);
  set_discards(9);
  EXPECT_EQ(drops(), 1u) << "nobody lost this one";
}

// Such as a listener that was closed lost.
TEST_F(WorkerDropsTest, ConnectionsThatWereLostLongBeforeAreGivenToNobody) {
  set_discards(7);
  set_listen_drops(100);
  EXPECT_EQ(drops(), 0u);
  set_listen_drops(150);
  EXPECT_EQ(drops(), 0u);
  set_discards(57);
  EXPECT_EQ(drops(), 0u);
}

// The figures of a dump that fails are not those of the last one.
TEST_F(WorkerDropsTest, ADumpThatFailsMeanwhileLosesNothing) {
  set_discards(7);
  set_listen_drops(100);
  EXPECT_EQ(drops(), 0u);
  sockets_.faults().fail_nth(1);
  set_listen_drops(103);
  worker_->want_survey(Clock::now());
  EXPECT_EQ(await().survey, nullptr);
  set_discards(10);
  EXPECT_EQ(drops(), 3u);
}

// ---------------------------------------------------------------------------------------- Owners

TEST_F(WorkerTest, OwnersComeAfterASurveyWithTheMapTheyWereMadeBy) {
  sockets_.set({established("10.0.0.1:22", "10.0.0.9:1",
                            {.state = tcp::State::kCloseWait, .inode = 7, .quiet_ms = 90'000})});
  worker_->want_owners();
  worker_->want_survey(Clock::now());
  News news = await();
  const News kept = news;
  while (news.owners == nullptr && !HasFailure())
    news = await();
  ASSERT_NE(news.processes, nullptr);
  EXPECT_EQ(news.owners->map(), news.processes.get());
  EXPECT_EQ(news.owners->taken_at(), news.processes->taken_at());
  ASSERT_EQ(news.owners->all().size(), 1u);
  EXPECT_EQ(news.owners->all()[0].pid, 700u);
}

TEST_F(WorkerTest, OwnersKnowWhatTheSurveyKnowsOfAges) {
  sockets_.set({established("10.0.0.1:22", "10.0.0.9:1",
                            {.state = tcp::State::kCloseWait, .inode = 7, .quiet_ms = 90'000})});
  worker_->want_survey(Clock::now());
  const News kept = await();
  worker_->want_owners();
  const News news = await();
  ASSERT_NE(news.owners, nullptr);
  EXPECT_EQ(sockets_.dumps(), 1);
  EXPECT_GE(news.owners->all()[0].tally.oldest_close_wait, 90u);
}

TEST_F(WorkerTest, OwnersBringASnapshotWhereThereIsNone) {
  worker_->want_owners();
  const News news = await();
  EXPECT_NE(news.snapshot, nullptr);
  EXPECT_NE(news.owners, nullptr);
  EXPECT_EQ(sockets_.dumps(), 1);
}

TEST_F(WorkerTest, OwnersOfALookUpThatFailsAreNone) {
  processes_.faults().fail_nth(1);
  worker_->want_owners();
  const News news = await();
  EXPECT_EQ(news.owners, nullptr);
  EXPECT_TRUE(news.processes_failure);
}

TEST_F(WorkerTest, OwnersWantedDuringTheirLookUpAreThose) {
  processes_.faults().hold();
  worker_->want_owners();
  ASSERT_TRUE(processes_.faults().await_calls(1));
  worker_->want_owners();
  processes_.faults().release();
  EXPECT_NE(await().owners, nullptr);
  worker_.reset();
  EXPECT_EQ(processes_.faults().calls(), 1);
}

TEST_F(WorkerTest, OwnersWantedDuringALookUpWithoutThemComeWithTheNext) {
  processes_.faults().hold();
  worker_->want_processes();
  ASSERT_TRUE(processes_.faults().await_calls(1));
  worker_->want_owners();
  processes_.faults().release();
  News news = await();
  EXPECT_EQ(news.owners, nullptr);
  news = await();
  EXPECT_NE(news.owners, nullptr);
}

TEST_F(WorkerTest, WithoutADescriptorItDoesNotStart) {
  const WorkerSources sources{sockets_, processes_, pressure_, units_};
  const FewDescriptors none(0);
  const auto worker = Worker::start(sources, {});
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code, EMFILE);
}

TEST_F(WorkerTest, EndsAfterTheDumpUnderWay) {
  sockets_.faults().hold();
  worker_->want_snapshot();
  worker_->want_processes();
  ASSERT_TRUE(sockets_.faults().await_calls(1));
  auto ended = std::async(std::launch::async, [&] { worker_.reset(); });
  sockets_.faults().release();
  EXPECT_EQ(ended.wait_for(Faults::kDeadline), std::future_status::ready);
  EXPECT_EQ(sockets_.dumps(), 1);
}

TEST_F(WorkerTest, EndsAtOnceWhileALookUpIsPutOff) {
  worker_->want_processes();
  await();
  worker_->want_processes();
  auto ended = std::async(std::launch::async, [&] { worker_.reset(); });
  EXPECT_EQ(ended.wait_for(std::chrono::milliseconds(900)), std::future_status::ready);
}

TEST_F(WorkerTest, EndsWithNewsThatNobodyTook) {
  worker_->want_snapshot();
  EXPECT_TRUE(has_news(*worker_, kDeadlineMs));
}

}  // namespace
}  // namespace tcpmibd::agent
