#pragma once

#include <barrier>
#include <functional>
#include <thread>
#include <utility>

#include "tests/conformance/store_fixture.h"

// Two at once, each through a store of its own over one catalog: what either of them looked at
// before cannot decide, only the transaction that writes.
namespace tidemark::catalog {

class StoreRaces : public StoreSuite {
 protected:
  static constexpr int kRounds = 12;

  using Call = std::function<bool(Store& store)>;

  // "done", "no" for false, or the name of the error's code.
  static std::string OutcomeOf(Store& store, const Call& call) {
    try {
      return call(store) ? "done" : "no";
    } catch (const Error& error) {
      return std::string(ErrorCodeName(error.code()));
    }
  }

  // The outcomes of both, sorted.
  std::vector<std::string> AtOnce(const Call& first, const Call& second) {
    std::barrier together(2);
    std::string other;
    std::thread thread([&] {
      together.arrive_and_wait();
      other = OutcomeOf(*beside_, second);
    });
    together.arrive_and_wait();
    std::vector<std::string> outcomes{OutcomeOf(*store_, first)};
    thread.join();
    outcomes.push_back(other);
    std::ranges::sort(outcomes);
    return outcomes;
  }

  // A call that gives nothing back.
  static Call Does(std::function<void(Store& store)> call) {
    return [call = std::move(call)](Store& store) {
      call(store);
      return true;
    };
  }

  domain::Snapshot NewSnapshot(const domain::Cluster& cluster) {
    return {.id = NewId<SnapshotId>(),
            .project = cluster.project,
            .cluster = cluster.id,
            .cluster_name = cluster.name,
            .scheduled = kNow,
            .expires = kNow + std::chrono::hours{24}};
  }

  Call TakesAlone(const domain::Cluster& cluster) {
    const domain::Snapshot snapshot = NewSnapshot(cluster);
    const domain::Job job = NewJob(domain::JobKind::kTakeSnapshot, snapshot.id.raw(), kNow);
    return [=](Store& store) { return store.AddSnapshotAlone(snapshot, job); };
  }

  Call Restores(const domain::Snapshot& snapshot, const domain::Cluster& target) {
    const domain::RestoreJob restore = NewRestore(snapshot, target);
    const domain::Job job = NewJob(domain::JobKind::kRestore, restore.id.raw(), kNow);
    return Does([=](Store& store) { store.AddRestore(restore, job, "stopped"); });
  }

  static Call Removes(const domain::Cluster& cluster) {
    return [id = cluster.id](Store& store) { return store.RemoveCluster(id, kNow); };
  }

  static Call Moves(const domain::Cluster& cluster) {
    return Does([id = cluster.id](Store& store) {
      store.UpdateCluster(id, {.connection_string = Secret("moved")}, "moved", kNow);
    });
  }

  static Call Deletes(const domain::Snapshot& snapshot) {
    return [id = snapshot.id](Store& store) { return store.MarkSnapshotDeleted(id, kNow); };
  }

  std::unique_ptr<Store> beside_ = GetParam().open(directory_);
};

TEST_P(StoreRaces, OfTwoSnapshotsThatAreAskedForOneIsTaken) {
  for (int round = 0; round < kRounds; ++round) {
    const domain::Cluster cluster = AddCluster("c" + std::to_string(round));
    EXPECT_THAT(AtOnce(TakesAlone(cluster), TakesAlone(cluster)),
                testing::ElementsAre("done", "no"));
    EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).total, 1);
  }
}

TEST_P(StoreRaces, WhatSchedulesAndDumpsBringIsNoRivalOfASnapshotThatIsAskedFor) {
  const domain::Cluster cluster = AddCluster("c0");
  domain::Snapshot scheduled = NewSnapshot(cluster);
  scheduled.due = kNow;
  store_->AddSnapshot(scheduled, NewJob(domain::JobKind::kTakeSnapshot, scheduled.id.raw(), kNow));
  const domain::Snapshot imported = NewSnapshot(cluster);
  store_->AddImportedSnapshot(
      imported, {.path = "dump"}, NewJob(domain::JobKind::kTakeSnapshot, imported.id.raw(), kNow));
  EXPECT_TRUE(TakesAlone(cluster)(*store_));
  EXPECT_FALSE(TakesAlone(cluster)(*store_));
  EXPECT_TRUE(TakesAlone(AddCluster("c1"))(*store_));
}

TEST_P(StoreRaces, AClusterIsUnregisteredOrRestoredInto) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("source"));
  for (int round = 0; round < kRounds; ++round) {
    const domain::Cluster target = AddCluster("c" + std::to_string(round));
    EXPECT_THAT(AtOnce(Restores(snapshot, target), Removes(target)),
                testing::AnyOf(testing::ElementsAre("Conflict", "done"),
                               testing::ElementsAre("NotFound", "done")));
    EXPECT_NE(store_->HasUnfinishedRestoreInto(target.id),
              store_->FindCluster(target.id).value().removed.has_value());
  }
}

TEST_P(StoreRaces, AClusterMovesBeforeARestoreIntoItOrNotAtAll) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("source"));
  for (int round = 0; round < kRounds; ++round) {
    const domain::Cluster target = AddCluster("c" + std::to_string(round));
    EXPECT_THAT(AtOnce(Restores(snapshot, target), Moves(target)),
                testing::AnyOf(testing::ElementsAre("Conflict", "done"),
                               testing::ElementsAre("done", "done")));
    EXPECT_TRUE(store_->HasUnfinishedRestoreInto(target.id));
    EXPECT_EQ(Refusal([&] { Moves(target)(*store_); }),
              "Conflict: cannot change the connection string of cluster " + target.id.ToString() +
                  ": a restore into it is unfinished");
    EXPECT_TRUE(store_->UpdateCluster(target.id, {.paused = true}, "", kNow));
  }
}

TEST_P(StoreRaces, AnUnregisteredClusterGetsNoSnapshot) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_EQ(OutcomeOf(*store_, TakesAlone(cluster)), "NotFound");
  EXPECT_EQ(Refusal([&] { AddSnapshot(cluster); }),
            "NotFound: cannot take a snapshot of cluster 'c0': it is not registered any more");
  const domain::Snapshot imported = NewSnapshot(cluster);
  EXPECT_EQ(Refusal([&] {
              store_->AddImportedSnapshot(
                  imported,
                  {.path = "dump"},
                  NewJob(domain::JobKind::kTakeSnapshot, imported.id.raw(), kNow));
            }),
            "NotFound: cannot import a snapshot of cluster 'c0': it is not registered any more");
}

TEST_P(StoreRaces, ASnapshotIsDeletedOrKept) {
  const domain::Cluster cluster = AddCluster("c0");
  for (int round = 0; round < kRounds; ++round) {
    const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
    const auto keep = [id = snapshot.id](Store& store) {
      return store.UpdateRetention(id, {.do_not_delete = true});
    };
    EXPECT_THAT(AtOnce(keep, Deletes(snapshot)), testing::ElementsAre("done", "no"));
    const domain::Snapshot now = store_->FindSnapshot(snapshot.id).value();
    EXPECT_NE(now.do_not_delete, now.deleted.has_value());
  }
}

TEST_P(StoreRaces, ASnapshotIsDeletedOrRead) {
  const domain::Cluster cluster = AddCluster("c0");
  for (int round = 0; round < kRounds; ++round) {
    const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
    const domain::Cluster target = AddCluster("t" + std::to_string(round));
    EXPECT_THAT(AtOnce(Restores(snapshot, target), Deletes(snapshot)),
                testing::AnyOf(testing::ElementsAre("Conflict", "done"),
                               testing::ElementsAre("NotFound", "done")));
    if (store_->HasUnfinishedRestoreInto(target.id)) {
      EXPECT_TRUE(store_->FinishRestore(Claim(), domain::RestoreState::kFailed, "", kNow));
    }
  }
}

TEST_P(StoreRaces, WhatIsBeingTakenIsNotDeleted) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  EXPECT_FALSE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_FALSE(store_->FindSnapshot(snapshot.id).value().deleted);
}

TEST_P(StoreRaces, OfTwoChangesOfRetentionNeitherIsLost) {
  const domain::Cluster cluster = AddCluster("c0");
  const Instant later = kNow + std::chrono::hours{99};
  for (int round = 0; round < kRounds; ++round) {
    const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
    const auto change = [id = snapshot.id](Store::RetentionChange wanted) {
      return [=](Store& store) { return store.UpdateRetention(id, wanted); };
    };
    AtOnce(change({.do_not_delete = true}), change({.expires = later}));
    const domain::Snapshot now = store_->FindSnapshot(snapshot.id).value();
    EXPECT_TRUE(now.do_not_delete);
    EXPECT_EQ(now.expires, later);
  }
}

TEST_P(StoreRaces, WhatMayBeDeletedAgainStaysForAWhile) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const auto expires = [&] { return store_->FindSnapshot(snapshot.id).value().expires; };
  const Instant before = expires();
  store_->UpdateRetention(snapshot.id, {.not_before = kNow});
  EXPECT_EQ(expires(), before);
  store_->UpdateRetention(snapshot.id, {.not_before = before + std::chrono::hours{1}});
  EXPECT_EQ(expires(), before + std::chrono::hours{1});
  store_->UpdateRetention(snapshot.id, {.expires = kNow});
  EXPECT_EQ(expires(), kNow);
}

TEST_P(StoreRaces, AProjectIsDeletedOrGetsACluster) {
  for (int round = 0; round < kRounds; ++round) {
    const domain::Project project = AddProject("p" + std::to_string(round));
    domain::Cluster cluster = NewCluster("c0");
    cluster.project = project.id;
    const auto outcomes = AtOnce(
        Does([=](Store& store) { store.AddCluster(cluster); }),
        [id = project.id](Store& store) { return store.DeleteProject(id, kNow).has_value(); });
    EXPECT_THAT(outcomes,
                testing::AnyOf(testing::ElementsAre("Conflict", "done"),
                               testing::ElementsAre("NotFound", "done")));
  }
}

TEST_P(StoreRaces, OfTwoEqualNamesOneIsTaken) {
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "c" + std::to_string(round);
    const auto registers = [&] {
      return Does([cluster = NewCluster(name)](Store& store) { store.AddCluster(cluster); });
    };
    EXPECT_THAT(AtOnce(registers(), registers()), testing::ElementsAre("Conflict", "done"));
    const auto creates = [&] {
      const domain::Project project{.id = NewId<ProjectId>(),
                                    .organization = organization_.id,
                                    .name = name,
                                    .created = kNow};
      return Does([=](Store& store) { store.AddProject(project); });
    };
    EXPECT_THAT(AtOnce(creates(), creates()), testing::ElementsAre("Conflict", "done"));
  }
}

TEST_P(StoreRaces, OfTwoOwnersOneStays) {
  for (int round = 0; round < kRounds; ++round) {
    const domain::Organization organization{.id = NewId<OrganizationId>(),
                                            .name = "org" + std::to_string(round)};
    const auto owner = [&](const std::string& name) {
      domain::Key key = NewKey(name + std::to_string(round));
      key.organization = organization.id;
      key.kind = domain::KeyKind::kApiKey;
      key.grants = {{.role = domain::Role::kOrgOwner, .organization = organization.id}};
      return key;
    };
    const domain::Key first = owner("first");
    const domain::Key second = owner("second");
    store_->AddOrganization(organization, first, "sealed");
    store_->AddKey(second, "sealed");
    const auto revokes = [](const KeyId& id) {
      return [=](Store& store) { return store.RevokeKey(id, kNow) == KeyChange::kDone; };
    };
    EXPECT_THAT(AtOnce(revokes(first.id), revokes(second.id)), testing::ElementsAre("done", "no"));
  }
}

TEST_P(StoreRaces, OfTwoChangesOfAScheduleOneCounts) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddSchedule(domain::DefaultSchedule(cluster, kNow));
  for (int round = 0; round < kRounds; ++round) {
    const domain::Schedule seen = store_->FindSchedule(cluster.id).value();
    const auto changes = [&](int minute) {
      domain::Schedule changed = seen;
      changed.reference_minute = minute;
      return [=](Store& store) { return store.UpdateSchedule(changed); };
    };
    EXPECT_THAT(AtOnce(changes(round), changes(100 + round)), testing::ElementsAre("done", "no"));
  }
}

TEST_P(StoreRaces, OfTwoDrillsOfAClusterOneIsQueued) {
  for (int round = 0; round < kRounds; ++round) {
    const domain::Cluster cluster = AddCluster("c" + std::to_string(round));
    const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
    const auto drills = [&] {
      const domain::Drill drill{.id = NewId<domain::DrillId>(),
                                .project = cluster.project,
                                .cluster = cluster.id,
                                .cluster_name = cluster.name,
                                .snapshot = snapshot.id,
                                .created = kNow};
      const domain::Job job = NewJob(domain::JobKind::kDrill, drill.id.raw(), kNow);
      return [=](Store& store) { return store.AddDrill(drill, job); };
    };
    EXPECT_THAT(AtOnce(drills(), drills()), testing::ElementsAre("done", "no"));
    const domain::Job job = store_->ClaimJob("node", kNow, kLease).value();
    domain::Drill ended = store_->FindDrill(domain::DrillId(job.subject)).value();
    ended.state = domain::DrillState::kFailed;
    ASSERT_TRUE(store_->FinishDrill({job.id, job.fence}, ended));
  }
}

TEST_P(StoreRaces, AClusterThatADrillIsWipingStaysRegisteredUntilItHasLeft) {
  const domain::Cluster source = AddCluster("source");
  const domain::Cluster scratch = AddCluster("scratch");
  const domain::Snapshot snapshot = AddFinishedSnapshot(source);
  store_->MarkScratch(scratch.id, kNow);
  const domain::Drill drill{.id = NewId<domain::DrillId>(),
                            .project = source.project,
                            .cluster = source.id,
                            .cluster_name = source.name,
                            .snapshot = snapshot.id,
                            .target = scratch.id,
                            .target_name = scratch.name,
                            .created = kNow};
  ASSERT_TRUE(store_->AddDrill(drill, NewJob(domain::JobKind::kDrill, drill.id.raw(), kNow)));
  const domain::Lease lease = Claim();
  EXPECT_EQ(Refusal([&] { store_->RemoveCluster(scratch.id, kNow); }),
            "Conflict: cannot unregister cluster " + scratch.id.ToString() +
                ": a drill is writing to it");
  EXPECT_EQ(Refusal([&] { Moves(scratch)(*store_); }),
            "Conflict: cannot change the connection string of cluster " + scratch.id.ToString() +
                ": a drill is writing to it");
  EXPECT_TRUE(store_->IsScratch(scratch.id));
  // The mark is off at once; the drill is told, and until it has ended nobody may count on it.
  EXPECT_FALSE(store_->UnmarkScratch(scratch.id, "unmarked", kNow));
  EXPECT_FALSE(store_->IsScratch(scratch.id));
  domain::Drill told = store_->FindDrill(drill.id).value();
  EXPECT_TRUE(told.stopping);
  EXPECT_EQ(told.failure, "unmarked");
  told.state = domain::DrillState::kStopped;
  ASSERT_TRUE(store_->FinishDrill(lease, told));
  EXPECT_TRUE(store_->UnmarkScratch(scratch.id, "unmarked", kNow));
  EXPECT_TRUE(store_->RemoveCluster(scratch.id, kNow));
}

TEST_P(StoreRaces, ADrillThatWaitsEndsWithTheMark) {
  const domain::Cluster source = AddCluster("source");
  const domain::Cluster scratch = AddCluster("scratch");
  const domain::Drill drill{.id = NewId<domain::DrillId>(),
                            .project = source.project,
                            .cluster = source.id,
                            .cluster_name = source.name,
                            .snapshot = AddFinishedSnapshot(source).id,
                            .target = scratch.id,
                            .target_name = scratch.name,
                            .created = kNow};
  ASSERT_TRUE(store_->AddDrill(drill, NewJob(domain::JobKind::kDrill, drill.id.raw(), kNow)));
  EXPECT_TRUE(store_->UnmarkScratch(scratch.id, "unmarked", kNow));
  EXPECT_EQ(store_->FindDrill(drill.id).value().state, domain::DrillState::kStopped);
  EXPECT_FALSE(store_->ClaimJob("node", kNow, kLease));
}

TEST_P(StoreRaces, OfTwoFirstCompliancePoliciesOneCounts) {
  for (int round = 0; round < kRounds; ++round) {
    const ProjectId project = AddProject("p" + std::to_string(round)).id;
    const auto puts = [&](int weeks) {
      domain::CompliancePolicy policy{.project = project, .email = "a@b.example", .updated = kNow};
      policy.items = {{.frequency = domain::Frequency::kWeekly,
                       .interval = 6,
                       .unit = domain::RetentionUnit::kWeeks,
                       .retention = weeks,
                       .id = NewId<domain::PolicyItemId>()}};
      return [=](Store& store) { return store.PutCompliancePolicy(policy); };
    };
    EXPECT_THAT(AtOnce(puts(4), puts(5)), testing::ElementsAre("done", "no"));
    EXPECT_EQ(store_->FindCompliancePolicy(project).value().items.size(), 1U);
  }
}

TEST_P(StoreRaces, ABucketIsDeletedOrWrittenToAndATargetRemovedOrStoodFor) {
  const domain::Cluster cluster = AddCluster("c0");
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "bucket-" + std::to_string(round);
    const domain::ExportTarget target{.id = NewId<domain::ExportTargetId>(),
                                      .project = project_.id,
                                      .bucket = name,
                                      .kind = domain::ExportTargetKind::kDirectory,
                                      .created = kNow};
    store_->AddExportTarget(target);
    const domain::ExportBucket bucket{.id = NewId<domain::ExportBucketId>(),
                                      .project = project_.id,
                                      .bucket = name,
                                      .role = "0123456789abcdef01234567",
                                      .created = kNow};
    const auto removes_target = [=](Store& store) {
      return store.RemoveExportTarget(target.project, target.id);
    };
    const auto either = testing::AnyOf(testing::ElementsAre("Conflict", "done"),
                                       testing::ElementsAre("NotFound", "done"));
    EXPECT_THAT(AtOnce(Does([=](Store& store) { store.AddExportBucket(bucket); }), removes_target),
                either);
    if (!store_->FindExportBucket(project_.id, bucket.id)) {
      continue;
    }
    const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
    const domain::ExportJob job{.id = NewId<domain::ExportId>(),
                                .project = project_.id,
                                .cluster = cluster.id,
                                .cluster_name = cluster.name,
                                .snapshot = snapshot.id,
                                .bucket = bucket.id,
                                .created = kNow,
                                .requested_by = NewId<KeyId>()};
    const domain::Job work = NewJob(domain::JobKind::kExport, job.id.raw(), kNow);
    const auto removes_bucket = [=](Store& store) {
      return store.RemoveExportBucket(bucket.project, bucket.id);
    };
    EXPECT_THAT(AtOnce(Does([=](Store& store) { store.AddExport(job, work); }), removes_bucket),
                either);
    if (store_->FindExport(job.id)) {
      ASSERT_TRUE(store_->FinishExport(Claim(), domain::ExportState::kFailed, "", kNow));
    }
  }
}

TEST_P(StoreRaces, ADownloadThatWasTakenBackIsNotBegun) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  domain::RestoreJob job = NewRestore(snapshot, AddCluster("c1"));
  job.delivery = domain::DeliveryMethod::kDownload;
  job.target_cluster = ClusterId();
  job.state = domain::RestoreState::kCompleted;
  job.download = domain::Download{.key_hash = "00ff",
                                  .sealed_key = "sealed",
                                  .file_name = "x.tar.gz",
                                  .expiration_hours = 1,
                                  .max_downloads = 3};
  store_->AddDownload(job);
  const auto begins = [&](DownloadPart part, Instant now) {
    return store_->ReserveDownload(job.id, part, now).has_value();
  };
  EXPECT_TRUE(begins(DownloadPart::kBeginning, kNow));
  EXPECT_FALSE(begins(DownloadPart::kBeginning, job.expires));
  EXPECT_TRUE(store_->CancelDownload(job.id, kNow));
  EXPECT_FALSE(begins(DownloadPart::kBeginning, kNow));
  EXPECT_FALSE(begins(DownloadPart::kContinuation, kNow));
}

}  // namespace tidemark::catalog
