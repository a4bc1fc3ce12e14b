#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class FlexTest : public ApiFixture {
 protected:
  http::Response Ask(http::Method method,
                     const std::string& path,
                     const std::string& body = {},
                     const std::string& token = {}) {
    http::Request request = MakeRequest(method, path);
    request.headers.emplace_back("authorization", "Bearer " + (token.empty() ? token_ : token));
    request.headers.emplace_back("accept", "application/vnd.atlas.2024-11-13+json");
    request.body = body;
    return api_->Handle(request);
  }

  http::Response Get(const std::string& path, const std::string& token = {}) {
    return Ask(http::Method::kGet, path, {}, token);
  }

  http::Response Post(const std::string& path, const std::string& body) {
    return Ask(http::Method::kPost, path, body);
  }

  std::string Path(const std::string& rest = {}) const { return V2("/flexClusters/F0" + rest); }

  static std::vector<std::string> IdsIn(const http::Response& response) {
    std::vector<std::string> ids;
    const auto body = BodyOf(response);
    for (const auto& row : body.at("results").as_array()) {
      ids.emplace_back(row.at("id").as_string());
    }
    return ids;
  }

  const domain::Cluster flex_ = AddFlexCluster("F0");
};

TEST_F(FlexTest, AClusterHasTheMembersOfTheSchema) {
  const http::Response response = Get(Path());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2024-11-13+json;charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "");
  const auto body = BodyOf(response);
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("backupSettings",
                                   "clusterType",
                                   "connectionStrings",
                                   "createDate",
                                   "groupId",
                                   "id",
                                   "mongoDBVersion",
                                   "name",
                                   "providerSettings",
                                   "stateName",
                                   "tags",
                                   "terminationProtectionEnabled",
                                   "versionReleaseSystem"));
  EXPECT_EQ(body.at("name"), "F0");
  EXPECT_EQ(body.at("id").as_string(), flex_.id.ToString());
  EXPECT_EQ(body.at("groupId").as_string(), Group());
  EXPECT_EQ(body.at("createDate"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(body.at("mongoDBVersion"), "7.0.42");
  EXPECT_EQ(body.at("stateName"), "IDLE");
  EXPECT_EQ(body.at("providerSettings").at("providerName"), "FLEX");
  EXPECT_EQ(body.at("connectionStrings").at("standard"), "mongodb://127.0.0.1:1/");
}

TEST_F(FlexTest, TheListHoldsFlexClustersOnly) {
  AddCluster("Plain");
  AddFlexCluster("E0");
  const auto body = BodyOf(Get(V2("/flexClusters")));
  ASSERT_EQ(body.at("results").as_array().size(), 2U);
  EXPECT_EQ(body.at("results").at(0).at("name"), "E0");
  EXPECT_EQ(body.at("results").at(1).at("name"), "F0");
  EXPECT_EQ(body.at("totalCount").as_int64(), 2);
}

TEST_F(FlexTest, ItIsUpdatedWhileARestoreIntoItRuns) {
  AddRestore(AddCluster("Plain"), flex_);
  EXPECT_EQ(BodyOf(Get(Path())).at("stateName"), "UPDATING");
}

TEST_F(FlexTest, OtherClustersAreRefusedInTheWordsThatTheCliReads) {
  AddCluster("Plain");
  AddFlexCluster("Shards", domain::Topology::kSharded);
  for (const std::string name : {"Plain", "Shards"}) {
    for (const std::string rest : {"",
                                   "/backup/snapshots",
                                   "/backup/snapshots/0123456789abcdef01234567",
                                   "/backup/restoreJobs",
                                   "/backup/restoreJobs/0123456789abcdef01234567"}) {
      const http::Response response = Get(V2("/flexClusters/" + name + rest));
      EXPECT_EQ(response.status, 400);
      const auto body = BodyOf(response);
      EXPECT_EQ(body.at("errorCode"), "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API");
      EXPECT_EQ(body.at("detail").as_string(),
                "Cannot use non-flex cluster " + name + " in the flex API.");
      EXPECT_EQ(body.at("parameters").at(0).as_string(), name);
    }
  }
}

TEST_F(FlexTest, UnknownClustersAreNotFound) {
  for (const std::string name : {"Nobody", "not_a_name"}) {
    const auto body = BodyOf(Get(V2("/flexClusters/" + name + "/backup/restoreJobs")));
    EXPECT_EQ(body.at("errorCode"), "CLUSTER_NOT_FOUND");
    EXPECT_EQ(body.at("detail").as_string(),
              "No cluster named " + name + " exists in group " + Group() + ".");
  }
}

TEST_F(FlexTest, ItIsServedInTheVersionedApiFrom20241113On) {
  const auto ask = [&](const std::string& path, const std::string& accept) {
    http::Request request = MakeRequest(http::Method::kGet, path);
    request.headers.emplace_back("authorization", "Bearer " + token_);
    request.headers.emplace_back("accept", accept);
    return api_->Handle(request).status;
  };
  EXPECT_EQ(ask(Path(), "application/vnd.atlas.2025-03-12+json"), 200);
  EXPECT_EQ(ask(Path(), "application/vnd.atlas.2024-10-23+json"), 406);
  EXPECT_EQ(ask(V1("/flexClusters/F0"), "application/json"), 404);
}

TEST_F(FlexTest, SnapshotsAreListedOldestFirst) {
  std::vector<std::string> ids;
  for (int round = 0; round < 3; ++round) {
    ids.push_back(AddFinishedSnapshot(flex_).id.ToString());
    clock_.Advance(std::chrono::minutes{10});
  }
  EXPECT_EQ(IdsIn(Get(Path("/backup/snapshots"))), ids);
  EXPECT_THAT(IdsIn(Get(Path("/backup/snapshots?itemsPerPage=2&pageNum=2"))), ElementsAre(ids[2]));
}

TEST_F(FlexTest, ASnapshotHasTheMembersOfTheSchema) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(flex_);
  const auto body = BodyOf(Get(Path("/backup/snapshots/" + snapshot.id.ToString())));
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("expiration",
                                   "finishTime",
                                   "id",
                                   "mongoDBVersion",
                                   "scheduledTime",
                                   "startTime",
                                   "status"));
  EXPECT_EQ(body.at("status"), "COMPLETED");
  const auto queued = AddSnapshot(flex_);
  EXPECT_THAT(MembersOf(BodyOf(Get(Path("/backup/snapshots/" + queued.id.ToString())))),
              UnorderedElementsAre("expiration", "id", "scheduledTime", "status"));
}

TEST_F(FlexTest, SnapshotsOfOthersAreNotFound) {
  const domain::Snapshot foreign = AddFinishedSnapshot(AddFlexCluster("E0"));
  const auto body = BodyOf(Get(Path("/backup/snapshots/" + foreign.id.ToString())));
  EXPECT_EQ(body.at("errorCode"), "TENANT_SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(Path("/backup/snapshots/nothing"))), "INVALID_SNAPSHOT_ID");
  EXPECT_EQ(CodeOf(Get(Path("/backup/restoreJobs/nothing"))), "TENANT_RESTORE_NOT_FOUND");
}

TEST_F(FlexTest, RestoreJobsAreListedNewestFirst) {
  const domain::Cluster target = AddCluster("Target");
  const domain::RestoreJob older = AddRestore(flex_, target);
  clock_.Advance(std::chrono::minutes{10});
  const domain::RestoreJob newer = AddRestore(flex_, AddCluster("Other"));
  EXPECT_THAT(IdsIn(Get(Path("/backup/restoreJobs"))),
              ElementsAre(newer.id.ToString(), older.id.ToString()));
  const auto body = BodyOf(Get(Path("/backup/restoreJobs/" + older.id.ToString())));
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("deliveryType",
                                   "expirationDate",
                                   "id",
                                   "instanceName",
                                   "projectId",
                                   "restoreScheduledDate",
                                   "snapshotFinishedDate",
                                   "snapshotId",
                                   "status",
                                   "targetDeploymentItemName",
                                   "targetProjectId"));
  EXPECT_EQ(body.at("deliveryType"), "RESTORE");
  EXPECT_EQ(body.at("instanceName"), "F0");
  EXPECT_EQ(body.at("status"), "PENDING");
  EXPECT_EQ(body.at("targetDeploymentItemName"), "Target");
}

// What else the POST refuses is in the end-to-end tests: it needs a target that can be reached.
TEST_F(FlexTest, ARestoreIgnoresWhatClientsSendBackAndChecksTheRest) {
  const std::string id = AddFinishedSnapshot(flex_).id.ToString();
  const auto post = [&](const std::string& members) {
    return CodeOf(
        Post(Path("/backup/restoreJobs"), "{\"snapshotId\":\"" + id + "\"" + members + "}"));
  };
  // The Atlas CLI's own body: it passes every check of the body.
  EXPECT_EQ(
      post(R"(,"targetDeploymentItemName":"Nobody","instanceName":"F0","deliveryType":"RESTORE")"),
      "CLUSTER_NOT_FOUND");
  EXPECT_EQ(post(""), "MISSING_ATTRIBUTE");
  EXPECT_EQ(post(R"(,"targetDeploymentItemName":"T","clusterName":"F0")"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(post(R"(,"targetDeploymentItemName":"T","targetProjectId":"x")"), "VALIDATION_ERROR");
}

TEST_F(FlexTest, TheBodyIsLookedAtBeforeTheCluster) {
  AddCluster("Plain");
  const std::string good =
      R"({"snapshotId":"0123456789abcdef01234567","targetDeploymentItemName":"T"})";
  const std::string path = V2("/flexClusters/Plain/backup/restoreJobs");
  EXPECT_EQ(CodeOf(Post(path, "{}")), "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Post(path, good)), "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API");
  EXPECT_EQ(CodeOf(Post(V2("/flexClusters/Plain/backup/download"),
                        R"({"snapshotId":"0123456789abcdef01234567"})")),
            "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API");
}

TEST_F(FlexTest, ADownloadIsCompletedAtOnceAndItsLinkNeedsNoCredentials) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(flex_);
  const http::Response response =
      Post(Path("/backup/download"), R"({"snapshotId":")" + snapshot.id.ToString() + "\"}");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto job = BodyOf(response);
  EXPECT_EQ(job.at("status"), "COMPLETED");
  EXPECT_EQ(job.at("deliveryType"), "DOWNLOAD");
  EXPECT_EQ(job.at("restoreFinishedDate"), job.at("restoreScheduledDate"));
  EXPECT_EQ(job.at("expirationDate"), "2026-11-25T14:00:00Z");
  EXPECT_EQ(job.at("targetDeploymentItemName"), "F0");
  EXPECT_FALSE(job.contains("links"));
  const std::string url(job.at("snapshotUrl").as_string());
  const std::string base = "http://backup.example:8080";
  ASSERT_THAT(url, testing::StartsWith(base + "/backup/restore/v2/pull/"));
  EXPECT_EQ(api_->Handle(MakeRequest(http::Method::kGet, url.substr(base.size()))).status, 200);

  const std::string path = Path("/backup/restoreJobs/" + std::string(job.at("id").as_string()));
  EXPECT_EQ(BodyOf(Get(path)).at("snapshotUrl").as_string(), url);
  const std::string reader = TokenWith(domain::Role::kGroupReadOnly);
  EXPECT_FALSE(BodyOf(Get(path, reader)).contains("snapshotUrl"));
  EXPECT_EQ(CodeOf(Ask(http::Method::kPost, Path("/backup/download"), "{}", reader)),
            "USER_UNAUTHORIZED");
  clock_.Advance(std::chrono::hours{5});
  EXPECT_FALSE(BodyOf(Get(path, TokenWith(domain::Role::kGroupOwner))).contains("snapshotUrl"));
}

TEST_F(FlexTest, TheAuditLogNamesTheCluster) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(flex_);
  const auto job =
      BodyOf(Post(Path("/backup/download"), R"({"snapshotId":")" + snapshot.id.ToString() + "\"}"));
  const auto rows = BodyOf(Get("/api/tidemark/v1/audit")).at("results").as_array();
  EXPECT_EQ(rows.at(0).at("operation"), "downloadGroupFlexClusterBackup");
  EXPECT_EQ(rows.at(0).at("clusterName"), "F0");
  EXPECT_EQ(rows.at(0).at("objectId"), job.at("id"));
}

TEST_F(FlexTest, TheOldFamiliesTellOfItToo) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(flex_);
  EXPECT_THAT(IdsIn(Get(V2("/clusters/F0/backup/tenant/snapshots"))),
              ElementsAre(snapshot.id.ToString()));
  EXPECT_THAT(IdsIn(Get(V2("/clusters/F0/snapshots"))), ElementsAre(snapshot.id.ToString()));
  EXPECT_EQ(Get(V2("/clusters/F0/restoreJobs")).status, 200);
}

}  // namespace
}  // namespace tidemark::api
