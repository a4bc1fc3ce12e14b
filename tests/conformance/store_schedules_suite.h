#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/stage_group.h"
#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about schedules and retention.
namespace tidemark::catalog {

inline domain::Schedule NewSchedule(const domain::Cluster& cluster, Instant next_due) {
  return {.cluster = cluster.id,
          .reference_minute = 620,
          .keep_last = 3,
          .items = {{domain::Frequency::kHourly, 6, domain::RetentionUnit::kDays, 2},
                    {domain::Frequency::kMonthly, 40, domain::RetentionUnit::kYears, 1}},
          .point_in_time_hours = 24,
          .checkpoint_minutes = 30,
          .verify_days = 7,
          .run = {.next_due = next_due}};
}

inline void ExpectEqual(const domain::Schedule& a, const domain::Schedule& b) {
  EXPECT_EQ(a.cluster, b.cluster);
  EXPECT_EQ(a.enabled, b.enabled);
  EXPECT_EQ(a.reference_minute, b.reference_minute);
  EXPECT_EQ(a.keep_last, b.keep_last);
  EXPECT_EQ(a.items, b.items);
  EXPECT_EQ(a.point_in_time_hours, b.point_in_time_hours);
  EXPECT_EQ(a.checkpoint_minutes, b.checkpoint_minutes);
  EXPECT_EQ(a.verify_days, b.verify_days);
  EXPECT_EQ(a.policy, b.policy);
  EXPECT_EQ(a.extra, b.extra);
  EXPECT_EQ(a.names_in_export_prefix, b.names_in_export_prefix);
  EXPECT_EQ(a.auto_export, b.auto_export);
  EXPECT_EQ(a.export_to, b.export_to);
  EXPECT_EQ(a.run, b.run);
  EXPECT_EQ(a.verified, b.verified);
}

template <class T>
std::vector<std::string> Ids(const std::vector<T>& rows) {
  std::vector<std::string> ids;
  for (const T& row : rows) {
    ids.push_back(row.id.ToString());
  }
  return ids;
}

class StoreSchedules : public StoreSuite {
 protected:
  Store::QueuedSnapshot NewQueued(const domain::Cluster& cluster, Instant due, int attempt = 1) {
    Store::QueuedSnapshot queued;
    queued.snapshot = {.id = NewId<SnapshotId>(),
                       .project = cluster.project,
                       .cluster = cluster.id,
                       .cluster_name = cluster.name,
                       .scheduled = due,
                       .due = due,
                       .attempt = attempt,
                       .expires = due + std::chrono::hours{1}};
    queued.job = NewJob(domain::JobKind::kTakeSnapshot, queued.snapshot.id.raw(), due);
    return queued;
  }

  // A snapshot of the cluster that ended so, `age` before kNow, and expired an hour later.
  domain::Snapshot AddEnded(const domain::Cluster& cluster,
                            std::chrono::hours age,
                            domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    const Store::QueuedSnapshot queued = NewQueued(cluster, kNow - age);
    store_->AddSnapshot(queued.snapshot, queued.job);
    domain::Snapshot snapshot = queued.snapshot;
    const domain::Lease lease = Claim();
    snapshot.state = state;
    snapshot.finished = kNow - age;
    EXPECT_TRUE(store_->FinishSnapshot(lease, snapshot));
    return snapshot;
  }

  void AddChannelFor(domain::EventKind kind) {
    store_->AddChannel({.id = NewId<domain::ChannelId>(),
                        .project = project_.id,
                        .kind = domain::ChannelKind::kEmail,
                        .sealed_url = "sealed",
                        .events = domain::EventBit(kind),
                        .created = kNow});
  }

  std::vector<std::string> Expire(Instant now = kNow) {
    std::vector<std::string> ids =
        Ids(store_->ExpireSnapshots(now, now - std::chrono::hours{24 * 8}, 100));
    std::ranges::sort(ids);
    return ids;
  }

  static constexpr std::chrono::hours kHour{1};
};

TEST_P(StoreSchedules, ScheduleComesBackWhole) {
  const domain::Cluster cluster = AddCluster("c0");
  domain::Schedule schedule = NewSchedule(cluster, kNow);
  schedule.enabled = false;
  schedule.policy = NewId<domain::PolicyId>();
  schedule.items.front().id = NewId<domain::PolicyItemId>();
  schedule.extra = {{.frequency = domain::Frequency::kYearly, .days = 3}, {.days = 0}};
  schedule.names_in_export_prefix = true;
  schedule.auto_export = true;
  schedule.export_to = {NewId<domain::ExportBucketId>(), domain::Frequency::kYearly};
  schedule.run = {.next_due = kNow + kHour,
                  .due = kNow,
                  .attempt = 2,
                  .snapshot = NewId<SnapshotId>(),
                  .settled = false,
                  .retry_at = kNow + std::chrono::minutes{5},
                  .missed = 7,
                  .last_missed = kNow - kHour,
                  .missed_reason = "no disk"};
  EXPECT_FALSE(store_->FindSchedule(cluster.id));
  EXPECT_TRUE(store_->AddSchedule(schedule));
  EXPECT_FALSE(store_->AddSchedule(NewSchedule(cluster, kNow)));
  Reopen();
  ExpectEqual(store_->FindSchedule(cluster.id).value(), schedule);
}

TEST_P(StoreSchedules, ASnapshotTellsWhatItWasTakenFor) {
  const domain::Cluster cluster = AddCluster("c0");
  Store::QueuedSnapshot queued = NewQueued(cluster, kNow);
  queued.snapshot.frequency = domain::Frequency::kWeekly;
  queued.snapshot.policy_items = {NewId<domain::PolicyItemId>(), NewId<domain::PolicyItemId>()};
  store_->AddSnapshot(queued.snapshot, queued.job);
  const domain::Snapshot other = AddSnapshot(cluster, kNow - kHour);
  Reopen();
  const domain::Snapshot found = store_->FindSnapshot(queued.snapshot.id).value();
  EXPECT_EQ(found.frequency, domain::Frequency::kWeekly);
  EXPECT_EQ(found.policy_items, queued.snapshot.policy_items);
  const auto listed = store_->ListSnapshots(cluster.id, domain::Page()).rows;
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed.front().policy_items, queued.snapshot.policy_items);
  EXPECT_EQ(listed.back().id, other.id);
  EXPECT_FALSE(listed.back().frequency);
  EXPECT_TRUE(listed.back().policy_items.empty());
}

// People are told of it, whichever statement says so.
TEST_P(StoreSchedules, WhatIsMissedBecomesAnEvent) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const auto advance = [&](std::int64_t missed) {
    const domain::Schedule schedule = store_->FindSchedule(cluster.id).value();
    const domain::ScheduleRun run{.next_due = kNow + kHour,
                                  .missed = missed,
                                  .last_missed = kNow,
                                  .missed_reason = "no server was running"};
    EXPECT_TRUE(store_->AdvanceSchedule(schedule, run, std::nullopt));
  };
  AddChannelFor(domain::EventKind::kScheduleMissed);
  advance(2);
  EXPECT_EQ(store_->SettleEvents(), 1);
  const domain::Event event = store_->FindDueNotice(kNow).value().notice.event;
  EXPECT_EQ(event.kind, domain::EventKind::kScheduleMissed);
  EXPECT_EQ(event.at, kNow);
  EXPECT_EQ(event.project, project_.id);
  EXPECT_EQ(event.cluster, "c0");
  EXPECT_EQ(event.reason, "no server was running");
  advance(2);  // nothing more was missed
  EXPECT_EQ(store_->SettleEvents(), 0);
}

TEST_P(StoreSchedules, VerificationThatFailsBecomesAnEvent) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const domain::Snapshot snapshot = AddEnded(cluster, kHour);
  store_->SettleEvents();
  AddChannelFor(domain::EventKind::kVerificationFailed);
  store_->SaveVerification(cluster.id, {snapshot.id, kNow, std::chrono::milliseconds{1}, ""});
  EXPECT_EQ(store_->SettleEvents(), 0);
  const std::string found = "damaged: shop.orders {_id: 'somebody'}";
  store_->SaveVerification(cluster.id, {snapshot.id, kNow, std::chrono::milliseconds{1}, found});
  EXPECT_EQ(store_->SettleEvents(), 1);
  const domain::Event event = store_->FindDueNotice(kNow).value().notice.event;
  EXPECT_EQ(event.kind, domain::EventKind::kVerificationFailed);
  EXPECT_EQ(event.object, snapshot.id.ToString());
  EXPECT_EQ(event.reason.find("somebody"), std::string::npos);
}

TEST_P(StoreSchedules, ChangeOfAnOlderRevisionIsRefused) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const domain::Schedule old = store_->FindSchedule(cluster.id).value();
  domain::Schedule changed = old;
  changed.items = {{domain::Frequency::kDaily, 1, domain::RetentionUnit::kWeeks, 1}};
  changed.run.next_due.reset();
  EXPECT_TRUE(store_->UpdateSchedule(changed));
  EXPECT_FALSE(store_->UpdateSchedule(old));
  EXPECT_FALSE(store_->AdvanceSchedule(old, {}, NewQueued(cluster, kNow)));
  EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).total, 0);
  const domain::Schedule found = store_->FindSchedule(cluster.id).value();
  ExpectEqual(found, changed);
  EXPECT_EQ(found.revision, old.revision + 1);
}

TEST_P(StoreSchedules, AdvanceQueuesTheSnapshotWithIt) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const domain::Schedule schedule = store_->FindSchedule(cluster.id).value();
  const Store::QueuedSnapshot queued = NewQueued(cluster, kNow);
  const domain::ScheduleRun run{.next_due = kNow + 6 * kHour,
                                .due = kNow,
                                .attempt = 1,
                                .snapshot = queued.snapshot.id,
                                .settled = false};
  EXPECT_TRUE(store_->AdvanceSchedule(schedule, run, queued));
  const domain::Schedule found = store_->FindSchedule(cluster.id).value();
  EXPECT_EQ(found.run, run);
  EXPECT_EQ(found.items, schedule.items);
  const domain::Snapshot snapshot = store_->FindSnapshot(queued.snapshot.id).value();
  EXPECT_EQ(snapshot.due, kNow);
  EXPECT_EQ(snapshot.attempt, 1);
  EXPECT_TRUE(store_->FindJobBySubject(snapshot.id.raw()));
}

TEST_P(StoreSchedules, AnAttemptIsMadeOnce) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const Store::QueuedSnapshot first = NewQueued(cluster, kNow);
  store_->AddSnapshot(first.snapshot, first.job);
  const domain::Schedule schedule = store_->FindSchedule(cluster.id).value();
  EXPECT_EQ(
      Refusal([&] { store_->AdvanceSchedule(schedule, {.due = kNow}, NewQueued(cluster, kNow)); }),
      "Conflict: cannot queue a snapshot of cluster " + cluster.id.ToString() +
          ": the attempt at its due time has been made");
  EXPECT_EQ(store_->FindSchedule(cluster.id).value().run, schedule.run);
  EXPECT_TRUE(store_->AdvanceSchedule(schedule, {.due = kNow}, NewQueued(cluster, kNow, 2)));
}

TEST_P(StoreSchedules, OfManyThatAdvanceAtOnceExactlyOneWins) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));
  const domain::Schedule schedule = store_->FindSchedule(cluster.id).value();
  std::vector<Store::QueuedSnapshot> queued;
  for (int i = 0; i < 8; ++i) {
    queued.push_back(NewQueued(cluster, kNow));
  }
  std::atomic<int> won = 0;
  StageGroup threads;
  for (const Store::QueuedSnapshot& one : queued) {
    threads.Start("advance", [&, one](const std::stop_token&) {
      won += store_->AdvanceSchedule(schedule, {.due = kNow}, one) ? 1 : 0;
    });
  }
  threads.Wait();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).total, 1);
}

TEST_P(StoreSchedules, ClustersWithoutOneAreListedUntilTheyAreRemoved) {
  const domain::Cluster with = AddCluster("c0");
  const domain::Cluster without = AddCluster("c1");
  const domain::Cluster removed = AddCluster("c2");
  store_->AddSchedule(NewSchedule(with, kNow));
  store_->RemoveCluster(removed.id, kNow);
  const auto found = store_->ListUnscheduledClusters(10);
  EXPECT_THAT(Ids(found), testing::ElementsAre(without.id.ToString()));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].tier, without.tier);
  EXPECT_EQ(found[0].created, without.created);
}

TEST_P(StoreSchedules, StepsAreListedWhenTheirTimeHasCome) {
  const domain::Cluster due = AddCluster("due");
  const domain::Cluster retry = AddCluster("retry");
  const domain::Cluster later = AddCluster("later");
  const domain::Cluster off = AddCluster("off");
  const domain::Cluster removed = AddCluster("removed");
  store_->AddSchedule(NewSchedule(due, kNow));
  store_->AddSchedule(NewSchedule(later, kNow + std::chrono::seconds{1}));
  store_->AddSchedule(NewSchedule(removed, kNow));
  domain::Schedule schedule = NewSchedule(retry, kNow + kHour);
  schedule.run.retry_at = kNow - kHour;
  store_->AddSchedule(schedule);
  schedule = NewSchedule(off, kNow);
  schedule.enabled = false;
  store_->AddSchedule(schedule);
  store_->RemoveCluster(removed.id, kNow);
  const auto listed = store_->ListSchedulesToStep(kNow, 10);
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].cluster, retry.id);
  EXPECT_EQ(listed[1].cluster, due.id);
  EXPECT_EQ(listed[1].items.size(), 2U);
  EXPECT_EQ(store_->ListSchedulesToStep(kNow, 1).size(), 1U);
}

TEST_P(StoreSchedules, StepsAreListedWhenTheSnapshotHasEnded) {
  const domain::Cluster cluster = AddCluster("c0");
  const Store::QueuedSnapshot queued = NewQueued(cluster, kNow);
  store_->AddSnapshot(queued.snapshot, queued.job);
  domain::Schedule schedule = NewSchedule(cluster, kNow + kHour);
  schedule.run.snapshot = queued.snapshot.id;
  schedule.run.settled = false;
  store_->AddSchedule(schedule);
  EXPECT_TRUE(store_->ListSchedulesToStep(kNow, 10).empty());
  domain::Snapshot snapshot = queued.snapshot;
  snapshot.state = domain::SnapshotState::kFailed;
  store_->FinishSnapshot(Claim(), snapshot);
  EXPECT_EQ(store_->ListSchedulesToStep(kNow, 10).size(), 1U);
}

TEST_P(StoreSchedules, DueBeforeCountsCompletedOnesEvenDeleted) {
  const domain::Cluster cluster = AddCluster("c0");
  EXPECT_FALSE(store_->FindDueBefore(cluster.id, kNow));
  const domain::Snapshot first = AddEnded(cluster, 3 * kHour);
  AddEnded(cluster, 2 * kHour, domain::SnapshotState::kFailed);
  AddEnded(AddCluster("c1"), kHour);
  store_->MarkSnapshotDeleted(first.id, kNow);
  EXPECT_EQ(store_->FindDueBefore(cluster.id, kNow), kNow - 3 * kHour);
  EXPECT_FALSE(store_->FindDueBefore(cluster.id, kNow - 3 * kHour));
}

TEST_P(StoreSchedules, TheNewestSnapshotIsVerifiedAfterSoManyDays) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow));  // every 7 days
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow));
  AddEnded(cluster, 3 * kHour);
  const domain::Snapshot newest = AddEnded(cluster, 2 * kHour);
  AddEnded(cluster, kHour, domain::SnapshotState::kFailed);
  const auto found = store_->FindSnapshotToVerify(kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->cluster, cluster.id);
  EXPECT_EQ(found->snapshot, newest.id);
  EXPECT_EQ(found->project, project_.id);
  EXPECT_EQ(found->cluster_name, "c0");
  domain::Schedule schedule = store_->FindSchedule(cluster.id).value();
  schedule.verified = {newest.id, kNow, std::chrono::milliseconds{1234}, "damaged"};
  store_->SaveVerification(cluster.id, *schedule.verified);
  ExpectEqual(store_->FindSchedule(cluster.id).value(), schedule);
  EXPECT_TRUE(store_->UpdateSchedule(schedule));
  ExpectEqual(store_->FindSchedule(cluster.id).value(), schedule);
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow + 24 * 7 * kHour - std::chrono::seconds{1}));
  EXPECT_TRUE(store_->FindSnapshotToVerify(kNow + 24 * 7 * kHour));
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow - kHour));
  EXPECT_TRUE(store_->FindSnapshotToVerify(kNow - 25 * kHour));  // the clock was set back
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow + 24 * 7 * kHour));
}

TEST_P(StoreSchedules, WhatIsNeverVerifiedIsNotFound) {
  const domain::Cluster cluster = AddCluster("c0");
  domain::Schedule schedule = NewSchedule(cluster, kNow);
  schedule.verify_days = 0;
  store_->AddSchedule(schedule);
  AddEnded(cluster, 3 * kHour);
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow));
}

TEST_P(StoreSchedules, SnapshotsAreListedByState) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot completed = AddEnded(cluster, 3 * kHour);
  const domain::Snapshot failed = AddEnded(cluster, 2 * kHour, domain::SnapshotState::kFailed);
  const Store::QueuedSnapshot pending = NewQueued(cluster, kNow);
  store_->AddSnapshot(pending.snapshot, pending.job);
  using enum domain::SnapshotState;
  const auto listed = [&](domain::SnapshotState first, domain::SnapshotState last) {
    const auto listing = store_->ListSnapshots(cluster.id, {first, last}, {});
    EXPECT_EQ(listing.total, static_cast<std::int64_t>(listing.rows.size()));
    return Ids(listing.rows);
  };
  EXPECT_THAT(listed(kCompleted, kCompleted), testing::ElementsAre(completed.id.ToString()));
  EXPECT_THAT(listed(kPending, kRunning), testing::ElementsAre(pending.snapshot.id.ToString()));
  EXPECT_THAT(listed(kPending, kCompleted),
              testing::ElementsAre(pending.snapshot.id.ToString(), completed.id.ToString()));
  EXPECT_EQ(listed(kPending, kFailed).size(), 3U);
}

TEST_P(StoreSchedules, ExpiredSnapshotsAreDeletedOnce) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 3 * kHour);
  AddEnded(cluster, 0 * kHour);
  const auto expired = store_->ExpireSnapshots(kNow, kNow - 24 * kHour, 100);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].id, old.id);
  EXPECT_EQ(expired[0].project, project_.id);
  EXPECT_EQ(expired[0].cluster_name, "c0");
  EXPECT_EQ(expired[0].expires, kNow - 2 * kHour);
  EXPECT_EQ(store_->FindSnapshot(old.id).value().deleted, kNow);
  EXPECT_TRUE(Expire().empty());
}

TEST_P(StoreSchedules, TheNewestGoodSnapshotStays) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 9 * kHour);
  AddEnded(cluster, 8 * kHour);
  AddEnded(cluster, 7 * kHour, domain::SnapshotState::kFailed);
  const Instant later = kNow + 24 * kHour;
  EXPECT_EQ(Expire(later).size(), 2U);  // the old one and the failed one
  EXPECT_TRUE(store_->FindSnapshot(old.id).value().deleted);
  const auto left = store_->ListSnapshots(cluster.id, {});
  ASSERT_EQ(left.total, 1);
  EXPECT_EQ(left.rows[0].scheduled, kNow - 8 * kHour);
}

TEST_P(StoreSchedules, AnImportedOneIsNotTheNewestState) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot good = AddEnded(cluster, 9 * kHour);
  Store::QueuedSnapshot imported = NewQueued(cluster, kNow - 8 * kHour);
  store_->AddImportedSnapshot(imported.snapshot, {.path = "old.archive"}, imported.job);
  const domain::Lease lease = Claim();
  imported.snapshot.state = domain::SnapshotState::kCompleted;
  imported.snapshot.finished = kNow - 8 * kHour;
  EXPECT_TRUE(store_->FinishSnapshot(lease, imported.snapshot));
  EXPECT_TRUE(Expire(kNow + 24 * kHour).empty());
  EXPECT_FALSE(store_->FindSnapshot(good.id).value().deleted);
  AddEnded(cluster, kHour);
  EXPECT_EQ(Expire(kNow + 24 * kHour).size(), 2U);
}

TEST_P(StoreSchedules, SoManyStayAsTheScheduleSays) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(NewSchedule(cluster, kNow + kHour));  // keeps 3
  for (int age = 9; age >= 5; --age) {
    AddEnded(cluster, age * kHour);
  }
  EXPECT_EQ(Expire().size(), 2U);
  EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).total, 3);
  EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).rows.back().scheduled, kNow - 7 * kHour);
}

TEST_P(StoreSchedules, WhatIsNotToBeDeletedStaysUntilItMay) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 9 * kHour);
  AddEnded(cluster, 0 * kHour);
  EXPECT_TRUE(store_->UpdateRetention(old.id, {true, old.expires, {}}));
  EXPECT_TRUE(store_->FindSnapshot(old.id).value().do_not_delete);
  EXPECT_TRUE(Expire().empty());
  EXPECT_TRUE(store_->UpdateRetention(old.id, {false, kNow + kHour, {}}));
  EXPECT_TRUE(Expire().empty());
  EXPECT_EQ(Expire(kNow + kHour), std::vector{old.id.ToString()});
  EXPECT_FALSE(store_->UpdateRetention(old.id, {true, kNow, {}}));
}

TEST_P(StoreSchedules, RetentionOfAnUnfinishedSnapshotIsNotChanged) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  EXPECT_FALSE(store_->UpdateRetention(snapshot.id, {true, kNow, {}}));
  EXPECT_FALSE(store_->UpdateRetention(NewId<SnapshotId>(), {true, kNow, {}}));
}

TEST_P(StoreSchedules, WhatARestoreReadsStaysUntilItHasFinished) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 9 * kHour);
  AddEnded(cluster, 0 * kHour);
  AddRestore(NewRestore(old, AddCluster("c1")));
  EXPECT_TRUE(Expire().empty());
  store_->FinishRestore(Claim(), domain::RestoreState::kCompleted, "", kNow);
  EXPECT_EQ(Expire().size(), 1U);
}

TEST_P(StoreSchedules, WhatADownloadIsMadeFromStaysWhileItIsOffered) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 9 * kHour);
  AddEnded(cluster, 0 * kHour);
  domain::RestoreJob download = NewRestore(old, cluster);
  download.delivery = domain::DeliveryMethod::kDownload;
  download.target_project = {};
  download.target_cluster = {};
  download.state = domain::RestoreState::kCompleted;
  download.finished = kNow;
  download.download = domain::Download{.key_hash = "00ff",
                                       .sealed_key = "sealed",
                                       .file_name = "c0.tar.gz",
                                       .expiration_hours = 1,
                                       .max_downloads = 1};
  store_->AddDownload(download);
  EXPECT_TRUE(Expire().empty());
  EXPECT_EQ(Expire(download.expires).size(), 1U);
}

TEST_P(StoreSchedules, FailedSnapshotsAreForgottenAfterAWhile) {
  const domain::Cluster cluster = AddCluster("c0");
  Store::QueuedSnapshot queued = NewQueued(cluster, kNow - 24 * 9 * kHour);
  queued.snapshot.expires = kNow + 1000 * kHour;
  store_->AddSnapshot(queued.snapshot, queued.job);
  domain::Snapshot failed = queued.snapshot;
  failed.state = domain::SnapshotState::kFailed;
  failed.finished = kNow - 24 * 7 * kHour;
  store_->FinishSnapshot(Claim(), failed);
  EXPECT_TRUE(Expire().empty());
  EXPECT_EQ(Expire(kNow + 25 * kHour).size(), 1U);
}

TEST_P(StoreSchedules, ExpiryTakesAsManyAsAsked) {
  const domain::Cluster cluster = AddCluster("c0");
  for (int age = 9; age >= 5; --age) {
    AddEnded(cluster, age * kHour);
  }
  EXPECT_EQ(store_->ExpireSnapshots(kNow, kNow, 3).size(), 3U);
  EXPECT_EQ(store_->ExpireSnapshots(kNow, kNow, 3).size(), 1U);
}

TEST_P(StoreSchedules, DeletedSnapshotsAreSweptOnceAndLeaveGarbage) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddEnded(cluster, 9 * kHour);
  EXPECT_TRUE(store_->ListSnapshotsToSweep(10).empty());
  store_->MarkSnapshotDeleted(old.id, kNow);
  const auto deleted = store_->ListSnapshotsToSweep(10);
  ASSERT_THAT(Ids(deleted), testing::ElementsAre(old.id.ToString()));
  EXPECT_TRUE(store_->ListGarbage(kNow, 10).empty());
  store_->MarkSnapshotSwept(deleted[0], kNow);
  EXPECT_TRUE(store_->ListSnapshotsToSweep(10).empty());
  EXPECT_THAT(store_->ListGarbage(kNow, 10), testing::ElementsAre(project_.id));
}

TEST_P(StoreSchedules, WhatWasSweptLongAgoIsForgotten) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot restored = AddEnded(cluster, 11 * kHour);
  const domain::Snapshot old = AddEnded(cluster, 10 * kHour);
  const domain::Snapshot unswept = AddEnded(cluster, 9 * kHour);
  AddRestore(NewRestore(restored, AddCluster("c1")));
  store_->FinishRestore(Claim(), domain::RestoreState::kCompleted, "", kNow);
  for (const domain::Snapshot& snapshot : {restored, old, unswept}) {
    store_->MarkSnapshotDeleted(snapshot.id, kNow);
  }
  for (const domain::Snapshot& snapshot : {restored, old}) {
    store_->MarkSnapshotSwept({.id = snapshot.id, .project = project_.id}, kNow);
  }
  EXPECT_EQ(store_->PurgeSnapshots(kNow, 10), 0);
  EXPECT_EQ(store_->PurgeSnapshots(kNow + kHour, 10), 1);
  EXPECT_FALSE(store_->FindSnapshot(old.id));
  EXPECT_FALSE(store_->FindJobBySubject(old.id.raw()));
  EXPECT_TRUE(store_->FindSnapshot(restored.id));
  EXPECT_TRUE(store_->FindSnapshot(unswept.id));
}

TEST_P(StoreSchedules, GarbageIsTakenOnceInAWhile) {
  const Instant before = kNow - 24 * kHour;
  EXPECT_FALSE(store_->TakeGarbage(project_.id, before, kNow));
  store_->AddGarbage(project_.id);
  EXPECT_TRUE(store_->TakeGarbage(project_.id, before, kNow));
  EXPECT_FALSE(store_->TakeGarbage(project_.id, before, kNow));
  store_->AddGarbage(project_.id);
  EXPECT_TRUE(store_->ListGarbage(kNow - kHour, 10).empty());
  EXPECT_THAT(store_->ListGarbage(kNow, 10), testing::ElementsAre(project_.id));
}

TEST_P(StoreSchedules, NothingOfADeletedProjectIsSweptOrCollected) {
  const domain::Cluster cluster = AddCluster("c0");
  AddEnded(cluster, 9 * kHour);
  store_->AddGarbage(project_.id);
  store_->RemoveCluster(cluster.id, kNow);
  ASSERT_TRUE(store_->DeleteProject(project_.id, kNow));
  EXPECT_TRUE(store_->ListSnapshotsToSweep(10).empty());
  EXPECT_TRUE(store_->ListGarbage(kNow, 10).empty());
}

}  // namespace tidemark::catalog
