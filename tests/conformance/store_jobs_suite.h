#pragma once

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about restore jobs, leases and progress.
namespace tidemark::catalog {

TEST_P(StoreSuite, DeletedSnapshotIsNotRestored) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  store_->MarkSnapshotDeleted(snapshot.id, kNow);
  EXPECT_EQ(Refusal([&] { AddRestore(NewRestore(snapshot, AddCluster("c1"))); }),
            "NotFound: cannot restore snapshot " + snapshot.id.ToString() + ": no such one");
}

TEST_P(StoreSuite, RestoreComesBackWhole) {
  const domain::Cluster target = AddCluster("c1");
  const domain::RestoreJob restore = NewRestore(AddFinishedSnapshot(AddCluster("c0")), target);
  AddRestore(restore);
  const domain::RestoreJob found = store_->FindRestore(restore.id).value();
  EXPECT_EQ(found.cluster, restore.cluster);
  EXPECT_EQ(found.cluster_name, "c0");
  EXPECT_EQ(found.snapshot, restore.snapshot);
  EXPECT_EQ(found.position, restore.position);
  EXPECT_EQ(found.target_cluster, target.id);
  EXPECT_EQ(found.target_project, project_.id);
  EXPECT_EQ(found.target_name, "c1");
  EXPECT_EQ(found.state, domain::RestoreState::kPending);
  EXPECT_EQ(found.expires, restore.expires);
  EXPECT_EQ(found.requested_by, restore.requested_by);
  EXPECT_FALSE(found.finished);
  EXPECT_FALSE(store_->FindRestore(NewId<RestoreJobId>()));
}

TEST_P(StoreSuite, RestoresAreListedNewestFirst) {
  const domain::Cluster source = AddCluster("c0");
  const domain::Snapshot snapshot = AddFinishedSnapshot(source);
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    const domain::RestoreJob restore =
        NewRestore(snapshot, AddCluster("t" + std::to_string(i)), kNow + std::chrono::seconds{i});
    AddRestore(restore);
    expected.insert(expected.begin(), restore.id.ToString());
  }
  std::vector<std::string> seen;
  for (int number = 1; number <= 3; ++number) {
    const auto page = store_->ListRestores(source.id, {.number = number, .size = 2});
    EXPECT_EQ(page.total, 5);
    for (const domain::RestoreJob& row : page.rows) {
      seen.push_back(row.id.ToString());
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(StoreSuite, SecondRestoreIntoATargetIsRefusedUntilTheFirstHasFinished) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Cluster target = AddCluster("c1");
  AddRestore(NewRestore(snapshot, target));
  EXPECT_TRUE(store_->HasUnfinishedRestoreInto(target.id));
  EXPECT_FALSE(store_->HasUnfinishedRestoreInto(snapshot.cluster));
  EXPECT_EQ(Refusal([&] { AddRestore(NewRestore(snapshot, target)); }),
            "Conflict: cannot restore into cluster 'c1': it takes part in an unfinished restore");
  ASSERT_TRUE(store_->FinishRestore(Claim(), domain::RestoreState::kCompleted, "", kNow));
  EXPECT_FALSE(store_->HasUnfinishedRestoreInto(target.id));
  AddRestore(NewRestore(snapshot, target));
}

TEST_P(StoreSuite, RestoreBackwardsIsRefused) {
  const domain::Cluster a = AddCluster("a");
  const domain::Cluster b = AddCluster("b");
  const domain::Snapshot of_a = AddFinishedSnapshot(a);
  const domain::Snapshot of_b = AddFinishedSnapshot(b);
  AddRestore(NewRestore(of_a, b));
  EXPECT_EQ(Refusal([&] { AddRestore(NewRestore(of_b, a)); }),
            "Conflict: cannot restore into cluster 'a': it takes part in an unfinished restore");
  // Into itself, and from the same source elsewhere, is no cycle.
  AddRestore(NewRestore(of_a, a));
  AddRestore(NewRestore(of_a, AddCluster("c")));
}

TEST_P(StoreSuite, OfTwoRestoresAtOnceExactlyOneWins) {
  const domain::Cluster a = AddCluster("a");
  const domain::Cluster b = AddCluster("b");
  const domain::Snapshot of_a = AddFinishedSnapshot(a);
  const domain::Snapshot of_b = AddFinishedSnapshot(b);
  for (int round = 0; round < 100; ++round) {
    // Even rounds: the same target twice. Odd rounds: A to B beside B to A.
    const domain::RestoreJob first = NewRestore(of_a, b);
    const domain::RestoreJob second = round % 2 == 0 ? NewRestore(of_a, b) : NewRestore(of_b, a);
    const domain::Job first_job = NewJob(domain::JobKind::kRestore, first.id.raw(), kNow);
    const domain::Job second_job = NewJob(domain::JobKind::kRestore, second.id.raw(), kNow);
    std::string first_refusal;
    std::string second_refusal;
    std::thread other(
        [&] { second_refusal = Refusal([&] { store_->AddRestore(second, second_job, ""); }); });
    first_refusal = Refusal([&] { store_->AddRestore(first, first_job, ""); });
    other.join();
    EXPECT_NE(first_refusal.empty(), second_refusal.empty()) << "round " << round;
    EXPECT_THAT(first_refusal + second_refusal, testing::StartsWith("Conflict: cannot restore"));
    ASSERT_TRUE(store_->FinishRestore(Claim(), domain::RestoreState::kCompleted, "", kNow));
    ASSERT_FALSE(store_->ClaimJob("node", kNow, kLease)) << "a refused restore left a job";
  }
}

TEST_P(StoreSuite, RestoreStopsUnfinishedSnapshotsOfItsTarget) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Cluster target = AddCluster("c1");
  const domain::Snapshot running = AddSnapshot(target);
  const domain::Lease lease = Claim();
  const domain::Snapshot waiting = AddSnapshot(target);
  const domain::RestoreJob restore = NewRestore(snapshot, target);
  AddRestore(restore);
  for (const SnapshotId& id : {running.id, waiting.id}) {
    const domain::Snapshot stopped = store_->FindSnapshot(id).value();
    EXPECT_EQ(stopped.state, domain::SnapshotState::kFailed);
    EXPECT_EQ(stopped.failure, "stopped");
    EXPECT_EQ(stopped.finished, kNow);
    EXPECT_EQ(store_->FindJobBySubject(id.raw()).value().state, domain::JobState::kDone);
  }
  EXPECT_FALSE(store_->ExtendLease(lease, kNow + kLease));
  domain::Snapshot completed = running;
  completed.state = domain::SnapshotState::kCompleted;
  EXPECT_FALSE(store_->FinishSnapshot(lease, completed));
  EXPECT_EQ(store_->FindSnapshot(running.id).value().state, domain::SnapshotState::kFailed);
}

TEST_P(StoreSuite, SnapshotOfARestoreTargetIsNotClaimedUntilTheRestoreHasFinished) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Cluster target = AddCluster("c1");
  AddRestore(NewRestore(snapshot, target));
  const domain::Snapshot later = AddSnapshot(target, kNow - std::chrono::hours{1});
  const domain::Job claimed = store_->ClaimJob("node", kNow, kLease).value();
  EXPECT_EQ(claimed.kind, domain::JobKind::kRestore);
  EXPECT_FALSE(store_->ClaimJob("node", kNow, kLease));
  ASSERT_TRUE(store_->FinishRestore(
      {claimed.id, claimed.fence}, domain::RestoreState::kCompleted, "", kNow));
  EXPECT_EQ(store_->ClaimJob("node", kNow, kLease).value().subject, later.id.raw());
}

TEST_P(StoreSuite, OldestJobIsClaimedFirst) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot newer = AddSnapshot(cluster, kNow);
  const domain::Snapshot older = AddSnapshot(cluster, kNow - std::chrono::seconds{1});
  const domain::Job first = store_->ClaimJob("node-1", kNow, kLease).value();
  EXPECT_EQ(first.subject, older.id.raw());
  EXPECT_EQ(first.state, domain::JobState::kRunning);
  EXPECT_EQ(first.owner, "node-1");
  EXPECT_EQ(first.lease_until, kNow + kLease);
  EXPECT_EQ(first.fence, 1);
  EXPECT_EQ(first.attempts, 1);
  EXPECT_EQ(store_->FindSnapshot(older.id).value().state, domain::SnapshotState::kRunning);
  EXPECT_EQ(store_->FindSnapshot(older.id).value().started, kNow);
  EXPECT_EQ(store_->ClaimJob("node-1", kNow, kLease).value().subject, newer.id.raw());
  EXPECT_FALSE(store_->ClaimJob("node-1", kNow, kLease));
}

TEST_P(StoreSuite, JobIsClaimedOnceByManyThreads) {
  const domain::Cluster cluster = AddCluster("c0");
  for (int i = 0; i < 40; ++i) {
    AddSnapshot(cluster);
  }
  std::array<std::vector<std::string>, 4> claimed;
  std::vector<std::thread> threads;
  for (auto& mine : claimed) {
    threads.emplace_back([&mine, this] {
      while (const auto job = store_->ClaimJob("node", kNow, kLease)) {
        mine.push_back(job->id.ToString());
      }
    });
  }
  std::set<std::string> distinct;
  std::size_t total = 0;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    total += claimed[i].size();
    distinct.insert(claimed[i].begin(), claimed[i].end());
  }
  EXPECT_EQ(total, 40U);
  EXPECT_EQ(distinct.size(), 40U);
}

TEST_P(StoreSuite, LostLeaseChangesNothing) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Lease old = Claim(kNow);
  ASSERT_TRUE(store_->SaveCheckpoint(old, std::string("first\0", 6)));
  EXPECT_FALSE(store_->ClaimJob("node", kNow + kLease - std::chrono::microseconds{1}, kLease));
  const domain::Job again = store_->ClaimJob("other", kNow + kLease, kLease).value();
  EXPECT_EQ(again.fence, old.fence + 1);
  EXPECT_EQ(again.attempts, 2);
  EXPECT_EQ(again.checkpoint, std::string("first\0", 6));
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().started, kNow);
  EXPECT_FALSE(store_->ExtendLease(old, kNow + std::chrono::hours{9}));
  EXPECT_FALSE(store_->SaveProgress(old, {.phase = "reading"}));
  EXPECT_FALSE(store_->SaveCheckpoint(old, "second"));
  EXPECT_FALSE(store_->ReleaseJob(old));
  domain::Snapshot completed = snapshot;
  completed.state = domain::SnapshotState::kCompleted;
  EXPECT_FALSE(store_->FinishSnapshot(old, completed));
  const domain::Job job = store_->FindJobBySubject(snapshot.id.raw()).value();
  EXPECT_EQ(job.owner, "other");
  EXPECT_EQ(job.lease_until, kNow + kLease + kLease);
  EXPECT_EQ(job.checkpoint, std::string("first\0", 6));
  EXPECT_EQ(job.progress.phase, "");
  EXPECT_TRUE(store_->FinishSnapshot({again.id, again.fence}, completed));
}

TEST_P(StoreSuite, LostLeaseDoesNotFinishARestore) {
  const domain::RestoreJob restore =
      NewRestore(AddFinishedSnapshot(AddCluster("c0")), AddCluster("c1"));
  AddRestore(restore);
  const domain::Lease old = Claim(kNow);
  const domain::Lease current = Claim(kNow + kLease);
  EXPECT_FALSE(store_->FinishRestore(old, domain::RestoreState::kFailed, "late", kNow));
  EXPECT_EQ(store_->FindRestore(restore.id).value().state, domain::RestoreState::kRunning);
  EXPECT_TRUE(store_->FinishRestore(current, domain::RestoreState::kFailed, "disk full", kNow));
  const domain::RestoreJob failed = store_->FindRestore(restore.id).value();
  EXPECT_EQ(failed.state, domain::RestoreState::kFailed);
  EXPECT_EQ(failed.failure, "disk full");
  EXPECT_EQ(failed.finished, kNow);
  EXPECT_FALSE(store_->FinishRestore(current, domain::RestoreState::kCompleted, "", kNow));
}

TEST_P(StoreSuite, ExtendedLeaseIsNotClaimed) {
  AddSnapshot(AddCluster("c0"));
  const domain::Lease lease = Claim(kNow);
  EXPECT_TRUE(store_->ExtendLease(lease, kNow + kLease + kLease));
  EXPECT_FALSE(store_->ClaimJob("other", kNow + kLease, kLease));
}

TEST_P(StoreSuite, ProgressIsKept) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Lease lease = Claim();
  EXPECT_TRUE(store_->SaveProgress(lease,
                                   {.phase = "reading",
                                    .documents_done = 1,
                                    .documents_total = 2,
                                    .bytes_done = 3,
                                    .bytes_total = std::uint64_t{1} << 40,
                                    .collections_done = 5,
                                    .collections_total = 6}));
  const domain::JobProgress progress = store_->FindJobBySubject(snapshot.id.raw()).value().progress;
  EXPECT_EQ(progress.phase, "reading");
  EXPECT_EQ(progress.documents_done, 1U);
  EXPECT_EQ(progress.documents_total, 2U);
  EXPECT_EQ(progress.bytes_done, 3U);
  EXPECT_EQ(progress.bytes_total, std::uint64_t{1} << 40);
  EXPECT_EQ(progress.collections_done, 5U);
  EXPECT_EQ(progress.collections_total, 6U);
}

TEST_P(StoreSuite, FinishedSnapshotHasWhatTheRunLearned) {
  domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Lease lease = Claim();
  snapshot.state = domain::SnapshotState::kCompleted;
  snapshot.finished = kNow + std::chrono::seconds{5};
  snapshot.mongodb_version = "7.0.1";
  snapshot.inconsistent_reason = "no oplog";
  snapshot.position = {.seconds = 4'294'967'295, .increment = 3};
  snapshot.collections = 4;
  snapshot.documents = 5;
  snapshot.logical_bytes = 6;
  snapshot.stored_bytes = 7;
  EXPECT_TRUE(store_->FinishSnapshot(lease, snapshot));
  const domain::Snapshot found = store_->FindSnapshot(snapshot.id).value();
  EXPECT_EQ(found.state, domain::SnapshotState::kCompleted);
  EXPECT_EQ(found.started, kNow);
  EXPECT_EQ(found.finished, snapshot.finished);
  EXPECT_EQ(found.mongodb_version, "7.0.1");
  EXPECT_FALSE(found.consistent);
  EXPECT_EQ(found.inconsistent_reason, "no oplog");
  EXPECT_EQ(found.position, snapshot.position);
  EXPECT_EQ(found.collections, 4U);
  EXPECT_EQ(found.documents, 5U);
  EXPECT_EQ(found.logical_bytes, 6U);
  EXPECT_EQ(found.stored_bytes, 7U);
  EXPECT_EQ(store_->FindJobBySubject(snapshot.id.raw()).value().state, domain::JobState::kDone);
}

TEST_P(StoreSuite, ReleasedJobIsClaimedAtOnceAndStaysRunningForPeople) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Lease lease = Claim();
  EXPECT_TRUE(store_->ReleaseJob(lease));
  EXPECT_FALSE(store_->ExtendLease(lease, kNow + kLease));
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().state, domain::SnapshotState::kRunning);
  EXPECT_EQ(store_->ClaimJob("other", kNow, kLease).value().fence, lease.fence + 1);
}

TEST_P(StoreSuite, BrokenLeasesAreClaimedAtOnce) {
  const domain::Cluster cluster = AddCluster("c0");
  AddFinishedSnapshot(cluster);
  AddSnapshot(cluster);
  const domain::Lease lease = Claim();
  store_->BreakAllLeases();
  EXPECT_FALSE(store_->SaveCheckpoint(lease, "late"));
  EXPECT_EQ(store_->ClaimJob("node", kNow, kLease).value().id, lease.job);
  EXPECT_FALSE(store_->ClaimJob("node", kNow, kLease)) << "a finished job was claimed again";
}

}  // namespace tidemark::catalog
