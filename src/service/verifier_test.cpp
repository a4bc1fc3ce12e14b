#include "service/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stage_group.h"
#include "catalog/store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

class VerifierTest : public repo::RepositoryFixture {
 protected:
  VerifierTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    const domain::Organization organization{OrganizationId::Generate(clock_.Now(), system_random_),
                                            "org"};
    catalog_->AddOrganization(organization);
    catalog_->AddProject({project_, organization.id, "project", clock_.Now()});
    cluster_ = {.id = ClusterId::Generate(clock_.Now(), system_random_),
                .project = project_,
                .name = "c0",
                .created = clock_.Now()};
    catalog_->AddCluster(cluster_);
    domain::Schedule schedule = domain::DefaultSchedule(cluster_, clock_.Now());
    schedule.verify_days = 1;
    catalog_->AddSchedule(schedule);
  }

  // A completed snapshot of one document; its manifest says that it holds `told`.
  void Commit(std::uint8_t fill, std::uint8_t told) {
    const Bytes plain = repo::TestFirstId(fill);
    const auto writer = repo_->NewSnapshot(project_, {});
    repo::Run run{.natural_order = true, .documents = 1};
    run.lists.push_back(writer->StoreList({{writer->Store(plain), {}}}));
    repo::Manifest manifest{.snapshot = first_, .project = project_};
    repo::NamespaceEntry entry{.database = "db", .collection = "c", .runs = {run}};
    entry.digest.Add(repo::TestFirstId(told));
    manifest.namespaces.push_back(entry);
    writer->Commit(manifest);
    domain::Snapshot snapshot{.id = first_,
                              .project = project_,
                              .cluster = cluster_.id,
                              .cluster_name = "c0",
                              .scheduled = clock_.Now(),
                              .expires = clock_.Now()};
    const JobId job = JobId::Generate(clock_.Now(), system_random_);
    catalog_->AddSnapshot(snapshot, {.id = job, .subject = first_.raw(), .created = clock_.Now()});
    catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15});
    snapshot.state = domain::SnapshotState::kCompleted;
    EXPECT_TRUE(catalog_->FinishSnapshot({job, 1}, snapshot));
  }

  std::optional<domain::Verification> Verified() {
    return catalog_->FindSchedule(cluster_.id).value().verified;
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [] {}};
  Verifier verifier_{environment_};
  domain::Cluster cluster_;
};

TEST_F(VerifierTest, WithoutASnapshotNothingIsDue) {
  EXPECT_FALSE(verifier_.RunNext({}));
  EXPECT_FALSE(Verified());
}

TEST_F(VerifierTest, ReadsTheNewestSnapshotOnceInAWhile) {
  Commit(1, 1);
  EXPECT_TRUE(verifier_.RunNext({}));
  ASSERT_TRUE(Verified());
  EXPECT_EQ(Verified()->snapshot, first_);
  EXPECT_EQ(Verified()->finished, clock_.Now());
  EXPECT_EQ(Verified()->failure, "");
  EXPECT_FALSE(verifier_.RunNext({}));
  clock_.Advance(std::chrono::hours{24});
  EXPECT_TRUE(verifier_.RunNext({}));
  EXPECT_EQ(Verified()->finished, clock_.Now());
}

TEST_F(VerifierTest, FindsOtherDocumentsThanWereStored) {
  Commit(1, 2);
  EXPECT_TRUE(verifier_.RunNext({}));
  ASSERT_TRUE(Verified());
  EXPECT_EQ(Verified()->failure,
            "reading db.c: it holds 1 documents that are not the 1 that were stored");
  EXPECT_FALSE(verifier_.RunNext({}));
}

TEST_F(VerifierTest, FindsALostPack) {
  Commit(1, 1);
  store_->Delete(BlobNames("packs/").at(0));
  EXPECT_TRUE(verifier_.RunNext({}));
  ASSERT_TRUE(Verified());
  EXPECT_NE(Verified()->failure, "");
}

TEST_F(VerifierTest, FindsALostManifest) {
  Commit(1, 1);
  repo_->DeleteManifest(project_, first_);
  EXPECT_TRUE(verifier_.RunNext({}));
  ASSERT_TRUE(Verified());
  EXPECT_NE(Verified()->failure, "");
}

TEST_F(VerifierTest, AStoppedOneLeavesNoResult) {
  Commit(1, 1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(verifier_.RunNext(stop.get_token()));
  EXPECT_FALSE(Verified());
}

TEST_F(VerifierTest, WorksUntilItIsStopped) {
  Commit(1, 1);
  StageGroup threads;
  threads.Start("verify", [this](const std::stop_token& stop) { verifier_.Work(stop); });
  while (!Verified()) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace tidemark::service
