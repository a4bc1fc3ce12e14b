#pragma once

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about exports.
namespace tidemark::catalog {

class ExportSuite : public StoreSuite {
 protected:
  domain::ExportTarget AddTarget(const std::string& bucket) {
    const domain::ExportTarget target{.id = NewId<domain::ExportTargetId>(),
                                      .project = project_.id,
                                      .bucket = bucket,
                                      .endpoint = "https://s3.example",
                                      .region = "eu-1",
                                      .access_key = "AK",
                                      .sealed_secret = std::string("sealed\0\xff", 8),
                                      .created = kNow};
    store_->AddExportTarget(target);
    return target;
  }

  domain::ExportBucket AddBucket(const std::string& name,
                                 const std::string& role = "0123456789abcdef01234567") {
    const domain::ExportBucket bucket{.id = NewId<domain::ExportBucketId>(),
                                      .project = project_.id,
                                      .provider = domain::ExportProvider::kAzure,
                                      .bucket = name,
                                      .role = role,
                                      .service_url = "https://service",
                                      .tenant = "tenant",
                                      .region = "eu-1",
                                      .created = kNow};
    store_->AddExportBucket(bucket);
    return bucket;
  }

  domain::ExportJob NewExport(const domain::Snapshot& snapshot,
                              const domain::ExportBucket& bucket,
                              Instant created = kNow) {
    return {.id = NewId<domain::ExportId>(),
            .project = snapshot.project,
            .cluster = snapshot.cluster,
            .cluster_name = snapshot.cluster_name,
            .replica_set_name = "rs0",
            .snapshot = snapshot.id,
            .bucket = bucket.id,
            .prefix = "exported_snapshots/x",
            .custom_data = "[]",
            .collections = 7,
            .created = created,
            .requested_by = NewId<KeyId>()};
  }

  void Queue(const domain::ExportJob& job) {
    store_->AddExport(job, NewJob(domain::JobKind::kExport, job.id.raw(), job.created));
  }
};

TEST_P(ExportSuite, TargetsAreKept) {
  const domain::ExportTarget target = AddTarget("bucket-b");
  AddTarget("bucket-a");
  Reopen();
  const auto found = store_->FindExportTarget(project_.id, target.id).value();
  EXPECT_EQ(found.bucket, "bucket-b");
  EXPECT_EQ(found.kind, domain::ExportTargetKind::kS3);
  EXPECT_EQ(found.endpoint, target.endpoint);
  EXPECT_EQ(found.region, target.region);
  EXPECT_EQ(found.access_key, target.access_key);
  EXPECT_EQ(found.sealed_secret, target.sealed_secret);
  EXPECT_EQ(found.created, kNow);
  EXPECT_EQ(store_->FindExportTarget(project_.id, "bucket-b").value().id, target.id);
  EXPECT_FALSE(store_->FindExportTarget(AddProject("other").id, target.id));
  const auto all = store_->ListExportTargets(project_.id);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bucket, "bucket-a");
}

TEST_P(ExportSuite, BucketOfATargetIsUniqueInItsProject) {
  AddTarget("bucket");
  EXPECT_THAT(Refusal([&] { AddTarget("bucket"); }), testing::HasSubstr("Conflict"));
}

TEST_P(ExportSuite, TargetsHaveABound) {
  for (std::int64_t i = 0; i < ExportCatalog::kMaxExportTargets; ++i) {
    AddTarget("bucket" + std::to_string(i));
  }
  EXPECT_THAT(Refusal([&] { AddTarget("more"); }), testing::HasSubstr("ResourceExhausted"));
}

TEST_P(ExportSuite, TargetWithABucketStays) {
  const domain::ExportTarget target = AddTarget("bucket");
  const domain::ExportBucket bucket = AddBucket("bucket");
  EXPECT_THAT(Refusal([&] { store_->RemoveExportTarget(project_.id, target.id); }),
              testing::HasSubstr("Conflict"));
  EXPECT_TRUE(store_->RemoveExportBucket(project_.id, bucket.id));
  EXPECT_TRUE(store_->RemoveExportTarget(project_.id, target.id));
  EXPECT_FALSE(store_->RemoveExportTarget(project_.id, target.id));
}

TEST_P(ExportSuite, BucketsNeedATarget) {
  EXPECT_THAT(Refusal([&] { AddBucket("bucket"); }), testing::HasSubstr("NotFound"));
}

TEST_P(ExportSuite, BucketsAreKeptAndChanged) {
  AddTarget("bucket");
  const domain::ExportBucket bucket = AddBucket("bucket");
  EXPECT_THAT(Refusal([&] { AddBucket("bucket"); }), testing::HasSubstr("Conflict"));
  EXPECT_TRUE(store_->UpdateExportBucket(project_.id, bucket.id, true));
  EXPECT_FALSE(store_->UpdateExportBucket(AddProject("other").id, bucket.id, false));
  Reopen();
  const auto found = store_->FindExportBucket(project_.id, bucket.id).value();
  EXPECT_EQ(found.provider, domain::ExportProvider::kAzure);
  EXPECT_EQ(found.bucket, "bucket");
  EXPECT_EQ(found.role, bucket.role);
  EXPECT_EQ(found.service_url, bucket.service_url);
  EXPECT_EQ(found.tenant, bucket.tenant);
  EXPECT_TRUE(found.require_private_networking);
  const auto page = store_->ListExportBuckets(project_.id, {});
  EXPECT_EQ(page.total, 1);
  EXPECT_EQ(page.rows.at(0).id, bucket.id);
}

TEST_P(ExportSuite, ExportRunsUnderALease) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  AddTarget("bucket");
  const domain::ExportJob job = NewExport(snapshot, AddBucket("bucket"));
  Queue(job);
  EXPECT_EQ(store_->FindExport(job.id).value().state, domain::ExportState::kQueued);
  const domain::Job work = store_->ClaimJob("node", kNow, kLease).value();
  EXPECT_EQ(work.kind, domain::JobKind::kExport);
  EXPECT_EQ(work.subject, job.id.raw());
  EXPECT_EQ(store_->FindExport(job.id).value().state, domain::ExportState::kInProgress);
  EXPECT_FALSE(
      store_->FinishExport({work.id, work.fence - 1}, domain::ExportState::kSuccessful, "", kNow));
  EXPECT_TRUE(
      store_->FinishExport({work.id, work.fence}, domain::ExportState::kFailed, "why", kNow));
  EXPECT_FALSE(
      store_->FinishExport({work.id, work.fence}, domain::ExportState::kSuccessful, "", kNow));
  Reopen();
  const auto found = store_->FindExport(job.id).value();
  EXPECT_EQ(found.state, domain::ExportState::kFailed);
  EXPECT_EQ(found.failure, "why");
  EXPECT_EQ(found.finished, kNow);
  EXPECT_EQ(found.replica_set_name, "rs0");
  EXPECT_EQ(found.collections, 7);
  EXPECT_EQ(found.custom_data, "[]");
  EXPECT_EQ(found.requested_by, job.requested_by);
}

TEST_P(ExportSuite, EndOfAnExportIsAnEvent) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  AddTarget("bucket");
  const domain::ExportJob job = NewExport(snapshot, AddBucket("bucket"));
  Queue(job);
  store_->SettleEvents();
  const domain::Lease lease = Claim();
  store_->FinishExport(lease, domain::ExportState::kFailed, "403", kNow);
  EXPECT_EQ(store_->SettleEvents(), 1);
  const auto rows = store_->ListAudit({}, {}).rows;
  EXPECT_EQ(rows.at(0).operation, "exportFailed");
  EXPECT_EQ(rows.at(0).object, job.id.ToString());
}

TEST_P(ExportSuite, SnapshotHasOneUnfinishedExport) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  AddTarget("bucket");
  const domain::ExportBucket bucket = AddBucket("bucket");
  Queue(NewExport(snapshot, bucket));
  EXPECT_THAT(Refusal([&] { Queue(NewExport(snapshot, bucket)); }), testing::HasSubstr("Conflict"));
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  Queue(NewExport(snapshot, bucket, kNow + std::chrono::seconds(1)));
  const auto page = store_->ListExports(snapshot.cluster, {});
  EXPECT_EQ(page.total, 2);
  EXPECT_EQ(page.rows.at(0).state, domain::ExportState::kQueued);
}

TEST_P(ExportSuite, UnfinishedExportKeepsWhatItNeeds) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  AddFinishedSnapshot(AddCluster("c1"));
  AddTarget("bucket");
  const domain::ExportBucket bucket = AddBucket("bucket");
  Queue(NewExport(snapshot, bucket));
  EXPECT_THAT(Refusal([&] { store_->RemoveExportBucket(project_.id, bucket.id); }),
              testing::HasSubstr("Conflict"));
  EXPECT_THAT(Refusal([&] { store_->MarkSnapshotDeleted(snapshot.id, kNow); }),
              testing::HasSubstr("Conflict"));
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  EXPECT_TRUE(store_->RemoveExportBucket(project_.id, bucket.id));
  EXPECT_FALSE(store_->RemoveExportBucket(project_.id, bucket.id));
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, kNow));
  EXPECT_THAT(Refusal([&] { Queue(NewExport(snapshot, bucket)); }), testing::HasSubstr("NotFound"));
}

TEST_P(ExportSuite, ExpiryWaitsForAnExport) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot old = AddFinishedSnapshot(cluster);
  AddSnapshot(cluster, kNow + std::chrono::seconds(1));
  const domain::Job taking = store_->ClaimJob("node", kNow, kLease).value();
  domain::Snapshot newer = store_->FindSnapshot(SnapshotId(taking.subject)).value();
  newer.state = domain::SnapshotState::kCompleted;
  newer.finished = kNow;
  store_->FinishSnapshot({taking.id, taking.fence}, newer);
  AddTarget("bucket");
  Queue(NewExport(old, AddBucket("bucket")));
  const Instant later = kNow + std::chrono::hours(100);
  EXPECT_TRUE(store_->ExpireSnapshots(later, kNow, 10).empty());
  store_->FinishExport(Claim(), domain::ExportState::kSuccessful, "", kNow);
  const auto expired = store_->ExpireSnapshots(later, kNow, 10);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].id, old.id);
}

TEST_P(ExportSuite, DeletedProjectTakesItsTargetsAlong) {
  const domain::ExportTarget target = AddTarget("bucket");
  AddBucket("bucket");
  ASSERT_TRUE(store_->DeleteProject(project_.id, kNow));
  EXPECT_FALSE(store_->FindExportTarget(project_.id, target.id));
  EXPECT_EQ(store_->ListExportBuckets(project_.id, {}).total, 0);
  EXPECT_THAT(Refusal([&] { AddTarget("again"); }), testing::HasSubstr("NotFound"));
}

TEST_P(ExportSuite, SecretsAreSealedAnew) {
  const domain::ExportTarget target = AddTarget("bucket");
  store_->ResealSecrets([](const Store::SealedSecret& secret) {
    return secret.kind == Store::SecretKind::kExportTarget ? "new:" + secret.owner : secret.sealed;
  });
  EXPECT_EQ(store_->FindExportTarget(project_.id, target.id).value().sealed_secret,
            "new:" + target.id.ToString());
}

}  // namespace tidemark::catalog
