#include "service/metrics_service.h"

#include <fstream>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsServiceTest : public repo::RepositoryFixture {
 protected:
  MetricsServiceTest() {
    organization_ = {OrganizationId::Generate(clock_.Now(), random_), "org"};
    catalog_->AddOrganization(organization_);
    catalog_->AddProject({project_, organization_.id, "shop", clock_.Now()});
    AddCluster("c0");
  }

  domain::Cluster AddCluster(const std::string& name) {
    domain::Cluster cluster{.id = ClusterId::Generate(clock_.Now(), random_),
                            .project = project_,
                            .name = name,
                            .created = clock_.Now()};
    catalog_->AddCluster(cluster);
    return cluster;
  }

  domain::Snapshot QueueSnapshot(const domain::Cluster& cluster) {
    const domain::Snapshot snapshot{.id = SnapshotId::Generate(clock_.Now(), random_),
                                    .project = project_,
                                    .cluster = cluster.id,
                                    .cluster_name = cluster.name,
                                    .scheduled = clock_.Now(),
                                    .expires = clock_.Now()};
    catalog_->AddSnapshot(snapshot,
                          {.id = JobId::Generate(clock_.Now(), random_),
                           .subject = snapshot.id.raw(),
                           .created = clock_.Now()});
    return snapshot;
  }

  // The next job by a handler that finishes its snapshot in that state.
  void RunNext(domain::SnapshotState state) {
    const domain::Job job =
        catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
    jobs::JobContext context;
    context.job = job;
    context.lease = {job.id, job.fence};
    metrics_.Counted([&](const jobs::JobContext& run) {
      domain::Snapshot snapshot = catalog_->FindSnapshot(SnapshotId(job.subject)).value();
      snapshot.state = state;
      snapshot.finished = clock_.Now();
      snapshot.logical_bytes = 1000;
      snapshot.stored_bytes = 100;
      EXPECT_TRUE(catalog_->FinishSnapshot(run.lease, snapshot));
    })(context);
  }

  static std::set<std::string> FamiliesOf(const std::string& page) {
    std::set<std::string> names;
    const std::regex type("# TYPE (\\S+) \\S+");
    for (std::sregex_iterator at(page.begin(), page.end(), type), end; at != end; ++at) {
      names.insert((*at)[1]);
    }
    return names;
  }

  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  Environment environment_{*catalog_, *repository_, clock_, random_, *log_, [] {}};
  int measured_ = 0;
  MetricsService metrics_{environment_,
                          {.clusters = 2,
                           .version = "1.2.3",
                           .memory_budget = MiB(512),
                           .job_workers = 2,
                           .streams = 8,
                           .measure_repository = [this] {
                             ++measured_;
                             return ByteCount{4096};
                           }}};
  domain::Organization organization_;
};

TEST_F(MetricsServiceTest, TheDocumentListsWhatIsServed) {
  QueueSnapshot(AddCluster("c1"));
  metrics_.CountRequest("/api/atlas/v2/groups", 200);
  RunNext(domain::SnapshotState::kCompleted);
  std::ifstream file(std::string(TIDEMARK_SOURCE_DIR) + "/docs/metrics.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::regex row("\\| `(tidemark_\\w+)` \\|");
  std::set<std::string> documented;
  for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at) {
    documented.insert((*at)[1]);
  }
  EXPECT_EQ(FamiliesOf(metrics_.Render({organization_.id})), documented);
}

TEST_F(MetricsServiceTest, WithoutAKeyNothingIsNamed) {
  QueueSnapshot(AddCluster("secretname"));
  RunNext(domain::SnapshotState::kCompleted);
  const std::string page = metrics_.Render({});
  EXPECT_THAT(page, Not(HasSubstr("secretname")));
  EXPECT_THAT(page, Not(HasSubstr("shop")));
  EXPECT_THAT(page, HasSubstr("tidemark_clusters 2"));
}

TEST_F(MetricsServiceTest, OnlyClustersOfTheKeysOrganizationsAreNamed) {
  EXPECT_THAT(
      metrics_.Render({organization_.id}),
      HasSubstr("tidemark_cluster_missed_snapshots_total{project=\"shop\",cluster=\"c0\"}"));
  EXPECT_THAT(metrics_.Render({OrganizationId::Generate(clock_.Now(), random_)}),
              Not(HasSubstr("c0")));
}

TEST_F(MetricsServiceTest, NotMoreClustersThanTheBoundHaveSeries) {
  AddCluster("c1");
  AddCluster("c2");
  const std::string page = metrics_.Render({organization_.id});
  EXPECT_THAT(page, HasSubstr("tidemark_clusters 3"));
  EXPECT_THAT(page, HasSubstr("tidemark_clusters_shown 2"));
}

TEST_F(MetricsServiceTest, JobsAreCountedByWhatBecameOfThem) {
  const domain::Cluster cluster = AddCluster("c1");
  QueueSnapshot(cluster);
  EXPECT_THAT(metrics_.Render({}), HasSubstr("{kind=\"takeSnapshot\",state=\"waiting\"} 1"));
  clock_.Advance(std::chrono::seconds{90});
  EXPECT_THAT(metrics_.Render({}), HasSubstr("tidemark_oldest_waiting_job_age_seconds 90"));
  RunNext(domain::SnapshotState::kCompleted);
  QueueSnapshot(cluster);
  RunNext(domain::SnapshotState::kFailed);
  const std::string page = metrics_.Render({organization_.id});
  EXPECT_THAT(page, HasSubstr("{kind=\"takeSnapshot\",outcome=\"completed\"} 1"));
  EXPECT_THAT(page, HasSubstr("{kind=\"takeSnapshot\",outcome=\"failed\"} 1"));
  EXPECT_THAT(page, HasSubstr("tidemark_job_bytes_total{kind=\"takeSnapshot\"} 1000"));
  EXPECT_THAT(page, HasSubstr("tidemark_snapshot_stored_bytes_total 100"));
  EXPECT_THAT(page, HasSubstr("tidemark_job_run_seconds_count{kind=\"takeSnapshot\"} 2"));
  EXPECT_THAT(page,
              HasSubstr("tidemark_cluster_newest_snapshot_timestamp_seconds{project=\"shop\","
                        "cluster=\"c1\"} 1700000090"));
}

TEST_F(MetricsServiceTest, AHandlerThatThrowsIsCountedAndStillThrows) {
  QueueSnapshot(AddCluster("c1"));
  jobs::JobContext context;
  context.job = catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
  const auto handler = metrics_.Counted(
      [](const jobs::JobContext&) { throw Error(ErrorCode::kCancelled, "stopped"); });
  EXPECT_THROW(handler(context), Error);
  EXPECT_THAT(metrics_.Render({}), HasSubstr("outcome=\"handed_back\"} 1"));
}

TEST_F(MetricsServiceTest, RequestsAreCountedByFamilyAndStatusAndNothingElse) {
  metrics_.CountRequest("/api/atlas/v2/groups/32b6e34b3d91647abb20e7b8", 200);
  metrics_.CountRequest("/api/atlas/v2/groups", 200);
  metrics_.CountRequest("/api/tidemark/v1/keys", 401);
  metrics_.CountRequest("/wp-login.php", 404);
  const std::string page = metrics_.Render({});
  EXPECT_THAT(page, HasSubstr("{family=\"v2\",status=\"200\"} 2"));
  EXPECT_THAT(page, HasSubstr("{family=\"own\",status=\"401\"} 1"));
  EXPECT_THAT(page, HasSubstr("{family=\"other\",status=\"404\"} 1"));
  EXPECT_THAT(page, Not(HasSubstr("32b6e34b")));
}

TEST_F(MetricsServiceTest, TheRepositoryIsMeasuredOnceInTenMinutes) {
  EXPECT_THAT(metrics_.Render({}), HasSubstr("tidemark_repository_bytes 4096"));
  metrics_.Render({});
  EXPECT_EQ(measured_, 1);
  clock_.Advance(std::chrono::minutes{10});
  metrics_.Render({});
  EXPECT_EQ(measured_, 2);
}

}  // namespace
}  // namespace tidemark::service
