#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;

class ClustersTest : public ApiFixture {
 protected:
  http::Response Get(const std::string& path, const std::string& version = "2024-08-05") {
    http::Request request = MakeRequest(http::Method::kGet, path);
    request.headers.emplace_back("authorization", "Bearer " + token_);
    request.headers.emplace_back("accept", "application/vnd.atlas." + version + "+json");
    return api_->Handle(request);
  }

  std::vector<std::string> Listed(const std::string& query) {
    std::vector<std::string> names;
    const auto body = BodyOf(Get(V2("/clusters" + query)));
    for (const auto& row : body.at("results").as_array()) {
      names.emplace_back(row.at("name").as_string());
    }
    return names;
  }

  const domain::Cluster cluster_ = AddCluster("C0");
};

TEST_F(ClustersTest, TheNewestShapeHasTheMembersThatClientsRead) {
  const http::Response response = Get(V2("/clusters/C0"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2024-08-05+json;charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "");
  EXPECT_EQ(HeaderOf(response, "Sunset"), "");
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("name"), "C0");
  EXPECT_EQ(body.at("id").as_string(), cluster_.id.ToString());
  EXPECT_EQ(body.at("groupId").as_string(), Group());
  EXPECT_EQ(body.at("clusterType"), "REPLICASET");
  EXPECT_EQ(body.at("mongoDBVersion"), "7.0.42");
  EXPECT_EQ(body.at("mongoDBMajorVersion"), "7.0");
  EXPECT_EQ(body.at("stateName"), "IDLE");
  EXPECT_EQ(body.at("encryptionAtRestProvider"), "NONE");
  EXPECT_FALSE(body.at("paused").as_bool());
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(),
            "http://backup.example:8080" + V2("/clusters/C0"));
  const auto& specs = body.at("replicationSpecs").at(0);
  EXPECT_FALSE(specs.as_object().contains("numShards"));
  EXPECT_EQ(specs.at("zoneName"), "Zone 1");
  // Terraform asks for the network containers of any other provider.
  EXPECT_EQ(specs.at("regionConfigs").at(0).at("providerName"), "TENANT");
  EXPECT_EQ(body.at("effectiveReplicationSpecs"), body.at("replicationSpecs"));
}

TEST_F(ClustersTest, OldShapesAreDeprecatedInEveryFamily) {
  for (const http::Response& response : {Get(V2("/clusters/C0"), "2023-01-01"),
                                         Get(V2("/clusters/C0"), "2024-05-30"),
                                         Get(V2("/clusters"), "2023-02-01"),
                                         Get(V2("/clusters/Nobody"), "2023-02-01"),
                                         Get(V1("/clusters/C0"))}) {
    EXPECT_EQ(HeaderOf(response, "Deprecation"), "Mon, 5 Aug 2024 00:00:00 GMT");
    EXPECT_EQ(HeaderOf(response, "Sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
  }
}

TEST_F(ClustersTest, TheAdvancedShapeCountsShards) {
  const http::Response response = Get(V2("/clusters/C0"), "2024-05-30");
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2023-02-01+json;charset=utf-8");
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("replicationSpecs").at(0).at("numShards").as_int64(), 1);
  EXPECT_TRUE(
      body.at("replicationSpecs").at(0).at("regionConfigs").at(0).as_object().contains("priority"));
  EXPECT_THAT(MembersOf(body), Not(testing::Contains("effectiveReplicationSpecs")));
  EXPECT_THAT(MembersOf(body), Not(testing::Contains("providerSettings")));
}

TEST_F(ClustersTest, TheLegacyShapeHasUrisAndASize) {
  const auto body = BodyOf(Get(V2("/clusters/C0"), "2023-01-01"));
  EXPECT_EQ(body.at("mongoURI"), "mongodb://127.0.0.1:1");
  EXPECT_EQ(body.at("mongoURIWithOptions"), "mongodb://127.0.0.1:1/");
  EXPECT_EQ(body.at("mongoURIUpdated"), body.at("createDate"));
  EXPECT_EQ(body.at("numShards").as_int64(), 1);
  EXPECT_EQ(body.at("replicationFactor").as_int64(), 3);
  EXPECT_TRUE(body.at("providerBackupEnabled").as_bool());
  EXPECT_EQ(body.at("providerSettings").at("providerName"), "TENANT");
  EXPECT_EQ(body.at("providerSettings").at("instanceSizeName"), "M5");
  EXPECT_TRUE(
      body.at("replicationSpecs").at(0).at("regionsConfig").as_object().contains("US_EAST_1"));
}

TEST_F(ClustersTest, TheUnversionedFamiliesHaveTheShapesOfTheirTime) {
  const auto first = BodyOf(Get(V1("/clusters/C0")));
  EXPECT_THAT(MembersOf(first), IsSupersetOf({"mongoURI", "providerSettings"}));
  const std::string path = "/api/atlas/v1.5/groups/" + Group() + "/clusters/C0";
  const auto second = BodyOf(Get(path));
  EXPECT_EQ(second.at("replicationSpecs").at(0).at("numShards").as_int64(), 1);
  EXPECT_FALSE(second.contains("providerSettings"));
}

TEST_F(ClustersTest, NobodySeesTheLogin) {
  service::ClusterRegistration registration;
  registration.name = "Locked";
  registration.connection_string =
      Secret("mongodb://alice:hunter2@db.example/?replicaSet=rs0&appName=hunter2");
  clusters_->Register(first_.project.id, registration);
  for (const std::string version : {"2023-01-01", "2023-02-01", "2024-08-05"}) {
    for (const std::string path : {"/clusters/Locked", "/clusters"}) {
      const std::string body = Get(V2(path), version).body;
      EXPECT_THAT(body, Not(testing::HasSubstr("hunter2")));
      EXPECT_THAT(body, Not(testing::HasSubstr("alice")));
      EXPECT_THAT(
          body, testing::HasSubstr("mongodb://db.example:27017/?authSource=admin&replicaSet=rs0"));
    }
  }
}

TEST_F(ClustersTest, FlexClustersAreRefusedInTheWordsThatTheCliReads) {
  AddFlexCluster("F0");
  for (const std::string path : {"/clusters/F0", "/clusters/F0/processArgs"}) {
    const http::Response response = Get(V2(path));
    EXPECT_EQ(response.status, 400);
    const auto body = BodyOf(response);
    EXPECT_EQ(body.at("errorCode"), "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API");
    EXPECT_EQ(body.at("detail"), "Flex cluster F0 cannot be used in the Cluster API.");
    EXPECT_THAT(body.at("parameters").as_array(), ElementsAre("F0"));
  }
  EXPECT_EQ(CodeOf(Get(V2("/clusters/Nobody"))), "CLUSTER_NOT_FOUND");
}

TEST_F(ClustersTest, TheListLeavesFlexClustersOut) {
  AddFlexCluster("F0");
  AddFlexCluster("Shards", domain::Topology::kSharded);
  AddCluster("B0");
  EXPECT_THAT(Listed(""), ElementsAre("B0", "C0", "Shards"));
  EXPECT_EQ(BodyOf(Get(V2("/clusters/Shards"))).at("clusterType"), "SHARDED");
}

TEST_F(ClustersTest, DeletedClustersAreListedOnRequestWhileTheirSnapshotsAreKept) {
  const domain::Cluster removed = AddCluster("Gone");
  AddFinishedSnapshot(removed);
  clusters_->Remove(first_.project.id, "Gone");
  clusters_->Remove(first_.project.id, AddCluster("Empty").name);
  EXPECT_THAT(Listed("?includeDeletedWithRetainedBackups=false"), ElementsAre("C0"));
  EXPECT_THAT(Listed("?includeDeletedWithRetainedBackups=true"), ElementsAre("C0", "Gone"));
  const auto body = BodyOf(Get(V2("/clusters?includeDeletedWithRetainedBackups=true")));
  EXPECT_EQ(body.at("results").at(1).at("stateName"), "DELETING");
  EXPECT_THAT(std::string(body.at("links").at(0).at("href").as_string()),
              testing::EndsWith("/clusters?includeCount=true&includeDeletedWithRetainedBackups="
                                "true&pageNum=1&itemsPerPage=100"));
  EXPECT_EQ(CodeOf(Get(V2("/clusters?includeDeletedWithRetainedBackups=yes"))),
            "INVALID_QUERY_PARAMETER");
}

TEST_F(ClustersTest, ItIsUpdatedWhileARestoreIntoItRuns) {
  AddRestore(AddCluster("Source"), cluster_);
  EXPECT_EQ(BodyOf(Get(V2("/clusters/C0"))).at("stateName"), "UPDATING");
  EXPECT_EQ(BodyOf(Get(V2("/clusters/Source"))).at("stateName"), "IDLE");
}

TEST_F(ClustersTest, WhatIsNotKnownYetIsLeftOut) {
  service::ClusterRegistration registration;
  registration.name = "New";
  registration.connection_string = Secret("mongodb://%2Frun%2Fmongodb.sock");
  registration.encryption_at_rest = true;
  registration.paused = true;
  const domain::Cluster made = clusters_->Register(first_.project.id, registration);
  auto body = BodyOf(Get(V2("/clusters/New")));
  EXPECT_FALSE(body.contains("mongoDBVersion"));
  EXPECT_THAT(body.at("connectionStrings").as_object(), testing::IsEmpty());
  EXPECT_TRUE(body.at("paused").as_bool());
  EXPECT_NE(body.at("encryptionAtRestProvider"), "NONE");
  store_->UpdateClusterFacts(made.id, domain::Topology::kReplicaSet, "7.0", "rs0");
  EXPECT_FALSE(BodyOf(Get(V2("/clusters/New"))).contains("mongoDBVersion"));
}

TEST_F(ClustersTest, ProjectsOfTheOrganizationAreListed) {
  const std::string own = first_.organization.id.ToString();
  const auto body = BodyOf(Get("/api/atlas/v2/orgs/" + own + "/groups"));
  ASSERT_EQ(body.at("results").as_array().size(), 1U);
  EXPECT_EQ(body.at("results").at(0), BodyOf(Get(V2(""))));
  EXPECT_EQ(body.at("results").at(0).at("orgId").as_string(), own);
  EXPECT_EQ(Get("/api/atlas/v1.0/orgs/" + own + "/groups").status, 200);
  EXPECT_EQ(CodeOf(Get("/api/atlas/v2/orgs/0123456789abcdef01234567/groups")),
            "USER_CANNOT_ACCESS_ORG");
  EXPECT_EQ(CodeOf(Get("/api/atlas/v2/orgs/nothing/groups")), "INVALID_ORG_ID");
}

}  // namespace
}  // namespace tidemark::api
