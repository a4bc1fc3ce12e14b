#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class LegacyPush : public ApiFixture {
 protected:
  LegacyPush() : cluster_(AddCluster("c0")) {}

  void Configure() {
    pushes_.emplace(*environment_,
                    *access_,
                    *clusters_,
                    *downloads_,
                    service::PushOptions{.destination = delivery::SftpDestination{.host = "h"}});
  }

  std::string Body(const std::string& method, const SnapshotId& snapshot) {
    return R"({"delivery":{"methodName":")" + method + R"("},"snapshotId":")" +
           snapshot.ToString() + R"("})";
  }

  http::Response Ask(const std::string& method, const SnapshotId& snapshot) {
    return Post(V2("/clusters/c0/restoreJobs"), Body(method, snapshot));
  }

  const domain::Cluster cluster_;
};

TEST_F(LegacyPush, IsRefusedUnlessItIsConfigured) {
  const http::Response response = Ask("SCP", AddSnapshot(cluster_).id);
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("INVALID_DELIVERY_SCP"));
}

TEST_F(LegacyPush, GoesThroughTheStatesOfTheTable) {
  Configure();
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster_);
  const http::Response response = Ask("SCP", snapshot.id);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("methodName":"SCP")"));
  EXPECT_THAT(response.body, HasSubstr(R"("statusName":"NOT_STARTED")"));
  const auto job = store_->ClaimJob("node", clock_.Now(), std::chrono::hours{1}).value();
  const std::string path = V2("/clusters/c0/restoreJobs/" + job.subject.ToString());
  const http::Response running = Get(path);
  EXPECT_THAT(running.body,
              HasSubstr(R"("delivery":{"methodName":"SCP","statusName":"IN_PROGRESS"})"));
  EXPECT_THAT(running.body, Not(HasSubstr("hashes")));
  const domain::Lease lease{job.id, job.fence};
  EXPECT_TRUE(store_->SavePush(lease, {.size = 7, .sha1 = std::string(40, 'a')}));
  EXPECT_TRUE(store_->FinishRestore(lease, domain::RestoreState::kCompleted, "", clock_.Now()));
  const http::Response done = Get(path);
  EXPECT_THAT(done.body, HasSubstr(R"("statusName":"FINISHED")"));
  EXPECT_THAT(done.body, HasSubstr(R"("hash":")" + std::string(40, 'a')));
  EXPECT_THAT(done.body, HasSubstr("c0-" + snapshot.id.ToString()));
  const std::string tenant = V2("/clusters/c0/backup/tenant/restores");
  EXPECT_THAT(Get(tenant).body, HasSubstr(R"("totalCount":0)"));
  EXPECT_EQ(Get(tenant + "/" + job.subject.ToString()).status, 404);
  const http::Response own = Get(Own("/clusters/c0/restoreJobs/" + job.subject.ToString()));
  EXPECT_THAT(own.body, HasSubstr(R"("method":"SCP")"));
  EXPECT_THAT(own.body, HasSubstr(R"("size":7)"));
}

TEST_F(LegacyPush, NeedsASnapshot) {
  Configure();
  const http::Response response =
      Post(V2("/clusters/c0/restoreJobs"),
           R"({"delivery":{"methodName":"SCP"},"oplogTs":"1700000000","oplogInc":1})");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("INVALID_ATTRIBUTE"));
}

}  // namespace
}  // namespace tidemark::api
