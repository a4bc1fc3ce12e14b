#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;

class CloudNamespacesTest : public ApiFixture {
 protected:
  CloudNamespacesTest() {
    const domain::Snapshot queued = AddSnapshot(cluster_);
    repo::Manifest manifest;
    manifest.snapshot = queued.id;
    manifest.project = cluster_.project;
    manifest.cluster = cluster_.id;
    manifest.cluster_name = cluster_.name;
    manifest.created = clock_.Now();
    manifest.empty_databases = {"empty"};
    for (const auto& [database, collection] :
         {std::pair("shop", "people"), std::pair("shop", "a.b/c d"), std::pair("stock", "items")}) {
      manifest.namespaces.push_back({.database = database, .collection = collection});
    }
    repository_->NewSnapshot(cluster_.project, {})->Commit(manifest);
    const auto claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60)).value();
    domain::Snapshot snapshot = *store_->FindSnapshot(queued.id);
    snapshot.state = domain::SnapshotState::kCompleted;
    snapshot.finished = clock_.Now();
    EXPECT_TRUE(store_->FinishSnapshot({claimed.id, claimed.fence}, snapshot));
    databases_ = "/clusters/c0/backup/snapshots/" + queued.id.ToString() + "/databases";
  }

  http::Response Ask(const std::string& path,
                     const std::string& version = "2025-03-12",
                     const std::string& token = {}) {
    http::Request request = MakeRequest(http::Method::kGet, V2(path));
    request.headers.emplace_back("authorization", "Bearer " + (token.empty() ? token_ : token));
    request.headers.emplace_back("accept", "application/vnd.atlas." + version + "+json");
    return api_->Handle(request);
  }

  static std::vector<std::string> NamesIn(const http::Response& response) {
    EXPECT_EQ(response.status, 200);
    std::vector<std::string> names;
    const auto body = BodyOf(response);
    for (const auto& row : body.at("results").as_array()) {
      names.emplace_back(row.at("name").as_string());
    }
    return names;
  }

  const domain::Cluster cluster_ = AddCluster("c0");
  std::string databases_;
};

TEST_F(CloudNamespacesTest, DatabasesAreListedByNameOverPages) {
  EXPECT_THAT(NamesIn(Ask(databases_)), ElementsAre("empty", "shop", "stock"));
  EXPECT_THAT(NamesIn(Ask(databases_ + "?itemsPerPage=2&pageNum=2")), ElementsAre("stock"));
  EXPECT_THAT(NamesIn(Ask(databases_ + "?itemsPerPage=2&pageNum=3")), ElementsAre());
  EXPECT_EQ(BodyOf(Ask(databases_ + "?itemsPerPage=1")).at("totalCount").as_int64(), 3);
  EXPECT_FALSE(BodyOf(Ask(databases_ + "?includeCount=false")).contains("totalCount"));
}

TEST_F(CloudNamespacesTest, CollectionsAreListedByName) {
  EXPECT_THAT(NamesIn(Ask(databases_ + "/shop/collections")), ElementsAre("a.b/c d", "people"));
  EXPECT_THAT(NamesIn(Ask(databases_ + "/empty/collections")), ElementsAre());
}

TEST_F(CloudNamespacesTest, LinksEncodeTheNamesAndLeadBack) {
  const std::string path = databases_ + "/shop/collections/a.b%2Fc%20d";
  const http::Response response = Ask(path);
  EXPECT_EQ(response.status, 200);
  const auto body = BodyOf(response);
  EXPECT_THAT(MembersOf(body), testing::UnorderedElementsAre("links", "name"));
  EXPECT_EQ(body.at("name"), "a.b/c d");
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(), "http://backup.example:8080" + V2(path));
  EXPECT_EQ(BodyOf(Ask(databases_ + "/shop")).at("links").at(0).at("href").as_string(),
            "http://backup.example:8080" + V2(databases_ + "/shop"));
}

TEST_F(CloudNamespacesTest, WhatIsNotThereIsNotFound) {
  for (const char* rest :
       {"/no", "/no/collections", "/shop/collections/no", "/no/collections/no"}) {
    const http::Response response = Ask(databases_ + rest);
    EXPECT_EQ(response.status, 404) << rest;
    EXPECT_EQ(CodeOf(response), "RESOURCE_NOT_FOUND") << rest;
  }
  EXPECT_EQ(CodeOf(Ask("/clusters/c0/backup/snapshots/x/databases")), "INVALID_SNAPSHOT_ID");
  EXPECT_EQ(CodeOf(Ask("/clusters/c0/backup/snapshots/" + std::string(24, '1') + "/databases")),
            "SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(CodeOf(Ask("/clusters/no/backup/snapshots/" + std::string(24, '1') + "/databases")),
            "CLUSTER_NOT_FOUND");
}

TEST_F(CloudNamespacesTest, AnUnfinishedSnapshotHasNoContents) {
  const domain::Snapshot queued = AddSnapshot(cluster_);
  EXPECT_EQ(CodeOf(Ask("/clusters/c0/backup/snapshots/" + queued.id.ToString() + "/databases")),
            "SNAPSHOT_NOT_FOUND");
}

TEST_F(CloudNamespacesTest, ReadOnlyIsEnoughAndTheVersionCounts) {
  const std::string reader = TokenWith(domain::Role::kGroupReadOnly);
  const http::Response response = Ask(databases_, "2025-03-12", reader);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2025-03-12+json;charset=utf-8");
  EXPECT_EQ(CodeOf(Ask(databases_, "2025-02-19")), "INVALID_VERSION_DATE");
}

TEST_F(CloudNamespacesTest, FlexClustersAreForAnotherFamily) {
  service::ClusterRegistration registration;
  registration.name = "flex";
  registration.tier = domain::Tier::kFlex;
  registration.connection_string = Secret("mongodb://127.0.0.1:1/");
  clusters_->Register(first_.project.id, registration);
  EXPECT_EQ(CodeOf(Ask("/clusters/flex/backup/snapshots/" + std::string(24, '1') + "/databases")),
            "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API");
}

}  // namespace
}  // namespace tidemark::api
