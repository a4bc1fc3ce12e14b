#include "service/scheduler.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stage_group.h"
#include "catalog/store.h"
#include "service/schedule_service.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::seconds kLease{15};

Instant At(const std::string& text) {
  return ParseInstant(text).value();
}

std::set<std::string> Texts(const std::set<Instant>& instants) {
  std::set<std::string> texts;
  for (const Instant instant : instants) {
    texts.insert(FormatInstant(instant));
  }
  return texts;
}

class SchedulerTest : public repo::RepositoryFixture {
 protected:
  SchedulerTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    const domain::Organization organization{.id = NewId<OrganizationId>(), .name = "org"};
    catalog_->AddOrganization(organization);
    catalog_->AddProject({.id = project_,
                          .organization = organization.id,
                          .name = "project",
                          .created = clock_.Now()});
  }

  template <class Id>
  Id NewId() {
    return Id::Generate(clock_.Now(), system_random_);
  }

  domain::Cluster AddCluster(domain::Tier tier, bool paused = false) {
    const domain::Cluster cluster{.id = NewId<ClusterId>(),
                                  .project = project_,
                                  .name = "c" + std::to_string(clusters_++),
                                  .tier = tier,
                                  .topology = domain::Topology::kReplicaSet,
                                  .paused = paused,
                                  .created = clock_.Now()};
    catalog_->AddCluster(cluster);
    return cluster;
  }

  // In place of the engine: every job that waits ends at once.
  void RunJobs(domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    while (const auto job = catalog_->ClaimJob("node", clock_.Now(), kLease)) {
      domain::Snapshot snapshot = catalog_->FindSnapshot(SnapshotId(job->subject)).value();
      snapshot.state = state;
      snapshot.finished = clock_.Now();
      snapshot.failure = state == domain::SnapshotState::kFailed ? "no disk" : "";
      EXPECT_TRUE(catalog_->FinishSnapshot({job->id, job->fence}, snapshot));
      ++ran_;
    }
  }

  // A pass, its jobs, and a pass that sees their end.
  void Pass(domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    scheduler_.RunOnce();
    RunJobs(state);
    scheduler_.RunOnce();
  }

  // Passes every `tick` until `end`.
  void RunUntil(Instant end,
                std::chrono::microseconds tick,
                domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    while (clock_.Now() < end) {
      clock_.Set(std::min(end, clock_.Now() + tick));
      Pass(state);
    }
  }

  // Due times of the completed snapshots that there are.
  std::set<Instant> Kept(const domain::Cluster& cluster) {
    std::set<Instant> kept;
    const auto listing = catalog_->ListSnapshots(
        cluster.id,
        {domain::SnapshotState::kCompleted, domain::SnapshotState::kCompleted},
        {.size = 10'000});
    for (const domain::Snapshot& snapshot : listing.rows) {
      kept.insert(snapshot.scheduled);
    }
    return kept;
  }

  domain::ScheduleRun RunOf(const domain::Cluster& cluster) {
    return catalog_->FindSchedule(cluster.id).value().run;
  }

  std::string NewestDue(const domain::Cluster& cluster) {
    const std::set<Instant> kept = Kept(cluster);
    return kept.empty() ? "none" : FormatInstant(*kept.rbegin());
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{At("2026-11-25T10:20:30Z")};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  int woken_ = 0;
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [this] { ++woken_; }};
  RepositoryService maintenance_{environment_};
  ScheduleService schedules_{environment_, Schedules::kOn};
  Scheduler scheduler_{environment_, maintenance_, {}};
  int clusters_ = 0;
  int ran_ = 0;
};

TEST_F(SchedulerTest, NothingIsDueAtRegistration) {
  const domain::Cluster shared = AddCluster(domain::Tier::kShared);
  const domain::Cluster dedicated = AddCluster(domain::Tier::kDedicated);
  Pass();
  EXPECT_EQ(ran_, 0);
  EXPECT_EQ(woken_, 0);
  EXPECT_EQ(FormatInstant(RunOf(shared).next_due.value()), "2026-11-26T10:20:00Z");
  EXPECT_EQ(FormatInstant(RunOf(dedicated).next_due.value()), "2026-11-25T16:20:00Z");
}

TEST_F(SchedulerTest, QueuesWhatIsDueOnce) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  scheduler_.RunOnce();
  clock_.Set(At("2026-11-26T10:20:00Z"));
  scheduler_.RunOnce();
  scheduler_.RunOnce();
  EXPECT_EQ(woken_, 1);
  const auto listing = catalog_->ListSnapshots(cluster.id, {});
  ASSERT_EQ(listing.rows.size(), 1U);
  const domain::Snapshot& snapshot = listing.rows[0];
  EXPECT_EQ(snapshot.state, domain::SnapshotState::kPending);
  EXPECT_EQ(snapshot.project, project_);
  EXPECT_EQ(snapshot.cluster_name, cluster.name);
  EXPECT_EQ(snapshot.scheduled, clock_.Now());
  EXPECT_EQ(snapshot.expires, clock_.Now() + days{8});
  EXPECT_EQ(snapshot.due, clock_.Now());
}

TEST_F(SchedulerTest, AServerThatStartsAnewGoesOnWhereItWas) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  scheduler_.RunOnce();
  clock_.Set(At("2026-11-26T10:20:00Z"));
  scheduler_.RunOnce();
  Scheduler(environment_, maintenance_, {}).RunOnce();
  RunJobs();
  Scheduler(environment_, maintenance_, {}).RunOnce();
  EXPECT_EQ(ran_, 1);
  EXPECT_TRUE(RunOf(cluster).settled);
}

TEST_F(SchedulerTest, AYearOfTheSharedTierKeepsEight) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  const Instant start = At("2026-11-25T10:20:00Z");
  const auto first_of_all = [&] { return catalog_->ListSnapshots(cluster.id, {}).rows.back().id; };
  SnapshotId oldest;
  for (int day = 1; day <= 365; ++day) {
    RunUntil(start + days{day}, hours{6});
    oldest = day == 1 ? first_of_all() : oldest;
    // Its row is remembered for 90 days after the 9th day, on which it expired.
    ASSERT_EQ(catalog_->FindSnapshot(oldest).has_value(), day <= 9 + 90) << day;
    ASSERT_EQ(ran_, day);
    ASSERT_EQ(Kept(cluster).size(), std::min<std::size_t>(day, 8)) << day;
    ASSERT_EQ(*Kept(cluster).rbegin(), start + days{day});
  }
  EXPECT_EQ(RunOf(cluster).missed, 0);
}

// What the recorded policy keeps of `taken` at `now`, said in other words than the code's.
std::set<Instant> PolicyKept(const std::set<Instant>& taken, Instant now, hours reference) {
  std::set<Instant> kept;
  for (const Instant at : taken) {
    const hours age = std::chrono::floor<hours>(now - at);
    const auto day = std::chrono::floor<days>(at);
    const bool daily = at - day == reference;
    const bool saturday = (day.time_since_epoch().count() + 4) % 7 == 6;
    const bool month_end = FormatInstant(at + days{1}).substr(8, 2) == "01";
    const bool december = FormatInstant(at).substr(5, 5) == "12-01";
    if (age < days{7} || (daily && saturday && age < days{28}) || (daily && month_end) ||
        (daily && december) || at == *taken.begin()) {
      kept.insert(at);
    }
  }
  return kept;
}

TEST_F(SchedulerTest, AYearOfTheRecordedPolicyKeepsWhatItSays) {
  clock_.Set(At("2027-01-01T00:00:00Z"));
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  const Instant start = clock_.Now();
  scheduler_.RunOnce();
  std::set<Instant> taken;
  for (int day = 1; day <= 365; ++day) {
    for (int quarter = 1; quarter <= 4; ++quarter) {
      taken.insert(start + days{day - 1} + hours{6 * quarter});
      RunUntil(*taken.rbegin(), hours{3});
    }
    ASSERT_EQ(Texts(Kept(cluster)), Texts(PolicyKept(taken, clock_.Now(), hours{0}))) << day;
  }
  // 28 of seven days, 3 more Saturdays, the ends of 12 months, the first of December, and the first
  // of all; of the months' ends the 31st of December is among the days.
  EXPECT_EQ(Kept(cluster).size(), 28U + 3U + 12U + 1U + 1U - 1U);
  EXPECT_EQ(ran_, 4 * 365);
  EXPECT_EQ(RunOf(cluster).missed, 0);
  // Twelve months after the ends of January and February; the first of all has gone after a year.
  RunUntil(At("2028-01-30T18:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(At("2027-01-31T00:00:00Z")), 1U);
  EXPECT_EQ(Kept(cluster).count(At("2027-01-01T06:00:00Z")), 0U);
  RunUntil(At("2028-01-31T00:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(At("2027-01-31T00:00:00Z")), 0U);
  RunUntil(At("2028-03-01T00:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(At("2027-02-28T00:00:00Z")), 0U);
  EXPECT_EQ(Kept(cluster).count(At("2028-02-29T00:00:00Z")), 1U);
  EXPECT_EQ(Kept(cluster).count(At("2027-12-01T00:00:00Z")), 1U);
}

TEST_F(SchedulerTest, ExtraDaysAreKeptFromTheReferenceTimeOn) {
  clock_.Set(At("2027-01-01T00:00:00Z"));  // a Friday
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  schedules_.Change(cluster, [](domain::Schedule& schedule) {
    schedule.reference_minute = 5 * 60 + 30;
    schedule.items = {{domain::Frequency::kHourly, 12, domain::RetentionUnit::kDays, 1},
                      {domain::Frequency::kWeekly, 3, domain::RetentionUnit::kWeeks, 2}};
    schedule.extra = {{.frequency = domain::Frequency::kHourly, .days = 2},
                      {.frequency = domain::Frequency::kWeekly, .days = 3}};
  });
  const Instant first = At("2027-01-01T05:30:00Z");
  for (int half = 0; half < 2 * 120; ++half) {
    RunUntil(first + half * hours{12}, hours{12});
    std::set<Instant>
        expected;  // 3 days; 17 days for the first of all and those of Wednesdays, 05:30
    for (int past = 0; past <= half; ++past) {
      const int age = half - past;
      if (age < 2 * 3 || (age < 2 * 17 && (past == 0 || past % 14 == 10))) {
        expected.insert(first + past * hours{12});
      }
    }
    ASSERT_EQ(Texts(Kept(cluster)), Texts(expected)) << half;
  }
  EXPECT_EQ(ran_, 2 * 120);
}

TEST_F(SchedulerTest, AfterADowntimeOneStandsForAllAndIsKeptLikeThem) {
  clock_.Set(At("2027-01-01T00:00:00Z"));
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  scheduler_.RunOnce();
  RunUntil(At("2027-01-29T18:00:00Z"), hours{6});
  const int before = ran_;
  // Down over Saturday the 30th and the end of the month.
  clock_.Set(At("2027-02-02T14:00:00Z"));
  Pass();
  EXPECT_EQ(ran_, before + 1);
  EXPECT_EQ(NewestDue(cluster), "2027-02-02T12:00:00Z");
  EXPECT_EQ(RunOf(cluster).missed, 14);
  EXPECT_EQ(FormatInstant(RunOf(cluster).last_missed.value()), "2027-02-02T06:00:00Z");
  Pass();
  EXPECT_EQ(ran_, before + 1);
  // It is the weekly of the 30th and the monthly of January; an ordinary one lives for a week.
  const Instant stand_in = At("2027-02-02T12:00:00Z");
  const domain::Snapshot newest = catalog_->ListSnapshots(cluster.id, domain::Page()).rows.front();
  EXPECT_EQ(newest.due, stand_in);
  EXPECT_EQ(newest.frequency, domain::Frequency::kMonthly);
  const auto items = catalog_->FindSchedule(cluster.id).value().items;
  EXPECT_THAT(newest.policy_items,
              testing::ElementsAre(items[0].id, items[1].id, items[2].id, items[3].id));
  RunUntil(At("2027-03-31T00:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(stand_in), 1U);
  EXPECT_EQ(Kept(cluster).count(At("2027-02-02T18:00:00Z")), 0U);
  RunUntil(At("2028-02-02T06:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(stand_in), 1U);
  RunUntil(At("2028-02-02T12:00:00Z"), hours{6});
  EXPECT_EQ(Kept(cluster).count(stand_in), 0U);
}

TEST_F(SchedulerTest, AFailedOneIsTriedTwiceAgain) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  scheduler_.RunOnce();
  clock_.Set(At("2026-11-26T10:20:00Z"));
  RunUntil(At("2026-11-26T14:00:00Z"), minutes{1}, domain::SnapshotState::kFailed);
  EXPECT_EQ(ran_, 3);
  EXPECT_EQ(RunOf(cluster).missed, 1);
  EXPECT_THAT(RunOf(cluster).missed_reason, testing::EndsWith("failed: no disk"));
  RunUntil(At("2026-11-27T10:20:00Z"), minutes{10});
  EXPECT_EQ(ran_, 4);
  EXPECT_EQ(NewestDue(cluster), "2026-11-27T10:20:00Z");
  EXPECT_EQ(RunOf(cluster).missed, 1);
}

TEST_F(SchedulerTest, ASecondTryThatWorksIsNoMiss) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  scheduler_.RunOnce();
  clock_.Set(At("2026-11-26T10:20:00Z"));
  Pass(domain::SnapshotState::kFailed);
  RunUntil(At("2026-11-26T12:00:00Z"), minutes{1});
  EXPECT_EQ(ran_, 2);
  EXPECT_EQ(RunOf(cluster).missed, 0);
  EXPECT_EQ(NewestDue(cluster), "2026-11-26T10:20:00Z");
}

TEST_F(SchedulerTest, WhileEverythingFailsTheLastGoodOnesStay) {
  const domain::Cluster shared = AddCluster(domain::Tier::kShared);
  const domain::Cluster dedicated = AddCluster(domain::Tier::kDedicated);
  scheduler_.RunOnce();
  RunUntil(clock_.Now() + days{10}, hours{6});
  const std::set<Instant> good = Kept(shared);
  RunUntil(clock_.Now() + days{800}, days{1}, domain::SnapshotState::kFailed);
  EXPECT_EQ(Kept(shared), good);
  EXPECT_EQ(good.size(), 8U);
  EXPECT_THAT(Texts(Kept(dedicated)), ElementsAre("2026-12-05T10:20:00Z"));
  EXPECT_GT(RunOf(shared).missed, 700);
}

// A clock that was wrong for a while must not stop snapshots for as long as it was ahead.
TEST_F(SchedulerTest, AClockThatWasYearsAheadDelaysNothing) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  RunUntil(At("2026-11-26T11:00:00Z"), hours{1});
  clock_.Set(At("2038-01-19T03:14:07Z"));
  Pass();
  EXPECT_GT(RunOf(cluster).next_due.value(), At("2038-01-19T03:14:07Z"));
  clock_.Set(At("2026-11-26T12:00:00Z"));
  Pass();
  EXPECT_EQ(FormatInstant(RunOf(cluster).next_due.value()), "2026-11-27T10:20:00Z");
  RunUntil(At("2026-11-28T11:00:00Z"), hours{1});
  const std::set<std::string> kept = Texts(Kept(cluster));
  EXPECT_TRUE(kept.contains("2026-11-27T10:20:00Z"));
  EXPECT_TRUE(kept.contains("2026-11-28T10:20:00Z"));
}

TEST_F(SchedulerTest, AClockThatWasSetRightWhileNoServerRanDelaysNothing) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  clock_.Set(At("2038-01-19T03:14:07Z"));
  Pass();
  Pass();
  clock_.Set(At("2026-11-26T12:00:00Z"));
  Scheduler anew(environment_, maintenance_, {});
  anew.RunOnce();
  EXPECT_EQ(FormatInstant(RunOf(cluster).next_due.value()), "2026-11-27T10:20:00Z");
}

// Over a due time that has its snapshot: there is no second one, and the next is on time.
TEST_F(SchedulerTest, AClockThatIsSetBackALittleTakesNothingTwice) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  RunUntil(At("2026-11-25T16:20:01Z"), minutes{10});
  EXPECT_EQ(ran_, 1);
  clock_.Set(At("2026-11-25T16:19:58Z"));
  Pass();
  RunUntil(At("2026-11-25T16:40:00Z"), minutes{1});
  EXPECT_EQ(ran_, 1);
  EXPECT_EQ(FormatInstant(RunOf(cluster).next_due.value()), "2026-11-25T22:20:00Z");
  RunUntil(At("2026-11-25T22:30:00Z"), minutes{10});
  EXPECT_EQ(ran_, 2);
  EXPECT_EQ(RunOf(cluster).missed, 0);
}

TEST_F(SchedulerTest, APausedClusterIsLeftAlone) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared, true);
  scheduler_.RunOnce();
  RunUntil(clock_.Now() + days{3}, hours{6});
  EXPECT_EQ(ran_, 0);
  EXPECT_EQ(RunOf(cluster).missed, 0);
}

TEST_F(SchedulerTest, ARemovedClusterTakesNoneAndItsSnapshotsExpireButOne) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  scheduler_.RunOnce();
  RunUntil(clock_.Now() + days{2}, hours{6});
  const int before = ran_;
  catalog_->RemoveCluster(cluster.id, clock_.Now());
  RunUntil(clock_.Now() + days{800}, days{10});
  EXPECT_EQ(ran_, before);
  EXPECT_EQ(Kept(cluster).size(), 1U);
}

TEST_F(SchedulerTest, ManyClustersOfOneMomentAreAllServed) {
  for (int i = 0; i < 250; ++i) {
    AddCluster(domain::Tier::kShared);
  }
  scheduler_.RunOnce();
  clock_.Set(At("2026-11-26T10:20:00Z"));
  Pass();
  EXPECT_EQ(ran_, 250);
}

TEST_F(SchedulerTest, AChangedScheduleIsDueAtItsNewTimes) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  scheduler_.RunOnce();
  schedules_.Change(cluster, [](domain::Schedule& schedule) {
    schedule.items = {{domain::Frequency::kHourly, 1, domain::RetentionUnit::kDays, 1}};
    schedule.reference_minute = 45;
    schedule.keep_last = 2;
  });
  EXPECT_EQ(FormatInstant(RunOf(cluster).next_due.value()), "2026-11-25T10:45:00Z");
  RunUntil(At("2026-11-27T10:50:00Z"), minutes{5});
  EXPECT_EQ(ran_, 49);
  EXPECT_EQ(Kept(cluster).size(), 24U);
  schedules_.Change(cluster, [](domain::Schedule& schedule) { schedule.enabled = false; });
  EXPECT_FALSE(RunOf(cluster).next_due);
  RunUntil(At("2026-12-27T10:50:00Z"), days{1});
  EXPECT_EQ(ran_, 49);
  EXPECT_EQ(Kept(cluster).size(), 2U);
  schedules_.Change(cluster, [](domain::Schedule& schedule) { schedule.enabled = true; });
  EXPECT_EQ(FormatInstant(RunOf(cluster).next_due.value()), "2026-12-27T11:45:00Z");
  EXPECT_EQ(RunOf(cluster).missed, 0);
}

TEST_F(SchedulerTest, AWrongScheduleIsRefused) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  try {
    schedules_.Change(cluster, [](domain::Schedule& schedule) { schedule.keep_last = 0; });
    ADD_FAILURE() << "it was taken";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.reason(), Reason::kInvalidValue);
    EXPECT_THAT(refusal.parameters(), ElementsAre("keepLast"));
    EXPECT_EQ(refusal.message(),
              "changing the schedule of cluster c0: keepLast: it is from 1 to 1000");
  }
  EXPECT_EQ(schedules_.Find(cluster).keep_last, 8);
}

TEST_F(SchedulerTest, ExpiredDataGoAndAreCollectedOnceADay) {
  AddCluster(domain::Tier::kDedicated);
  scheduler_.RunOnce();
  RunUntil(clock_.Now() + hours{12}, hours{6});
  const auto listing = catalog_->ListSnapshots(catalog_->ListClusters(project_, {}).rows[0].id, {});
  const domain::Snapshot old = listing.rows.back();
  repo::CommitSnapshot(*repo_, project_, old.id, repo::TestChunks(1, 5));
  catalog_->UpdateRetention(old.id, {false, clock_.Now(), {}});
  EXPECT_EQ(BlobNames("packs/").size(), 1U);
  scheduler_.RunOnce();
  EXPECT_TRUE(catalog_->FindSnapshot(old.id).value().deleted);
  EXPECT_THAT(repo_->ListManifests(project_), IsEmpty());
  EXPECT_TRUE(maintenance_.RunNext({}));
  EXPECT_THAT(BlobNames("packs/"), IsEmpty());
  // More garbage within the day waits for the next one.
  catalog_->AddGarbage(project_);
  clock_.Advance(hours{23});
  scheduler_.RunOnce();
  EXPECT_FALSE(maintenance_.RunNext({}));
  clock_.Advance(hours{1});
  scheduler_.RunOnce();
  EXPECT_TRUE(maintenance_.RunNext({}));
}

TEST_F(SchedulerTest, WithoutGarbageNothingIsCollected) {
  AddCluster(domain::Tier::kShared);
  RunUntil(clock_.Now() + days{3}, hours{6});
  EXPECT_FALSE(maintenance_.RunNext({}));
}

TEST_F(SchedulerTest, CollectionCanBeTurnedOff) {
  catalog_->AddGarbage(project_);
  Scheduler(environment_, maintenance_, {.collect_every = hours{0}}).RunOnce();
  EXPECT_FALSE(maintenance_.RunNext({}));
}

TEST_F(SchedulerTest, ACollectionThatFailedIsRepeatedTheNextDay) {
  repo::CommitSnapshot(*repo_, project_, first_, repo::TestChunks(1, 5));
  store_->Delete(BlobNames("index/").at(0));
  catalog_->AddGarbage(project_);
  scheduler_.RunOnce();
  EXPECT_TRUE(maintenance_.RunNext({}));
  scheduler_.RunOnce();
  EXPECT_FALSE(maintenance_.RunNext({}));
  clock_.Advance(days{1});
  scheduler_.RunOnce();
  EXPECT_TRUE(maintenance_.RunNext({}));
}

TEST_F(SchedulerTest, WhatACrashLeftBetweenRowAndManifestIsSwept) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  RunUntil(clock_.Now() + days{1}, hours{6});
  const domain::Snapshot snapshot = catalog_->ListSnapshots(cluster.id, {}).rows.at(0);
  repo::CommitSnapshot(*repo_, project_, snapshot.id, repo::TestChunks(1, 5));
  catalog_->MarkSnapshotDeleted(snapshot.id, clock_.Now());  // and here the server ended
  scheduler_.RunOnce();
  EXPECT_THAT(repo_->ListManifests(project_), IsEmpty());
}

TEST_F(SchedulerTest, WorksUntilItIsStopped) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kShared);
  StageGroup threads;
  threads.Start("scheduler", [this](const std::stop_token& stop) { scheduler_.Work(stop); });
  while (!catalog_->FindSchedule(cluster.id)) {
    std::this_thread::yield();
  }
}

// Two servers with one catalog.
TEST(SchedulersOfTwoNodes, TakeEachSnapshotOnce) {
  std::string pattern = (std::filesystem::temp_directory_path() / "scheduler_XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  {
    const auto setup = catalog::OpenSqliteStore({.path = directory / "catalog.db"});
    SystemRandom random;
    ManualClock clock(At("2026-11-25T10:20:00Z"));
    const auto log = MakeNullLog();
    const auto blobs = blob::MakeMemoryStore();
    const repo::MasterKey master{1, 2, 3};
    repo::Repository::Create(*blobs, master, random);
    const auto repository = repo::Repository::Open(*blobs, master, random);
    const domain::Organization organization{OrganizationId::Generate(clock.Now(), random), "org"};
    const ProjectId project = ProjectId::Generate(clock.Now(), random);
    setup->AddOrganization(organization);
    setup->AddProject({project, organization.id, "project", clock.Now()});
    for (int i = 0; i < 5; ++i) {
      setup->AddCluster({.id = ClusterId::Generate(clock.Now(), random),
                         .project = project,
                         .name = "c" + std::to_string(i),
                         .tier = domain::Tier::kDedicated,
                         .created = clock.Now()});
    }
    for (int due = 0; due <= 4; ++due) {
      StageGroup nodes;
      for (int node = 0; node < 2; ++node) {
        nodes.Start("node", [&](const std::stop_token&) {
          const auto store = catalog::OpenSqliteStore({.path = directory / "catalog.db"});
          SystemRandom own_random;
          Environment environment{*store, *repository, clock, own_random, *log, [] {}};
          RepositoryService maintenance(environment);
          Scheduler(environment, maintenance, {}).RunOnce();
        });
      }
      nodes.Wait();
      int queued = 0;
      while (const auto job = setup->ClaimJob("node", clock.Now(), kLease)) {
        domain::Snapshot snapshot = setup->FindSnapshot(SnapshotId(job->subject)).value();
        snapshot.state = domain::SnapshotState::kCompleted;
        EXPECT_TRUE(setup->FinishSnapshot({job->id, job->fence}, snapshot));
        ++queued;
      }
      EXPECT_EQ(queued, due == 0 ? 0 : 5);
      clock.Advance(hours{6});
    }
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace tidemark::service
