#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/conformance/store_audit_suite.h"
#include "tests/conformance/store_deletions_suite.h"
#include "tests/conformance/store_downloads_suite.h"
#include "tests/conformance/store_fixture.h"
#include "tests/conformance/store_imports_suite.h"
#include "tests/conformance/store_jobs_suite.h"
#include "tests/conformance/store_outbox_suite.h"

// The whole StoreSuite: include this, then instantiate it.
namespace tidemark::catalog {

TEST_P(StoreSuite, OrganizationIsFoundById) {
  EXPECT_EQ(store_->FindOrganization(organization_.id).value().name, "org");
  EXPECT_FALSE(store_->FindOrganization(NewId<OrganizationId>()));
  EXPECT_EQ(Refusal([&] { store_->AddOrganization(organization_); }),
            "Conflict: cannot add organization 'org': there is one of that name");
}

TEST_P(StoreSuite, ProjectNameIsUniqueInItsOrganization) {
  const domain::Project found = store_->FindProject(project_.id).value();
  EXPECT_EQ(found.organization, organization_.id);
  EXPECT_EQ(found.name, "project");
  EXPECT_EQ(found.created, kNow);
  EXPECT_EQ(Refusal([&] { AddProject("project"); }),
            "Conflict: cannot add project 'project': its organization has one of that name");
}

TEST_P(StoreSuite, ProjectsAreListedByNameOverPages) {
  AddProject("alpha");
  const domain::Project beta = AddProject("beta");
  const auto all = store_->ListProjects({organization_.id}, {beta.id}, {});
  EXPECT_THAT(Names(all), testing::ElementsAre("alpha", "beta", "project"));
  const auto second = store_->ListProjects({organization_.id}, {}, {.number = 2, .size = 2});
  EXPECT_THAT(Names(second), testing::ElementsAre("project"));
  EXPECT_EQ(second.total, 3);
  EXPECT_THAT(Names(store_->ListProjects({}, {beta.id}, {})), testing::ElementsAre("beta"));
  EXPECT_EQ(store_->ListProjects({}, {}, {}).total, 0);
}

TEST_P(StoreSuite, KeyComesBackWithGrantsAndSecret) {
  const domain::Key key = NewKey("mdb_sa_id_1");
  const std::string secret("a\0b\xfe", 4);
  store_->AddKey(key, secret);
  const Store::StoredKey found = store_->FindKeyByPublicName("mdb_sa_id_1").value();
  EXPECT_EQ(found.sealed_secret, secret);
  EXPECT_EQ(found.key.id, key.id);
  EXPECT_EQ(found.key.kind, domain::KeyKind::kServiceAccount);
  EXPECT_EQ(found.key.description, "for tests");
  ASSERT_EQ(found.key.grants.size(), 2U);
  EXPECT_EQ(found.key.grants[0].role, domain::Role::kOrgReadOnly);
  EXPECT_EQ(found.key.grants[0].organization, organization_.id);
  EXPECT_TRUE(found.key.grants[0].project.IsZero());
  EXPECT_EQ(found.key.grants[1].project, project_.id);
  EXPECT_EQ(store_->FindKey(key.id).value().key.public_name, "mdb_sa_id_1");
  EXPECT_FALSE(store_->FindKeyByPublicName("nobody"));
  EXPECT_EQ(Refusal([&] { store_->AddKey(NewKey("mdb_sa_id_1"), ""); }),
            "Conflict: cannot add key 'mdb_sa_id_1': it exists");
}

TEST_P(StoreSuite, KeyIsRevokedOnce) {
  const domain::Key key = NewKey("abcdefgh");
  store_->AddKey(key, "secret");
  EXPECT_EQ(store_->RevokeKey(key.id, kNow), KeyChange::kDone);
  EXPECT_EQ(store_->RevokeKey(key.id, kNow), KeyChange::kAbsent);
  EXPECT_EQ(store_->RevokeKey(NewId<KeyId>(), kNow), KeyChange::kAbsent);
  EXPECT_EQ(store_->FindKey(key.id).value().key.revoked, kNow);
}

TEST_P(StoreSuite, KeysAreListedWithGrants) {
  store_->AddKey(NewKey("one"), "1");
  store_->AddKey(NewKey("two"), "2");
  const auto page = store_->ListKeys(organization_.id, {.number = 1, .size = 1});
  EXPECT_EQ(page.total, 2);
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].grants.size(), 2U);
}

TEST_P(StoreSuite, ClusterComesBackWhole) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Cluster found = store_->FindCluster(project_.id, "c0").value();
  EXPECT_EQ(found.id, cluster.id);
  EXPECT_EQ(found.tier, domain::Tier::kFlex);
  EXPECT_EQ(found.topology, domain::Topology::kReplicaSet);
  EXPECT_EQ(found.connection_string.Reveal(), cluster.connection_string.Reveal());
  EXPECT_TRUE(found.encryption_at_rest);
  EXPECT_FALSE(found.paused);
  EXPECT_TRUE(found.require_quiet);
  EXPECT_FALSE(found.allow_lossy);
  EXPECT_FALSE(found.removed);
  EXPECT_FALSE(store_->FindCluster(AddProject("other").id, "c0"));
}

TEST_P(StoreSuite, RemovedClusterFreesItsName) {
  const domain::Cluster first = AddCluster("c0");
  EXPECT_EQ(Refusal([&] { AddCluster("c0"); }),
            "Conflict: cannot register cluster 'c0': its project has one of that name");
  EXPECT_TRUE(store_->RemoveCluster(first.id, kNow));
  EXPECT_FALSE(store_->RemoveCluster(first.id, kNow));
  EXPECT_FALSE(store_->FindCluster(project_.id, "c0"));
  EXPECT_EQ(store_->FindCluster(first.id).value().removed, kNow);
  const domain::Cluster second = AddCluster("c0");
  EXPECT_EQ(store_->FindCluster(project_.id, "c0").value().id, second.id);
}

TEST_P(StoreSuite, ClustersAreListedAndCountedUntilRemoved) {
  const domain::Cluster b = AddCluster("b");
  AddCluster("a");
  EXPECT_EQ(store_->CountClusters(project_.id), 2);
  EXPECT_THAT(Names(store_->ListClusters(project_.id, {})), testing::ElementsAre("a", "b"));
  store_->RemoveCluster(b.id, kNow);
  EXPECT_EQ(store_->CountClusters(project_.id), 1);
  EXPECT_EQ(store_->ListClusters(project_.id, {}).total, 1);
}

TEST_P(StoreSuite, ClustersAreListedByTheSurfaceThatTellsOfThem) {
  using Kind = Store::ClusterKind;
  constexpr auto kLeaveOut = Store::Unregistered::kLeaveOut;
  for (const auto& [name, tier, topology] :
       {std::tuple("flex", domain::Tier::kFlex, domain::Topology::kUnknown),
        std::tuple("shards", domain::Tier::kFlex, domain::Topology::kSharded),
        std::tuple("shared", domain::Tier::kShared, domain::Topology::kStandalone),
        std::tuple("dedicated", domain::Tier::kDedicated, domain::Topology::kReplicaSet)}) {
    domain::Cluster cluster = NewCluster(name);
    cluster.tier = tier;
    cluster.topology = topology;
    store_->AddCluster(cluster);
  }
  const auto flex = store_->ListClusters(project_.id, Kind::kFlex, kLeaveOut, {});
  EXPECT_THAT(Names(flex), testing::ElementsAre("flex"));
  EXPECT_EQ(flex.total, 1);
  EXPECT_EQ(flex.rows[0].connection_string.Reveal(), NewCluster("flex").connection_string.Reveal());
  const auto others = store_->ListClusters(project_.id, Kind::kNotFlex, kLeaveOut, {});
  EXPECT_THAT(Names(others), testing::ElementsAre("dedicated", "shards", "shared"));
  const auto page =
      store_->ListClusters(project_.id, Kind::kNotFlex, kLeaveOut, {.number = 2, .size = 2});
  EXPECT_THAT(Names(page), testing::ElementsAre("shared"));
  EXPECT_EQ(page.total, 3);
}

TEST_P(StoreSuite, UnregisteredClustersAreListedWhileSnapshotsAreKept) {
  const auto list = [&](Store::Unregistered unregistered) {
    return store_->ListClusters(project_.id, Store::ClusterKind::kFlex, unregistered, {});
  };
  constexpr auto kWithSnapshots = Store::Unregistered::kWithSnapshots;
  const domain::Cluster kept = AddCluster("kept");
  const domain::Snapshot snapshot = AddFinishedSnapshot(kept);
  const domain::Cluster empty = AddCluster("empty");
  AddSnapshot(empty);  // never completed
  store_->RemoveCluster(kept.id, kNow);
  store_->RemoveCluster(empty.id, kNow);
  AddCluster("kept");
  EXPECT_EQ(list(Store::Unregistered::kLeaveOut).total, 1);
  const auto all = list(kWithSnapshots);
  EXPECT_THAT(Names(all), testing::ElementsAre("kept", "kept"));
  EXPECT_EQ(all.total, 2);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_EQ(list(kWithSnapshots).total, 1);
}

TEST_P(StoreSuite, SnapshotsAreListedInEitherOrder) {
  const domain::Cluster cluster = AddCluster("c0");
  std::vector<SnapshotId> ids;
  for (int hour = 0; hour < 3; ++hour) {
    ids.push_back(AddSnapshot(cluster, kNow + std::chrono::hours{hour}).id);
  }
  ids.push_back(AddSnapshot(cluster, kNow + std::chrono::hours{2}).id);  // at the same moment
  std::sort(ids.begin() + 2, ids.end());
  const auto in_order = [](const domain::Listing<domain::Snapshot>& listing) {
    std::vector<SnapshotId> listed;
    for (const domain::Snapshot& snapshot : listing.rows) {
      listed.push_back(snapshot.id);
    }
    return listed;
  };
  EXPECT_EQ(in_order(store_->ListSnapshotsOldestFirst(cluster.id, {})), ids);
  const auto page = store_->ListSnapshotsOldestFirst(cluster.id, {.number = 2, .size = 3});
  EXPECT_EQ(in_order(page), std::vector({ids[3]}));
  domain::Snapshot kept{.id = NewId<SnapshotId>(),
                        .project = cluster.project,
                        .cluster = AddCluster("c1").id,
                        .cluster_name = "c1",
                        .scheduled = kNow,
                        .expires = kNow,
                        .retention_days = 5};
  store_->AddSnapshot(kept, NewJob(domain::JobKind::kTakeSnapshot, kept.id.raw(), kNow));
  // The last column of the row: none is missing before it.
  EXPECT_EQ(store_->ListSnapshotsOldestFirst(kept.cluster, {}).rows.at(0).retention_days,
            store_->ListSnapshots(kept.cluster, {}).rows.at(0).retention_days);
  EXPECT_EQ(store_->ListSnapshots(kept.cluster, {}).rows.at(0).retention_days, 5);
  EXPECT_EQ(page.total, 4);
  FinishSnapshots();
  store_->MarkSnapshotDeleted(ids[0], kNow);
  EXPECT_EQ(store_->ListSnapshotsOldestFirst(cluster.id, {}).total, 3);
  std::reverse(ids.begin(), ids.end());
  ids.pop_back();
  EXPECT_EQ(in_order(store_->ListSnapshots(cluster.id, {})), ids);
}

TEST_P(StoreSuite, ClustersAreChangedInWhatIsAskedFor) {
  const domain::Cluster cluster = AddCluster("c0");
  const auto update = [&](const Store::ClusterChange& change) {
    return store_->UpdateCluster(cluster.id, change, "why", kNow);
  };
  EXPECT_TRUE(update({.connection_string = Secret("sealed anew"), .paused = true}));
  EXPECT_TRUE(update({.allow_lossy = true}));
  const domain::Cluster found = store_->FindCluster(cluster.project, "c0").value();
  EXPECT_EQ(found.connection_string.Reveal(), "sealed anew");
  EXPECT_TRUE(found.paused);
  EXPECT_TRUE(found.allow_lossy);
  EXPECT_EQ(found.require_quiet, cluster.require_quiet);
  EXPECT_EQ(found.encryption_at_rest, cluster.encryption_at_rest);
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_FALSE(update({.paused = false}));
  EXPECT_TRUE(store_->FindCluster(cluster.id).value().paused);
}

TEST_P(StoreSuite, AnotherConnectionStringIsNoScratchTarget) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->MarkScratch(cluster.id, kNow);
  EXPECT_TRUE(store_->UpdateCluster(cluster.id, {.paused = true}, "why", kNow));
  EXPECT_TRUE(store_->IsScratch(cluster.id));
  EXPECT_TRUE(
      store_->UpdateCluster(cluster.id, {.connection_string = Secret("other")}, "why", kNow));
  EXPECT_FALSE(store_->IsScratch(cluster.id));
}

TEST_P(StoreSuite, ClusterFactsAreUpdated) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->UpdateClusterFacts(cluster.id, domain::Topology::kSharded, "8.0.4", "");
  const domain::Cluster found = store_->FindCluster(cluster.id).value();
  EXPECT_EQ(found.topology, domain::Topology::kSharded);
  EXPECT_EQ(found.mongodb_version, "8.0.4");
  EXPECT_EQ(found.replica_set_name, "");
}

TEST_P(StoreSuite, SnapshotIsQueuedWithItsJob) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Snapshot found = store_->FindSnapshot(snapshot.id).value();
  EXPECT_EQ(found.state, domain::SnapshotState::kPending);
  EXPECT_EQ(found.description, "on demand");
  EXPECT_EQ(found.expires, snapshot.expires);
  EXPECT_FALSE(found.started);
  const domain::Job job = store_->FindJobBySubject(snapshot.id.raw()).value();
  EXPECT_EQ(job.kind, domain::JobKind::kTakeSnapshot);
  EXPECT_EQ(job.state, domain::JobState::kReady);
  EXPECT_FALSE(store_->FindJobBySubject(NewId<SnapshotId>().raw()));
  EXPECT_EQ(Refusal([&] { store_->AddSnapshot(snapshot, job); }),
            "Conflict: cannot add snapshot " + snapshot.id.ToString() + ": it or its job exists");
}

TEST_P(StoreSuite, SnapshotOfAnUnknownClusterIsRefused) {
  EXPECT_THAT(Refusal([&] { AddSnapshot(NewCluster("ghost")); }),
              testing::StartsWith("NotFound: "));
}

TEST_P(StoreSuite, SnapshotsAreListedNewestFirstAndStableOverPages) {
  const domain::Cluster cluster = AddCluster("c0");
  std::vector<std::pair<Instant, std::string>> expected;
  for (int i = 0; i < 23; ++i) {
    const Instant scheduled = kNow + std::chrono::seconds{i / 5};
    expected.emplace_back(scheduled, AddSnapshot(cluster, scheduled).id.ToString());
  }
  std::ranges::sort(expected, std::greater<>());
  std::vector<std::pair<Instant, std::string>> seen;
  for (int number = 1; number <= 4; ++number) {
    const auto page = store_->ListSnapshots(cluster.id, {.number = number, .size = 7});
    EXPECT_EQ(page.total, 23);
    for (const domain::Snapshot& row : page.rows) {
      seen.emplace_back(row.scheduled, row.id.ToString());
    }
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(StoreSuite, DeletedSnapshotIsFoundButNotListed) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_FALSE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().deleted, kNow);
  EXPECT_EQ(store_->ListSnapshots(cluster.id, {}).total, 0);
}

TEST_P(StoreSuite, SnapshotThatIsBeingRestoredIsNotDeleted) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  AddRestore(restore);
  EXPECT_EQ(Refusal([&] { store_->MarkSnapshotDeleted(snapshot.id, kNow); }),
            "Conflict: cannot delete snapshot " + snapshot.id.ToString() + ": restore job " +
                restore.id.ToString() + " reads it");
  ASSERT_TRUE(store_->FinishRestore(Claim(), domain::RestoreState::kFailed, "why", kNow));
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
}

TEST_P(StoreSuite, RestoreKeepsItsScopeChangesAndNotes) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  restore.scope = R"({"delta":true})";
  AddRestore(restore);
  EXPECT_EQ(store_->FindRestore(restore.id).value().scope, restore.scope);
  EXPECT_FALSE(store_->FindRestore(restore.id).value().changes);
  const domain::Lease lease = Claim();
  const domain::RestoreChanges changes{
      .left_alone = 4'000'000'000, .replaced = 2, .inserted = 3, .deleted = 4};
  EXPECT_FALSE(store_->SaveRestoreChanges({lease.job, lease.fence + 1}, changes, "lost"));
  EXPECT_TRUE(store_->SaveRestoreChanges(lease, changes, "one\ntwo"));
  ASSERT_TRUE(store_->FinishRestore(lease, domain::RestoreState::kCompleted, "", kNow));
  EXPECT_FALSE(store_->SaveRestoreChanges(lease, changes, "late"));
  Reopen();
  const auto listed = store_->ListRestores(snapshot.cluster, {}).rows;
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].scope, restore.scope);
  EXPECT_EQ(listed[0].changes, changes);
  EXPECT_EQ(listed[0].notes, "one\ntwo");
}

TEST_P(StoreSuite, RestoreKeepsTheRightThatItNeeds) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  AddRestore(restore);
  EXPECT_EQ(store_->FindRestore(restore.id).value().right, domain::Permission::kProjectOwner);
  restore = NewRestore(snapshot, AddCluster("c2"));
  restore.right = domain::Permission::kRestoreInto;
  AddRestore(restore);
  Reopen();
  EXPECT_EQ(store_->FindRestore(restore.id).value().right, domain::Permission::kRestoreInto);
}

TEST_P(StoreSuite, WholeRestoresAreListedWithoutSelectiveOnes) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    domain::RestoreJob restore = NewRestore(snapshot, AddCluster("t" + std::to_string(i)));
    restore.created = kNow + std::chrono::seconds{i};
    restore.scope = i % 2 == 0 ? "" : R"({"delta":true})";
    AddRestore(restore);
    if (restore.scope.empty()) {
      expected.insert(expected.begin(), restore.id.ToString());
    }
  }
  std::vector<std::string> seen;
  for (int number = 1; number <= 2; ++number) {
    const auto page = store_->ListWholeRestores(snapshot.cluster, {.number = number, .size = 2});
    EXPECT_EQ(page.total, 3);
    for (const domain::RestoreJob& row : page.rows) {
      seen.push_back(row.id.ToString());
    }
  }
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(store_->ListRestores(snapshot.cluster, {}).total, 5);
}

TEST_P(StoreSuite, SnapshotExpiresSoLongAfterItsCompletionAsWasAsked) {
  const domain::Cluster cluster = AddCluster("c0");
  for (const auto state : {domain::SnapshotState::kCompleted, domain::SnapshotState::kFailed}) {
    domain::Snapshot snapshot{.id = NewId<SnapshotId>(),
                              .project = cluster.project,
                              .cluster = cluster.id,
                              .cluster_name = cluster.name,
                              .scheduled = kNow,
                              .expires = kNow + std::chrono::hours{72},
                              .retention_days = 3};
    store_->AddSnapshot(snapshot, NewJob(domain::JobKind::kTakeSnapshot, snapshot.id.raw(), kNow));
    snapshot.state = state;
    snapshot.finished = kNow + std::chrono::hours{2};
    ASSERT_TRUE(store_->FinishSnapshot(Claim(), snapshot));
    const domain::Snapshot found = store_->FindSnapshot(snapshot.id).value();
    EXPECT_EQ(found.retention_days, 3);
    EXPECT_EQ(found.expires,
              state == domain::SnapshotState::kCompleted ? kNow + std::chrono::hours{74}
                                                         : kNow + std::chrono::hours{72});
  }
  EXPECT_FALSE(store_->FindSnapshot(AddFinishedSnapshot(cluster).id).value().retention_days);
}

TEST_P(StoreSuite, RestoreThatDoesNotCompareHasNoChanges) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  AddRestore(restore);
  EXPECT_TRUE(store_->SaveRestoreChanges(Claim(), std::nullopt, "a note"));
  const domain::RestoreJob found = store_->FindRestore(restore.id).value();
  EXPECT_EQ(found.scope, "");
  EXPECT_FALSE(found.changes);
  EXPECT_EQ(found.notes, "a note");
}

TEST_P(StoreSuite, ReopenedStoreHasEverything) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->AddKey(NewKey("abcdefgh"), "sealed");
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  const domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  AddRestore(restore);
  const domain::Lease lease = Claim();
  ASSERT_TRUE(store_->SaveCheckpoint(lease, "half way"));
  Reopen();
  store_->Ping();
  EXPECT_EQ(store_->FindProject(project_.id).value().name, "project");
  EXPECT_EQ(store_->FindCluster(project_.id, "c0").value().id, cluster.id);
  EXPECT_EQ(store_->FindKeyByPublicName("abcdefgh").value().sealed_secret, "sealed");
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().state, domain::SnapshotState::kCompleted);
  EXPECT_EQ(store_->FindRestore(restore.id).value().state, domain::RestoreState::kRunning);
  EXPECT_EQ(store_->FindJobBySubject(restore.id.raw()).value().checkpoint, "half way");
  EXPECT_TRUE(store_->ExtendLease(lease, kNow + kLease));
}

}  // namespace tidemark::catalog
