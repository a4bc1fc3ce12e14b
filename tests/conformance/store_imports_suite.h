#pragma once

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about snapshots that come from a dump.
namespace tidemark::catalog {

inline domain::Snapshot AddImported(Store& store,
                                    const domain::Snapshot& like,
                                    const SnapshotId& id,
                                    domain::Job job) {
  domain::Snapshot snapshot = like;
  snapshot.id = id;
  snapshot.state = domain::SnapshotState::kPending;
  snapshot.finished.reset();
  job.subject = id.raw();
  store.AddImportedSnapshot(snapshot, {.path = "2026/dump.archive"}, job);
  return snapshot;
}

TEST_P(StoreSuite, ImportIsKeptBesideItsSnapshot) {
  const domain::Snapshot taken = AddFinishedSnapshot(AddCluster("c0"));
  const auto id = NewId<SnapshotId>();
  AddImported(*store_, taken, id, NewJob(domain::JobKind::kTakeSnapshot, {}, kNow));
  EXPECT_FALSE(store_->FindImport(taken.id));
  EXPECT_EQ(store_->FindImport(id).value().path, "2026/dump.archive");
  EXPECT_EQ(store_->FindImport(id).value().format, "");
  const domain::Job job = store_->ClaimJob("node", kNow, kLease).value();
  EXPECT_EQ(job.subject, id.raw());
  EXPECT_TRUE(store_->SaveImport({job.id, job.fence},
                                 {.path = "no matter", .format = "archive", .notes = "a\nb\n"}));
  EXPECT_FALSE(store_->SaveImport({job.id, job.fence + 1}, {.format = "tar"}));
  Reopen();
  const domain::Import found = store_->FindImport(id).value();
  EXPECT_EQ(found.path, "2026/dump.archive");
  EXPECT_EQ(found.format, "archive");
  EXPECT_EQ(found.notes, "a\nb\n");
}

TEST_P(StoreSuite, ImportIsAddedWhollyOrNotAtAll) {
  const domain::Snapshot taken = AddFinishedSnapshot(AddCluster("c0"));
  const auto id = NewId<SnapshotId>();
  const domain::Job job = NewJob(domain::JobKind::kTakeSnapshot, {}, kNow);
  AddImported(*store_, taken, id, job);
  const auto other = NewId<SnapshotId>();
  EXPECT_THROW(AddImported(*store_, taken, other, job), Error);  // the job's id is taken
  EXPECT_FALSE(store_->FindSnapshot(other));
  EXPECT_FALSE(store_->FindImport(other));
}

// A dump is not the cluster that is being wiped.
TEST_P(StoreSuite, RestoreNeitherStopsNorDelaysAnImport) {
  const domain::Snapshot taken = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Cluster target = AddCluster("target");
  domain::Snapshot like = taken;
  like.cluster = target.id;
  const auto id = NewId<SnapshotId>();
  AddImported(*store_, like, id, NewJob(domain::JobKind::kTakeSnapshot, {}, kNow));
  const domain::Snapshot plain = AddSnapshot(target, kNow);
  AddRestore(NewRestore(taken, target, kNow));
  EXPECT_EQ(store_->FindSnapshot(plain.id).value().state, domain::SnapshotState::kFailed);
  EXPECT_EQ(store_->FindSnapshot(id).value().state, domain::SnapshotState::kPending);
  std::vector<ObjectId> claimed;
  while (const auto job = store_->ClaimJob("node", kNow, kLease)) {
    claimed.push_back(job->subject);
  }
  EXPECT_THAT(claimed, testing::Contains(id.raw()));
}

}  // namespace tidemark::catalog
