// Exports that schedules ask for, over months of simulated time.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/store.h"
#include "service/schedule_service.h"
#include "service/scheduler.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;

constexpr std::chrono::seconds kLease{15};

class ScheduledExports : public repo::RepositoryFixture {
 protected:
  ScheduledExports() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    catalog_->AddOrganization(organization_);
    catalog_->AddProject(
        {.id = project_, .organization = organization_.id, .name = "web/shop", .created = Now()});
    catalog_->AddExportTarget({.id = NewId<domain::ExportTargetId>(),
                               .project = project_,
                               .bucket = "bucket",
                               .created = Now()});
    catalog_->AddExportBucket(bucket_);
    catalog_->AddCluster(cluster_);
    // Daily, weekly, monthly and so on, as Atlas has it.
    scheduler_.RunOnce();
  }

  Instant Now() const { return clock_.Now(); }

  template <class Id>
  Id NewId() {
    return Id::Generate(Now(), system_random_);
  }

  void ExportEach(domain::Frequency frequency) {
    schedules_.Change(cluster_, [&](domain::Schedule& schedule) {
      schedule.auto_export = true;
      schedule.export_to = {bucket_.id, frequency};
    });
  }

  // In place of engine and exporter: every job that waits ends at once.
  void RunJobs() {
    while (const auto job = catalog_->ClaimJob("node", Now(), kLease)) {
      const domain::Lease lease{job->id, job->fence};
      if (job->kind == domain::JobKind::kExport) {
        EXPECT_TRUE(catalog_->FinishExport(lease, domain::ExportState::kSuccessful, "", Now()));
        continue;
      }
      domain::Snapshot snapshot = catalog_->FindSnapshot(SnapshotId(job->subject)).value();
      snapshot.state = domain::SnapshotState::kCompleted;
      snapshot.finished = Now();
      EXPECT_TRUE(catalog_->FinishSnapshot(lease, snapshot));
    }
  }

  void RunFor(days time) {
    const Instant end = Now() + time;
    while (Now() < end) {
      clock_.Set(Now() + hours{1});
      scheduler_.RunOnce();
      RunJobs();
      scheduler_.RunOnce();
      RunJobs();
    }
  }

  // Days whose snapshot was exported, oldest first; a snapshot counts once.
  std::vector<std::string> ExportedDays() {
    std::set<SnapshotId> snapshots;
    std::multiset<std::string> exported;
    const auto listing = catalog_->ListExports(cluster_.id, {.size = 500});
    for (const domain::ExportJob& job : listing.rows) {
      EXPECT_EQ(job.state, domain::ExportState::kSuccessful);
      EXPECT_EQ(job.bucket, bucket_.id);
      EXPECT_TRUE(job.IsScheduled());
      EXPECT_TRUE(snapshots.insert(job.snapshot).second);
      exported.insert(
          FormatInstant(catalog_->FindSnapshot(job.snapshot).value().scheduled).substr(0, 10));
    }
    return {exported.begin(), exported.end()};
  }

  std::string NewestPrefix() { return catalog_->ListExports(cluster_.id, {}).rows.at(0).prefix; }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{ParseInstant("2026-11-25T10:20:30Z").value()};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  const domain::Organization organization_{.id = NewId<OrganizationId>(), .name = "Acme Inc."};
  const domain::ExportBucket bucket_{.id = NewId<domain::ExportBucketId>(),
                                     .project = project_,
                                     .bucket = "bucket",
                                     .created = Now()};
  const domain::Cluster cluster_{.id = NewId<ClusterId>(),
                                 .project = project_,
                                 .name = "Cluster0",
                                 .tier = domain::Tier::kDedicated,
                                 .topology = domain::Topology::kReplicaSet,
                                 .created = Now()};
  int woken_ = 0;
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [this] { ++woken_; }};
  RepositoryService maintenance_{environment_};
  ScheduleService schedules_{environment_, Schedules::kOn};
  Scheduler scheduler_{environment_, maintenance_, {}};
};

TEST_F(ScheduledExports, EachMonthlySnapshotIsExportedOnce) {
  ExportEach(domain::Frequency::kMonthly);
  RunFor(days{100});
  // The first snapshot of all stands for every item; then the last day of each month.
  EXPECT_THAT(ExportedDays(),
              ElementsAre("2026-11-25", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"));
}

// The snapshot of a day that is also that of a week or a month is exported for the day.
TEST_F(ScheduledExports, EachDailySnapshotIsExportedWhateverElseItIs) {
  ExportEach(domain::Frequency::kDaily);
  RunFor(days{40});
  const std::vector<std::string> exported = ExportedDays();
  EXPECT_EQ(exported.size(), 41U);
  EXPECT_EQ(std::set(exported.begin(), exported.end()).size(), 41U);
}

TEST_F(ScheduledExports, AScheduleThatHasStoppedExportsNoMore) {
  ExportEach(domain::Frequency::kDaily);
  RunFor(days{3});
  const std::size_t before = ExportedDays().size();
  schedules_.Change(cluster_, [](domain::Schedule& schedule) { schedule.auto_export = false; });
  RunFor(days{3});
  EXPECT_EQ(ExportedDays().size(), before);
  schedules_.Change(cluster_, [](domain::Schedule& schedule) { schedule.auto_export = true; });
  RunFor(days{2});
  EXPECT_EQ(ExportedDays().size(), before + 2);
}

// It stops after the snapshot has completed and before anybody has looked: whoever starts next
// does.
TEST_F(ScheduledExports, AServerThatWasDownExportsWhatItCompleted) {
  ExportEach(domain::Frequency::kMonthly);
  clock_.Set(Now() + hours{6});
  scheduler_.RunOnce();
  RunJobs();
  EXPECT_TRUE(ExportedDays().empty());
  clock_.Set(Now() + days{900});  // the snapshot has long expired
  Scheduler next(environment_, maintenance_, {});
  next.RunOnce();
  woken_ = 0;
  next.RunOnce();
  EXPECT_EQ(woken_, 0);  // once
  const auto jobs = catalog_->ListExports(cluster_.id, {}).rows;
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_FALSE(catalog_->FindSnapshot(jobs[0].snapshot).value().deleted);
}

TEST_F(ScheduledExports, ThePrefixHasIdsOrNames) {
  ExportEach(domain::Frequency::kDaily);
  RunFor(days{1});
  EXPECT_THAT(NewestPrefix(),
              testing::StartsWith("exported_snapshots/" + organization_.id.ToString() + "/" +
                                  project_.ToString() + "/Cluster0/2026-11-2"));
  schedules_.Change(cluster_,
                    [](domain::Schedule& schedule) { schedule.names_in_export_prefix = true; });
  RunFor(days{2});
  EXPECT_THAT(NewestPrefix(),
              testing::StartsWith("exported_snapshots/Acme Inc./web%2Fshop/Cluster0/2026-11-2"));
}

TEST_F(ScheduledExports, AScheduleSaysWhatItCannotExport) {
  const auto reason = [this](const std::function<void(domain::Schedule&)>& edit) {
    try {
      schedules_.Change(cluster_, edit);
    } catch (const Refusal& refusal) {
      return refusal.reason();
    }
    return Reason::kUserUnauthorized;
  };
  EXPECT_EQ(reason([](domain::Schedule& schedule) { schedule.auto_export = true; }),
            Reason::kInvalidValue);
  EXPECT_EQ(reason([&](domain::Schedule& schedule) {
              schedule.export_to = {bucket_.id, domain::Frequency::kHourly};
            }),
            Reason::kInvalidValue);
  EXPECT_EQ(reason([&](domain::Schedule& schedule) {
              schedule.export_to = {NewId<domain::ExportBucketId>(), domain::Frequency::kDaily};
            }),
            Reason::kExportBucketNotFound);
  ExportEach(domain::Frequency::kYearly);
  EXPECT_EQ(reason([](domain::Schedule& schedule) {
              std::erase_if(schedule.items, [](const domain::PolicyItem& item) {
                return item.frequency == domain::Frequency::kYearly;
              });
            }),
            Reason::kInvalidValue);
  const domain::Schedule deleted = schedules_.Delete(cluster_);
  EXPECT_FALSE(deleted.auto_export);
  EXPECT_FALSE(deleted.export_to);
  EXPECT_TRUE(catalog_->RemoveExportBucket(project_, bucket_.id));
}

}  // namespace
}  // namespace tidemark::service
