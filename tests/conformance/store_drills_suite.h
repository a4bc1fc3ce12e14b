#pragma once

#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of the store's suite about restore drills, priorities of jobs, pushes and facts.
namespace tidemark::catalog {

class StoreDrills : public StoreSuite {
 protected:
  using Minutes = std::chrono::minutes;

  StoreDrills() {
    domain::Schedule schedule = domain::DefaultSchedule(source_, kNow);
    schedule.verify_days = 7;
    store_->AddSchedule(schedule);
  }

  domain::Drill NewDrill(const std::optional<ClusterId>& target, Instant created = kNow) {
    return {.id = NewId<domain::DrillId>(),
            .project = project_.id,
            .cluster = source_.id,
            .cluster_name = source_.name,
            .snapshot = snapshot_.id,
            .target = target,
            .target_name = target ? "scratch" : "",
            .created = created};
  }

  bool Add(const domain::Drill& drill) {
    return store_->AddDrill(drill, NewJob(domain::JobKind::kDrill, drill.id.raw(), drill.created));
  }

  std::optional<domain::JobKind> ClaimKind(Instant now = kNow) {
    const auto job = store_->ClaimJob("node", now, kLease);
    return job ? std::optional(job->kind) : std::nullopt;
  }

  bool Finish(domain::Drill drill, domain::DrillState state, const std::string& failure = {}) {
    const domain::Job job = store_->FindJobBySubject(drill.id.raw()).value();
    drill.state = state;
    drill.finished = kNow + Minutes{2};
    drill.started = kNow;
    drill.restored = drill.target.has_value();
    drill.documents = 7;
    drill.failure = failure;
    return store_->FinishDrill({job.id, job.fence}, drill);
  }

  domain::Cluster source_ = AddCluster("c0");
  domain::Cluster scratch_ = AddCluster("scratch");
  domain::Snapshot snapshot_ = AddFinishedSnapshot(source_);
};

TEST_P(StoreDrills, AMarkLastsUntilItIsTakenBack) {
  EXPECT_FALSE(store_->IsScratch(scratch_.id));
  store_->MarkScratch(scratch_.id, kNow);
  store_->MarkScratch(scratch_.id, kNow);
  Reopen();
  EXPECT_TRUE(store_->IsScratch(scratch_.id));
  EXPECT_FALSE(store_->IsScratch(source_.id));
  EXPECT_TRUE(store_->UnmarkScratch(scratch_.id, "unmarked", kNow));
  EXPECT_FALSE(store_->IsScratch(scratch_.id));
}

TEST_P(StoreDrills, TheTargetIsReplacedAndForgotten) {
  EXPECT_FALSE(store_->FindDrillTarget(source_.id));
  store_->SetDrillTarget(source_.id, scratch_.id);
  EXPECT_EQ(store_->FindDrillTarget(source_.id), scratch_.id);
  const domain::Cluster other = AddCluster("other");
  store_->SetDrillTarget(source_.id, other.id);
  EXPECT_EQ(store_->FindDrillTarget(source_.id), other.id);
  store_->SetDrillTarget(source_.id, std::nullopt);
  EXPECT_FALSE(store_->FindDrillTarget(source_.id));
}

TEST_P(StoreDrills, ADrillComesBackWholeAndBecomesTheVerification) {
  const domain::Drill drill = NewDrill(scratch_.id);
  ASSERT_TRUE(Add(drill));
  EXPECT_FALSE(Add(NewDrill(std::nullopt)));  // one unfinished drill of a cluster
  EXPECT_FALSE(store_->FindSnapshotToVerify(kNow));
  EXPECT_EQ(ClaimKind(), domain::JobKind::kDrill);
  EXPECT_EQ(store_->FindDrill(drill.id).value().state, domain::DrillState::kRunning);
  EXPECT_EQ(store_->FindDrill(drill.id).value().started, kNow);
  EXPECT_FALSE(store_->FindLastDrill(source_.id));
  ASSERT_TRUE(Finish(drill, domain::DrillState::kPassed));
  EXPECT_FALSE(Finish(drill, domain::DrillState::kFailed));  // the lease has ended
  const domain::Drill found = store_->FindLastDrill(source_.id).value();
  EXPECT_EQ(found.id, drill.id);
  EXPECT_EQ(found.state, domain::DrillState::kPassed);
  EXPECT_EQ(found.target, scratch_.id);
  EXPECT_EQ(found.target_name, "scratch");
  EXPECT_TRUE(found.restored);
  EXPECT_EQ(found.documents, 7U);
  EXPECT_EQ(store_->FindLastDrillOf(snapshot_.id).value().id, drill.id);
  const domain::Verification verified = store_->FindSchedule(source_.id).value().verified.value();
  EXPECT_EQ(verified.snapshot, snapshot_.id);
  EXPECT_EQ(verified.finished, kNow + Minutes{2});
  EXPECT_EQ(verified.took, Minutes{2});
  EXPECT_EQ(verified.failure, "");
}

TEST_P(StoreDrills, ResultsAreInTheAuditLog) {
  store_->SettleEvents();
  const domain::Drill good = NewDrill(std::nullopt);
  ASSERT_TRUE(Add(good));
  ClaimKind();
  ASSERT_TRUE(Finish(good, domain::DrillState::kPassed));
  const domain::Drill bad = NewDrill(std::nullopt);
  ASSERT_TRUE(Add(bad));
  ClaimKind();
  ASSERT_TRUE(Finish(bad, domain::DrillState::kFailed, "damaged"));
  store_->SettleEvents();
  std::vector<std::string> operations;
  for (const domain::AuditEntry& entry : store_->ListAudit({}, {.size = 2}).rows) {
    operations.push_back(entry.operation);
  }
  EXPECT_EQ(operations, (std::vector<std::string>{"verificationFailed", "drillPassed"}));
}

TEST_P(StoreDrills, OnlySoManyAreKept) {
  for (int i = 0; i < domain::kDrillsKept + 5; ++i) {
    const domain::Drill drill = NewDrill(std::nullopt, kNow + std::chrono::seconds{i});
    ASSERT_TRUE(Add(drill));
    ASSERT_EQ(ClaimKind(), domain::JobKind::kDrill);
    ASSERT_TRUE(Finish(drill, domain::DrillState::kPassed));
  }
  const domain::Drill last = NewDrill(std::nullopt, kNow + std::chrono::hours{1});
  ASSERT_TRUE(Add(last));
  const auto listing = store_->ListDrills(source_.id, {.size = 1});
  EXPECT_EQ(listing.total, domain::kDrillsKept + 1);
  EXPECT_EQ(listing.rows.at(0).id, last.id);
}

TEST_P(StoreDrills, APersonsRestoreStopsAWaitingDrill) {
  const domain::Drill drill = NewDrill(scratch_.id);
  ASSERT_TRUE(Add(drill));
  AddRestore(NewRestore(snapshot_, scratch_));
  const domain::Drill stopped = store_->FindDrill(drill.id).value();
  EXPECT_EQ(stopped.state, domain::DrillState::kStopped);
  EXPECT_EQ(stopped.failure, "stopped");
  EXPECT_EQ(ClaimKind(), domain::JobKind::kRestore);
  EXPECT_FALSE(ClaimKind());
}

TEST_P(StoreDrills, APersonsRestoreWaitsUntilTheDrillHasLeftItsTarget) {
  const domain::Drill drill = NewDrill(scratch_.id);
  ASSERT_TRUE(Add(drill));
  ASSERT_EQ(ClaimKind(), domain::JobKind::kDrill);
  AddRestore(NewRestore(snapshot_, scratch_));
  EXPECT_TRUE(store_->FindDrill(drill.id).value().stopping);
  EXPECT_FALSE(ClaimKind());
  ASSERT_TRUE(Finish(drill, domain::DrillState::kStopped));
  EXPECT_FALSE(store_->FindSchedule(source_.id).value().verified);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kRestore);
}

TEST_P(StoreDrills, ADeadDrillKeepsNobodyWaitingLongerThanItsLease) {
  ASSERT_TRUE(Add(NewDrill(scratch_.id)));
  ASSERT_EQ(ClaimKind(), domain::JobKind::kDrill);
  AddRestore(NewRestore(snapshot_, scratch_));
  EXPECT_EQ(ClaimKind(kNow + kLease), domain::JobKind::kRestore);
}

TEST_P(StoreDrills, ADrillWaitsForARestoreIntoItsTarget) {
  AddRestore(NewRestore(snapshot_, scratch_));
  ASSERT_TRUE(Add(NewDrill(scratch_.id)));
  const domain::Lease restore = Claim();
  EXPECT_FALSE(ClaimKind());
  ASSERT_TRUE(store_->FinishRestore(restore, domain::RestoreState::kCompleted, "", kNow));
  EXPECT_EQ(ClaimKind(), domain::JobKind::kDrill);
}

TEST_P(StoreDrills, NoSnapshotIsTakenOfAClusterThatADrillWipes) {
  ASSERT_TRUE(Add(NewDrill(scratch_.id)));
  ASSERT_EQ(ClaimKind(), domain::JobKind::kDrill);
  AddSnapshot(scratch_);
  EXPECT_FALSE(ClaimKind());
  AddSnapshot(source_);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kTakeSnapshot);
}

TEST_P(StoreDrills, ADrillWaitsForASnapshotOfItsTarget) {
  AddSnapshot(scratch_);
  ASSERT_EQ(ClaimKind(), domain::JobKind::kTakeSnapshot);
  ASSERT_TRUE(Add(NewDrill(scratch_.id)));
  EXPECT_FALSE(ClaimKind());
}

TEST_P(StoreDrills, OneDrillRunsAtATime) {
  ASSERT_TRUE(Add(NewDrill(std::nullopt)));
  domain::Drill other = NewDrill(std::nullopt);
  other.cluster = scratch_.id;
  ASSERT_TRUE(Add(other));
  EXPECT_EQ(ClaimKind(), domain::JobKind::kDrill);
  EXPECT_FALSE(ClaimKind());
}

TEST_P(StoreDrills, RestoresGoBeforeSnapshotsAndThoseBeforeDrills) {
  ASSERT_TRUE(Add(NewDrill(std::nullopt, kNow)));
  AddSnapshot(source_, kNow + Minutes{1});
  AddRestore(NewRestore(snapshot_, AddCluster("target"), kNow + Minutes{2}));
  EXPECT_EQ(ClaimKind(), domain::JobKind::kRestore);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kTakeSnapshot);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kDrill);
}

TEST_P(StoreDrills, NothingWaitsForEverBehindNewerJobs) {
  constexpr std::chrono::hours kHour{1};
  ASSERT_TRUE(Add(NewDrill(std::nullopt, kNow)));
  AddSnapshot(source_, kNow + 19 * kHour);
  AddRestore(NewRestore(snapshot_, AddCluster("target"), kNow + 26 * kHour));
  EXPECT_EQ(ClaimKind(), domain::JobKind::kDrill);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kTakeSnapshot);
  EXPECT_EQ(ClaimKind(), domain::JobKind::kRestore);
}

TEST_P(StoreDrills, APushIsARestoreJobWithoutATarget) {
  domain::RestoreJob restore = NewRestore(snapshot_, source_);
  restore.delivery = domain::DeliveryMethod::kPush;
  restore.target_cluster = {};
  const domain::Push push{.restore = restore.id, .method = "SCP", .file_name = "a.tar.gz"};
  store_->AddPush(
      restore, push, NewJob(domain::JobKind::kRestore, restore.id.raw(), restore.created));
  EXPECT_FALSE(store_->FindRestore(restore.id).value().download);
  EXPECT_EQ(store_->FindPush(restore.id).value().file_name, "a.tar.gz");
  EXPECT_EQ(store_->ListRestores(source_.id, {}).total, 1);
  EXPECT_EQ(store_->ListRestoresButPushes(source_.id, {}).total, 0);
  EXPECT_TRUE(store_->ListRestoresButPushes(source_.id, {}).rows.empty());
  const domain::Lease lease = Claim();
  EXPECT_TRUE(store_->SavePush(lease, {.size = 5, .sha1 = "ab"}));
  EXPECT_TRUE(store_->FinishRestore(lease, domain::RestoreState::kCompleted, "", kNow));
  EXPECT_FALSE(store_->SavePush(lease, {.size = 6, .sha1 = "cd"}));
  EXPECT_EQ(store_->FindPush(restore.id).value().method, "SCP");
  EXPECT_EQ(store_->FindPush(restore.id).value().size, 5U);
  EXPECT_EQ(store_->FindPush(restore.id).value().sha1, "ab");
  EXPECT_EQ(store_->FindRestore(restore.id).value().delivery, domain::DeliveryMethod::kPush);
}

TEST_P(StoreDrills, FactsCountWhatIsThere) {
  ASSERT_TRUE(Add(NewDrill(std::nullopt)));
  AddSnapshot(scratch_, kNow + Minutes{1});
  const Facts facts = store_->ReadFacts();
  EXPECT_EQ(facts.clusters, 2);
  EXPECT_EQ(facts.unverified, 1);
  EXPECT_EQ(facts.failing, 0);
  EXPECT_EQ(facts.oldest_waiting, kNow);
  ASSERT_EQ(facts.jobs.size(), 2U);
  EXPECT_EQ(facts.jobs[0].kind, domain::JobKind::kTakeSnapshot);
  EXPECT_EQ(facts.jobs[0].count, 1);
  EXPECT_EQ(facts.jobs[1].kind, domain::JobKind::kDrill);
  const auto clusters = store_->ListClusterFacts(10);
  ASSERT_EQ(clusters.size(), 2U);
  EXPECT_EQ(store_->ListClusterFacts(1).size(), 1U);
  for (const ClusterFacts& cluster : clusters) {
    EXPECT_EQ(cluster.project, "project");
    EXPECT_EQ(cluster.organization, organization_.id);
    EXPECT_EQ(cluster.newest.has_value(), cluster.cluster == "c0");
    EXPECT_FALSE(cluster.verified);
  }
}

}  // namespace tidemark::catalog
