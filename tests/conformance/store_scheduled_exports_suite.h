#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/stage_group.h"
#include "tests/conformance/store_exports_suite.h"

// The part of StoreSuite about what schedules export by themselves.
namespace tidemark::catalog {

class ScheduledExportSuite : public ExportSuite {
 protected:
  ScheduledExportSuite() { AddTarget("bucket"); }

  // Exports its monthly snapshots.
  domain::Schedule AddExportingSchedule(const domain::Cluster& cluster,
                                        const domain::ExportBucket& bucket,
                                        bool enabled = true) {
    domain::Schedule schedule{
        .cluster = cluster.id,
        .items = {{.frequency = domain::Frequency::kDaily, .id = NewId<domain::PolicyItemId>()},
                  {.frequency = domain::Frequency::kMonthly, .id = NewId<domain::PolicyItemId>()}},
        .auto_export = enabled,
        .export_to = domain::AutoExport{.bucket = bucket.id}};
    EXPECT_TRUE(store_->AddSchedule(schedule));
    return schedule;
  }

  struct Taken {
    std::optional<domain::Frequency> frequency;
    std::vector<domain::PolicyItemId> items;
    bool scheduled = true;
    domain::SnapshotState state = domain::SnapshotState::kCompleted;
  };

  // A snapshot that ends so.
  domain::Snapshot Take(const domain::Cluster& cluster, const Taken& taken) {
    const Instant due = kNow + std::chrono::hours{++taken_};
    domain::Snapshot snapshot{.id = NewId<SnapshotId>(),
                              .project = cluster.project,
                              .cluster = cluster.id,
                              .cluster_name = cluster.name,
                              .scheduled = due,
                              .due = taken.scheduled ? std::optional(due) : std::nullopt,
                              .attempt = 1,
                              .frequency = taken.frequency,
                              .policy_items = taken.items,
                              .expires = due + std::chrono::hours{1}};
    store_->AddSnapshot(snapshot, NewJob(domain::JobKind::kTakeSnapshot, snapshot.id.raw(), due));
    const domain::Lease lease = Claim(due);
    snapshot.state = taken.state;
    snapshot.finished = due;
    EXPECT_TRUE(store_->FinishSnapshot(lease, snapshot));
    return snapshot;
  }

  domain::Snapshot TakeMonthly(const domain::Cluster& cluster) {
    return Take(cluster, {.frequency = domain::Frequency::kMonthly});
  }

  std::vector<std::string> Due() {
    std::vector<std::string> ids;
    for (const ExportCatalog::DueExport& due : store_->ListDueExports({}, 100)) {
      ids.push_back(due.snapshot.ToString());
    }
    return ids;
  }

  bool QueueDue(const domain::ExportJob& job) {
    return store_->AddDueExport(job, NewJob(domain::JobKind::kExport, job.id.raw(), job.created));
  }

  int taken_ = 0;
};

TEST_P(ScheduledExportSuite, ACompletedSnapshotOfTheFrequencyIsDue) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  const domain::Schedule schedule = AddExportingSchedule(cluster, bucket);
  using domain::Frequency;
  const domain::PolicyItemId daily = schedule.items[0].id;
  const domain::PolicyItemId monthly = schedule.items[1].id;
  Take(cluster, {.frequency = Frequency::kDaily, .items = {daily}});
  Take(cluster, {.scheduled = false});
  Take(cluster, {.frequency = Frequency::kMonthly, .state = domain::SnapshotState::kFailed});
  EXPECT_TRUE(Due().empty());
  // The item that it was taken for has been replaced since.
  const domain::Snapshot replaced =
      Take(cluster, {.frequency = Frequency::kMonthly, .items = {NewId<domain::PolicyItemId>()}});
  // A yearly snapshot that is the first one of its month, too.
  const domain::Snapshot yearly =
      Take(cluster, {.frequency = Frequency::kYearly, .items = {daily, monthly}});
  Take(cluster, {.frequency = Frequency::kYearly, .items = {daily}});
  Reopen();
  EXPECT_THAT(Due(), testing::UnorderedElementsAre(replaced.id.ToString(), yearly.id.ToString()));
  EXPECT_EQ(store_->ListDueExports({}, 1).at(0).bucket, bucket.id);
  EXPECT_EQ(store_->ListDueExports(std::max(replaced.id, yearly.id), 100).size(), 0U);
}

TEST_P(ScheduledExportSuite, AScheduleThatIsOffOrElsewhereMakesNothingDue) {
  const domain::ExportBucket bucket = AddBucket("bucket");
  const domain::Cluster off = AddCluster("off");
  AddExportingSchedule(off, bucket, false);
  AddExportingSchedule(AddCluster("other"), bucket);
  TakeMonthly(off);
  TakeMonthly(AddCluster("without"));
  EXPECT_TRUE(Due().empty());
}

TEST_P(ScheduledExportSuite, WhatIsDueIsQueuedOnce) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  const domain::Snapshot snapshot = TakeMonthly(cluster);
  domain::ExportJob job = NewExport(snapshot, bucket);
  job.requested_by = {};
  EXPECT_TRUE(QueueDue(job));
  EXPECT_FALSE(QueueDue(NewExport(snapshot, bucket)));
  EXPECT_TRUE(Due().empty());
  Reopen();
  EXPECT_TRUE(Due().empty());
  EXPECT_TRUE(store_->FindExport(job.id).value().IsScheduled());
  store_->FinishExport(Claim(), domain::ExportState::kFailed, "403", kNow);
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(store_->ListExports(cluster.id, {}).total, 1);
}

TEST_P(ScheduledExportSuite, OfManyNodesOneQueuesWhatIsDue) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  const domain::Snapshot snapshot = TakeMonthly(cluster);
  std::vector<domain::ExportJob> jobs;
  std::vector<domain::Job> works;
  for (int i = 0; i < 6; ++i) {
    jobs.push_back(NewExport(snapshot, bucket));
    works.push_back(NewJob(domain::JobKind::kExport, jobs.back().id.raw(), kNow));
  }
  std::atomic<int> queued = 0;
  StageGroup threads;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    threads.Start("queue", [&, i](const std::stop_token&) {
      queued += store_->AddDueExport(jobs[i], works[i]) ? 1 : 0;
    });
  }
  threads.Wait();
  EXPECT_EQ(queued, 1);
  EXPECT_EQ(store_->ListExports(cluster.id, {}).total, 1);
}

TEST_P(ScheduledExportSuite, WhatIsDueWaitsForAnExportThatIsRunning) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  const domain::Snapshot snapshot = TakeMonthly(cluster);
  Queue(NewExport(snapshot, bucket));
  EXPECT_TRUE(Due().empty());
  EXPECT_THAT(Refusal([&] { QueueDue(NewExport(snapshot, bucket)); }),
              testing::HasSubstr("Conflict"));
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  EXPECT_THAT(Due(), testing::ElementsAre(snapshot.id.ToString()));
  EXPECT_TRUE(QueueDue(NewExport(snapshot, bucket)));
}

TEST_P(ScheduledExportSuite, ADeletedSnapshotIsDueNoLonger) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  const domain::Snapshot snapshot = TakeMonthly(cluster);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_TRUE(Due().empty());
  EXPECT_FALSE(QueueDue(NewExport(snapshot, bucket)));
}

TEST_P(ScheduledExportSuite, ExpiryWaitsForAnExportThatIsDue) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  const domain::Snapshot old = TakeMonthly(cluster);
  Take(cluster, {.frequency = domain::Frequency::kDaily});
  const Instant later = kNow + std::chrono::hours{1000};
  EXPECT_TRUE(store_->ExpireSnapshots(later, kNow, 10).empty());
  ASSERT_TRUE(QueueDue(NewExport(old, bucket)));
  EXPECT_TRUE(store_->ExpireSnapshots(later, kNow, 10).empty());
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  const auto expired = store_->ExpireSnapshots(later, kNow, 10);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].id, old.id);
}

TEST_P(ScheduledExportSuite, ScheduleExportsToABucketOfItsProject) {
  const domain::Cluster cluster = AddCluster("c0");
  domain::Schedule schedule = AddExportingSchedule(cluster, AddBucket("bucket"));
  schedule.names_in_export_prefix = true;
  schedule.export_to->frequency = domain::Frequency::kDaily;
  EXPECT_TRUE(store_->UpdateSchedule(schedule));
  Reopen();
  const domain::Schedule found = store_->FindSchedule(cluster.id).value();
  EXPECT_TRUE(found.auto_export);
  EXPECT_EQ(found.export_to, schedule.export_to);
  domain::Schedule wrong = found;
  wrong.export_to->bucket = NewId<domain::ExportBucketId>();
  EXPECT_THAT(Refusal([&] { store_->UpdateSchedule(wrong); }), testing::HasSubstr("NotFound"));
  EXPECT_EQ(store_->FindSchedule(cluster.id).value().revision, found.revision);
  const domain::Project other = AddProject("other");
  domain::Cluster elsewhere = NewCluster("elsewhere");
  elsewhere.project = other.id;
  store_->AddCluster(elsewhere);
  wrong = {.cluster = elsewhere.id};
  EXPECT_TRUE(store_->AddSchedule(wrong));
  wrong.export_to = found.export_to;
  EXPECT_THAT(Refusal([&] { store_->UpdateSchedule(wrong); }), testing::HasSubstr("NotFound"));
}

TEST_P(ScheduledExportSuite, ABucketThatAScheduleExportsToStays) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  domain::Schedule schedule = AddExportingSchedule(cluster, bucket);
  const auto remove = [&] { store_->RemoveExportBucket(project_.id, bucket.id); };
  EXPECT_THAT(Refusal(remove), testing::HasSubstr("the schedule of a cluster exports to it"));
  TakeMonthly(cluster);
  schedule.auto_export = false;
  ASSERT_TRUE(store_->UpdateSchedule(schedule));
  ++schedule.revision;
  EXPECT_THAT(Refusal(remove), testing::HasSubstr("an unfinished export writes to it"));
  ASSERT_TRUE(QueueDue(NewExport(store_->ListSnapshots(cluster.id, {}).rows.at(0), bucket)));
  EXPECT_THAT(Refusal(remove), testing::HasSubstr("an unfinished export writes to it"));
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  EXPECT_TRUE(store_->RemoveExportBucket(project_.id, bucket.id));
  EXPECT_FALSE(store_->FindSchedule(cluster.id).value().export_to);
  EXPECT_FALSE(store_->UpdateSchedule(schedule));  // it would bring the bucket back
}

TEST_P(ScheduledExportSuite, TheScheduleOfARemovedClusterKeepsNoBucket) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  AddExportingSchedule(cluster, bucket);
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_TRUE(store_->RemoveExportBucket(project_.id, bucket.id));
}

TEST_P(ScheduledExportSuite, SnapshotsOfOneMinuteDoNotShareAPrefix) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  const domain::Snapshot first = TakeMonthly(cluster);
  const domain::Snapshot second = TakeMonthly(cluster);
  const domain::Snapshot third = TakeMonthly(cluster);
  Queue(NewExport(first, bucket));
  EXPECT_THAT(Refusal([&] { Queue(NewExport(second, bucket)); }), testing::HasSubstr("Conflict"));
  const domain::ExportBucket same = AddBucket("bucket", "another role at the provider");
  EXPECT_THAT(Refusal([&] { Queue(NewExport(second, same)); }), testing::HasSubstr("Conflict"));
  domain::ExportJob job = NewExport(second, bucket);
  job.prefix += "/1";
  Queue(job);
  EXPECT_EQ(store_->ListExports(cluster.id, {}).total, 2);
  AddTarget("elsewhere");
  Queue(NewExport(third, AddBucket("elsewhere")));
}

TEST_P(ScheduledExportSuite, ACancelledExportEndsWithItsJob) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::ExportBucket bucket = AddBucket("bucket");
  const domain::Snapshot snapshot = TakeMonthly(cluster);
  const domain::ExportJob job = NewExport(snapshot, bucket);
  Queue(job);
  const domain::Lease lease = Claim();
  store_->SettleEvents();
  EXPECT_TRUE(store_->CancelExport(job.id, kNow + std::chrono::minutes{1}));
  EXPECT_FALSE(store_->CancelExport(job.id, kNow));
  EXPECT_FALSE(store_->CancelExport(NewId<domain::ExportId>(), kNow));
  EXPECT_FALSE(store_->ExtendLease(lease, kNow + kLease));
  EXPECT_FALSE(store_->FinishExport(lease, domain::ExportState::kSuccessful, "", kNow));
  EXPECT_FALSE(store_->ClaimJob("node", kNow + std::chrono::hours{1}, kLease));
  const domain::ExportJob found = store_->FindExport(job.id).value();
  EXPECT_EQ(found.state, domain::ExportState::kCancelled);
  EXPECT_EQ(found.finished, kNow + std::chrono::minutes{1});
  EXPECT_EQ(store_->SettleEvents(), 0);
  // Whoever made it may still be writing.
  EXPECT_THAT(Refusal([&] { Queue(NewExport(snapshot, bucket)); }), testing::HasSubstr("Conflict"));
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_TRUE(store_->RemoveExportBucket(project_.id, bucket.id));
}

}  // namespace tidemark::catalog
