#include "service/repository_service.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stage_group.h"
#include "catalog/store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

class RepositoryServiceTest : public repo::RepositoryFixture {
 protected:
  RepositoryServiceTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {}

  ~RepositoryServiceTest() override { std::filesystem::remove_all(directory_); }

  static std::filesystem::path MakeDirectory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "repository_service_XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }

  // What the server has told of itself, newest first.
  std::vector<std::string> Told() {
    catalog_->SettleEvents();
    std::vector<std::string> told;
    for (const domain::AuditEntry& row : catalog_->ListAudit({}, {}).rows) {
      told.push_back(row.operation + " " + row.object);
    }
    return told;
  }

  void Commit(const SnapshotId& snapshot, std::uint64_t seed) {
    repo::CommitSnapshot(*repo_, project_, snapshot, repo::TestChunks(seed, 5));
  }

  RepositoryTask Found(const RepositoryTask& task) {
    const auto found = service_.Find(project_, task.id);
    EXPECT_TRUE(found.has_value());
    return found.value_or(RepositoryTask());
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::filesystem::path directory_ = MakeDirectory();
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = directory_ / "catalog.db"});
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [] {}};
  RepositoryService service_{environment_};
};

TEST_F(RepositoryServiceTest, RunsACheck) {
  Commit(first_, 1);
  const RepositoryTask task = service_.StartCheck(project_, {});
  EXPECT_EQ(Found(task).state, TaskState::kPending);
  EXPECT_TRUE(service_.RunNext({}));
  const RepositoryTask done = Found(task);
  EXPECT_EQ(done.state, TaskState::kCompleted);
  EXPECT_TRUE(done.finished.has_value());
  ASSERT_TRUE(done.report.has_value());
  EXPECT_EQ(done.report->snapshots, 1U);
  EXPECT_EQ(done.progress.phase, "checking structure");
  EXPECT_FALSE(service_.RunNext({}));
}

TEST_F(RepositoryServiceTest, DryRunDeletesNothing) {
  Commit(first_, 1);
  repo_->DeleteManifest(project_, first_);
  const RepositoryTask dry = service_.StartCollection(project_, {.dry_run = DryRun::kYes});
  const RepositoryTask real = service_.StartCollection(project_, {});
  EXPECT_TRUE(service_.RunNext({}));
  EXPECT_EQ(BlobNames("packs/").size(), 1U);
  const auto planned = Found(dry).collected;
  ASSERT_TRUE(planned.has_value());
  EXPECT_EQ(planned->plan.deleted.size(), 1U);
  EXPECT_TRUE(service_.RunNext({}));
  EXPECT_TRUE(BlobNames("packs/").empty());
  const auto collected = Found(real).collected;
  ASSERT_TRUE(collected.has_value());
  EXPECT_EQ(collected->state, repo::CollectionState::kDone);
}

TEST_F(RepositoryServiceTest, AFailureIsKeptWithTheTask) {
  Commit(first_, 1);
  store_->Delete(BlobNames("index/").at(0));
  const RepositoryTask task = service_.StartCollection(project_, {});
  service_.RunNext({});
  EXPECT_EQ(Found(task).state, TaskState::kFailed);
  EXPECT_THAT(
      Found(task).failure,
      testing::HasSubstr("it is in no pack (nothing was deleted; find what is damaged with: "
                         "tidemark repo check)"));
}

TEST_F(RepositoryServiceTest, RunsARepair) {
  Commit(first_, 1);
  const std::string pack = BlobNames("packs/").at(0);
  Bytes bytes = store_->Get(pack);
  bytes.at(60) ^= 1;
  Replace(pack, bytes);
  const RepositoryTask dry = service_.StartRepair(
      project_, {.dry_run = DryRun::kYes, .from = RepairRequest::From::kNowhere});
  const RepositoryTask real =
      service_.StartRepair(project_, {.from = RepairRequest::From::kNowhere});
  EXPECT_TRUE(service_.RunNext({}));
  EXPECT_TRUE(BlobNames("quarantine/").empty());
  const auto planned = Found(dry).repaired;
  ASSERT_TRUE(planned.has_value());
  EXPECT_TRUE(planned->dry_run);
  EXPECT_TRUE(service_.RunNext({}));
  EXPECT_EQ(BlobNames("quarantine/").size(), 1U);
  const auto repaired = Found(real).repaired;
  ASSERT_TRUE(repaired.has_value());
  EXPECT_EQ(repaired->lost, 1U);
  EXPECT_EQ(repaired->chunks.at(0).outcome, "there is no cluster to take its documents from");
  EXPECT_EQ(Found(real).state, TaskState::kCompleted);
}

TEST_F(RepositoryServiceTest, RefusesToRepairFromAClusterThatIsNotThere) {
  const RepairRequest request{.from = RepairRequest::From::kNamedCluster, .cluster = "Gone"};
  EXPECT_ANY_THROW(service_.StartRepair(project_, request));
  EXPECT_FALSE(service_.RunNext({}));
}

TEST_F(RepositoryServiceTest, AStoppedTaskHasFailed) {
  Commit(first_, 1);
  std::stop_source stop;
  stop.request_stop();
  const RepositoryTask task = service_.StartCheck(project_, {});
  service_.RunNext(stop.get_token());
  EXPECT_EQ(Found(task).failure, "checking the repository: cancelled");
}

TEST_F(RepositoryServiceTest, TellsOfDamageAndOfACheckThatCouldNotLook) {
  Commit(first_, 1);
  service_.StartCheck(project_, {});
  service_.RunNext({});
  EXPECT_TRUE(Told().empty()) << "all was well";
  store_->Delete(BlobNames("packs/").at(0));
  const RepositoryTask damaged = service_.StartCheck(project_, {});
  service_.RunNext({});
  EXPECT_GT(Found(damaged).report->findings.total(), 0U);
  EXPECT_THAT(Told(), testing::ElementsAre("verificationFailed " + damaged.id.ToString()));
}

TEST_F(RepositoryServiceTest, TellsOfCollectionsThatWereNoDryRun) {
  Commit(first_, 1);
  service_.StartCollection(project_, {.dry_run = DryRun::kYes});
  const RepositoryTask real = service_.StartCollection(project_, {});
  while (service_.RunNext({})) {
  }
  EXPECT_THAT(Told(), testing::ElementsAre("collectionEnded " + real.id.ToString()));
}

TEST_F(RepositoryServiceTest, TaskCutByTheEndOfTheServerIsNoNews) {
  Commit(first_, 1);
  std::stop_source stop;
  stop.request_stop();
  service_.StartCheck(project_, {});
  service_.RunNext(stop.get_token());
  EXPECT_TRUE(Told().empty());
}

TEST_F(RepositoryServiceTest, HidesTasksOfOtherProjects) {
  const RepositoryTask task = service_.StartCheck(project_, {});
  EXPECT_FALSE(service_.Find(repo::TestId<ProjectId>(0x12), task.id).has_value());
}

TEST_F(RepositoryServiceTest, BoundsWhatWaitsAndWhatIsRemembered) {
  for (std::size_t i = 0; i < RepositoryService::kMaxPending; ++i) {
    service_.StartCheck(project_, {});
  }
  const auto failure = repo::FailureOf([&] { service_.StartCheck(project_, {}); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_EQ(failure.message, "starting a repository task: 16 are waiting");
  while (service_.RunNext({})) {
  }
  const RepositoryTask oldest = service_.StartCheck(project_, {});
  for (std::size_t i = 0; i < RepositoryService::kMaxFinished; ++i) {
    service_.RunNext({});
    service_.StartCheck(project_, {});
  }
  EXPECT_TRUE(service_.Find(project_, oldest.id).has_value());
  service_.RunNext({});
  EXPECT_FALSE(service_.Find(project_, oldest.id).has_value());
}

TEST_F(RepositoryServiceTest, ReadsStatistics) {
  Commit(first_, 1);
  EXPECT_EQ(service_.ReadStats(project_).snapshots.size(), 1U);
  EXPECT_EQ(service_.ReadStats(project_).snapshots.size(), 1U);  // the first call ended its turn
}

TEST_F(RepositoryServiceTest, WorksUntilItIsStopped) {
  Commit(first_, 1);
  StageGroup threads;
  threads.Start("tasks", [this](const std::stop_token& stop) { service_.Work(stop); });
  const RepositoryTask task = service_.StartCheck(project_, {.read_percent = 100});
  while (Found(task).state != TaskState::kCompleted && Found(task).state != TaskState::kFailed) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace tidemark::service
