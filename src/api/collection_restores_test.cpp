#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;

// Jobs in the catalog; what they do is delivery's and the end-to-end tests'.
class CollectionRestoresTest : public ApiFixture {
 protected:
  http::Response Ask(http::Method method,
                     const std::string& path,
                     const std::string& body = {},
                     const std::string& token = {}) {
    http::Request request = MakeRequest(method, V2(path));
    request.headers.emplace_back("authorization", "Bearer " + (token.empty() ? token_ : token));
    request.headers.emplace_back("accept", "application/vnd.atlas.2025-03-12+json");
    request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    return api_->Handle(request);
  }

  http::Response GetIt(const std::string& path) { return Ask(http::Method::kGet, path); }

  http::Response PostIt(const std::string& body, const std::string& token = {}) {
    return Ask(http::Method::kPost, kJobs, body, token);
  }

  // A request with these members in place of, or beside, those of a good one.
  std::string Request(const std::string& members) {
    boost::json::object body{{"snapshotId", std::string(24, '1')},
                             {"targetClusterName", "c1"},
                             {"targetGroupId", Group()},
                             {"writeStrategy", "CREATE_NEW"},
                             {"indexStrategy", "ALL"},
                             {"databases", {boost::json::object{{"sourceNamespace", "shop"}}}}};
    const boost::json::value more = boost::json::parse(members);
    for (const auto& member : more.as_object()) {
      body[member.key()] = member.value();
    }
    return boost::json::serialize(body);
  }

  std::string Refusal(const std::string& members) {
    const http::Response response = PostIt(Request(members));
    EXPECT_GE(response.status, 400) << response.body;
    return response.status >= 400 ? CodeOf(response) : response.body;
  }

  domain::RestoreJob AddJob() {
    domain::RestoreJob job;
    job.id = RestoreJobId::Generate(clock_.Now(), random_);
    job.project = source_.project;
    job.cluster = source_.id;
    job.cluster_name = source_.name;
    job.snapshot = AddFinishedSnapshot(source_).id;
    job.snapshot_finished = clock_.Now();
    job.target_project = target_.project;
    job.target_cluster = target_.id;
    job.target_name = target_.name;
    job.created = clock_.Now();
    job.expires = clock_.Now();
    job.requested_by = first_.key.key.id;
    job.by_collection = true;
    store_->AddCollectionRestore(job,
                                 {.write = domain::WriteStrategy::kOverwriteExisting,
                                  .database_suffix = "_d",
                                  .databases = {{"shop", ""}},
                                  .collections = {{"logs.a/b", "logs.c"}}},
                                 JobFor(domain::JobKind::kRestore, job.id.raw()),
                                 "stopped");
    return job;
  }

  domain::Lease Claim() {
    const auto job = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60)).value();
    return {job.id, job.fence};
  }

  static domain::RestoredNamespace Row(const std::string& source, domain::NamespaceState state) {
    return {.source = source,
            .target = source + "_d",
            .effective = source + "_d_restored",
            .state = state,
            .documents_total = 10,
            .documents_restored = 4};
  }

  boost::json::object JobBody(const domain::RestoreJob& job) {
    const http::Response response = GetIt(kJobs + "/" + job.id.ToString());
    EXPECT_EQ(response.status, 200);
    return BodyOf(response);
  }

  inline static const std::string kJobs = "/clusters/c0/collectionRestoreJobs";
  const domain::Cluster source_ = AddCluster("c0");
  const domain::Cluster target_ = AddCluster("c1");
};

TEST_F(CollectionRestoresTest, AJobHasTheMembersOfTheSchema) {
  const domain::RestoreJob job = AddJob();
  const auto body = JobBody(job);
  EXPECT_THAT(MembersOf(body),
              testing::UnorderedElementsAre("collections",
                                            "createdAt",
                                            "databaseSuffix",
                                            "databases",
                                            "id",
                                            "indexStatus",
                                            "indexStrategy",
                                            "restoredDocuments",
                                            "snapshotId",
                                            "state",
                                            "targetClusterName",
                                            "targetGroupId",
                                            "totalDocuments",
                                            "writeStrategy"));
  EXPECT_EQ(body.at("state"), "INITIALIZING");
  EXPECT_EQ(body.at("writeStrategy"), "OVERWRITE_EXISTING");
  EXPECT_EQ(body.at("collections").at(0).at("sourceNamespace"), "logs.a/b");
  EXPECT_EQ(body.at("collections").at(0).at("targetNamespace"), "logs.c");
  EXPECT_FALSE(body.at("databases").at(0).as_object().contains("targetNamespace"));
  EXPECT_EQ(body.at("indexStatus").at("state"), "NOT_STARTED");
  EXPECT_EQ(BodyOf(GetIt(kJobs)).at("totalCount").as_int64(), 1);
}

TEST_F(CollectionRestoresTest, StatesFollowTheNamespaces) {
  using enum domain::NamespaceState;
  const domain::RestoreJob job = AddJob();
  const domain::Lease lease = Claim();
  const std::string list = kJobs + "/" + job.id.ToString() + "/collections";
  EXPECT_EQ(BodyOf(GetIt(list)).at("totalCount").as_int64(), 0);
  store_->AddRestoredNamespaces(lease, {Row("shop.a", kInProgress), Row("logs.a/b", kFinalizing)});
  auto body = JobBody(job);
  EXPECT_EQ(body.at("state"), "IN_PROGRESS");
  EXPECT_EQ(body.at("totalDocuments").as_int64(), 20);
  EXPECT_EQ(body.at("restoredDocuments").as_int64(), 8);
  auto row = Row("shop.a", kFinalizing);
  row.indexes = domain::IndexBuildState::kInProgress;
  store_->SaveRestoredNamespace(lease, row);
  body = JobBody(job);
  EXPECT_EQ(body.at("state"), "FINALIZING");
  EXPECT_EQ(body.at("indexStatus").at("state"), "IN_PROGRESS");
  store_->FinishRestore(lease, domain::RestoreState::kCompleted, "", clock_.Now());
  body = JobBody(job);
  EXPECT_EQ(body.at("state"), "SUCCESSFUL");
  EXPECT_EQ(body.at("finishedAt"), "2026-11-25T10:00:00Z");
}

TEST_F(CollectionRestoresTest, AFailureSaysWhyAndWhichIndexes) {
  const domain::RestoreJob job = AddJob();
  const domain::Lease lease = Claim();
  auto row = Row("shop.a", domain::NamespaceState::kIndexBuildFailed);
  row.indexes = domain::IndexBuildState::kFailed;
  row.index_failure = "duplicate key";
  store_->AddRestoredNamespaces(lease, {row});
  store_->FinishRestore(lease, domain::RestoreState::kFailed, "it broke", clock_.Now());
  const auto body = JobBody(job);
  EXPECT_EQ(body.at("state"), "FAILED");
  EXPECT_EQ(body.at("errorMessage"), "it broke");
  EXPECT_EQ(body.at("indexStatus").at("state"), "FAILED");
  EXPECT_EQ(body.at("indexStatus").at("failedCollectionCount").as_int64(), 1);
  const auto one = BodyOf(GetIt(kJobs + "/" + job.id.ToString() + "/collections/shop.a"));
  EXPECT_EQ(one.at("state"), "INDEX_BUILD_FAILED");
  EXPECT_EQ(one.at("indexStatus").at("errorMessage"), "duplicate key");
}

TEST_F(CollectionRestoresTest, NamespacesAreFoundByNameAndFiltered) {
  using enum domain::NamespaceState;
  const domain::RestoreJob job = AddJob();
  store_->AddRestoredNamespaces(Claim(), {Row("shop.a", kSuccessful), Row("logs.a/b", kNotFound)});
  const std::string list = kJobs + "/" + job.id.ToString() + "/collections";
  const auto one = BodyOf(GetIt(list + "/logs.a%2Fb"));
  EXPECT_THAT(MembersOf(one),
              testing::UnorderedElementsAre("effectiveTargetNamespace",
                                            "indexStatus",
                                            "restoredDocuments",
                                            "sourceNamespace",
                                            "state",
                                            "targetNamespace",
                                            "totalDocuments"));
  EXPECT_EQ(one.at("state"), "NOT_FOUND");
  EXPECT_EQ(one.at("targetNamespace"), "logs.a/b_d");
  EXPECT_EQ(one.at("effectiveTargetNamespace"), "logs.a/b_d_restored");
  const auto filtered = BodyOf(GetIt(list + "?state=NOT_FOUND&sourceNamespace=logs.a%2Fb"));
  EXPECT_EQ(filtered.at("totalCount").as_int64(), 1);
  EXPECT_EQ(filtered.at("links").at(0).at("href").as_string(),
            "http://backup.example:8080" + V2(list) +
                "?includeCount=true&state=NOT_FOUND&sourceNamespace=logs.a%2Fb&pageNum=1&"
                "itemsPerPage=100");
  EXPECT_EQ(BodyOf(GetIt(list + "?targetNamespace=no")).at("totalCount").as_int64(), 0);
  EXPECT_EQ(CodeOf(GetIt(list + "?state=DONE")), "INVALID_QUERY_PARAMETER");
  EXPECT_EQ(CodeOf(GetIt(list + "/shop.no")), "RESOURCE_NOT_FOUND");
}

TEST_F(CollectionRestoresTest, NoOtherFamilyShowsSuchAJob) {
  const domain::RestoreJob job = AddJob();
  const std::string id = job.id.ToString();
  for (const std::string& list : {V2("/clusters/c0/backup/tenant/restores"),
                                  V2("/clusters/c0/restoreJobs"),
                                  V2("/clusters/c0/backup/restoreJobs"),
                                  Own("/clusters/c0/restoreJobs")}) {
    EXPECT_EQ(BodyOf(Get(list)).at("totalCount").as_int64(), 0) << list;
    EXPECT_EQ(Get(list + "/" + id).status, 404) << list;
  }
  EXPECT_EQ(GetIt(kJobs + "/" + id).status, 200);
  const domain::RestoreJob whole = AddRestore(source_, AddCluster("c2"));
  EXPECT_EQ(CodeOf(GetIt(kJobs + "/" + whole.id.ToString())), "RESTORE_JOB_NOT_FOUND");
  EXPECT_EQ(CodeOf(GetIt(kJobs + "/xyz")), "INVALID_JOB_ID");
}

TEST_F(CollectionRestoresTest, BodiesAreChecked) {
  EXPECT_EQ(CodeOf(PostIt("")), "MISSING_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"surprise":1})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"writeStrategy":"SOMEHOW"})"), "INVALID_ENUM_VALUE");
  EXPECT_EQ(Refusal(R"({"indexStrategy":"SOME"})"), "INVALID_ENUM_VALUE");
  EXPECT_EQ(Refusal(R"({"databases":[]})"), "MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(Refusal(R"({"databases":["shop"]})"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"databases":[{}]})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"databases":[{"sourceNamespace":"a.b"}]})"), "VALIDATION_ERROR");
  EXPECT_EQ(Refusal(R"({"collections":[{"sourceNamespace":"a"}]})"), "VALIDATION_ERROR");
  EXPECT_EQ(Refusal(R"({"collections":[{"sourceNamespace":"a.b","targetNamespace":"c"}]})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(Refusal(R"({"collections":[{"sourceNamespace":"a.b","targetNamespace":""}]})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(Refusal(R"({"databases":[{"sourceNamespace":"a","targetNamespace":""}]})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(Refusal(R"({"databases":[{"sourceNamespace":"a","targetNamespace":null}]})"),
            "INVALID_JSON_ATTRIBUTE");
  std::string many = R"({"collections":[)";
  for (int i = 0; i <= 100; ++i) {
    many +=
        (i == 0 ? "" : ",") + std::string(R"({"sourceNamespace":"a.)") + std::to_string(i) + "\"}";
  }
  EXPECT_EQ(Refusal(many + "]}"), "VALIDATION_ERROR");
}

TEST_F(CollectionRestoresTest, SelectorsAreChecked) {
  EXPECT_EQ(Refusal(R"({"snapshotId":null})"), "MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(Refusal(R"({"pointInTimeUtcSeconds":1700000000})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"snapshotId":null,"oplogTs":5})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"snapshotId":null,"oplogTs":0,"oplogInc":1})"),
            "ATTRIBUTE_NEGATIVE_OR_ZERO");
  EXPECT_EQ(Refusal(R"({"snapshotId":null,"pointInTimeUtcSeconds":"now"})"),
            "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(Refusal(R"({"snapshotId":null,"pointInTimeUtcSeconds":1700000000})"),
            "UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME");
  AddFinishedSnapshot(source_);
  EXPECT_EQ(Refusal(R"({"snapshotId":null,"oplogTs":2000000000,"oplogInc":1})"),
            "INVALID_PIT_RESTORE_TIME");
}

TEST_F(CollectionRestoresTest, ObjectsAndRightsAreCheckedInOrder) {
  EXPECT_EQ(Refusal("{}"), "SNAPSHOT_NOT_FOUND");
  const std::string snapshot =
      R"({"snapshotId":")" + AddFinishedSnapshot(source_).id.ToString() + "\"";
  EXPECT_EQ(Refusal(snapshot + R"(,"targetClusterName":"no"})"), "CLUSTER_NOT_FOUND");
  EXPECT_EQ(Refusal(snapshot + R"(,"targetGroupId":"111111111111111111111111"})"),
            "CANNOT_RESTORE_TO_TARGET");
  EXPECT_EQ(Refusal(snapshot + "}"), "RESTORE_INITIATION_FAILED");  // nobody listens there
  const std::string request = Request(snapshot + "}");
  EXPECT_EQ(CodeOf(PostIt(request, TokenWith(domain::Role::kGroupReadOnly))), "USER_UNAUTHORIZED");
  EXPECT_EQ(CodeOf(PostIt(request, TokenWith(domain::Role::kGroupBackupManager))),
            "RESTORE_INITIATION_FAILED");
  EXPECT_EQ(store_->ListCollectionRestores(source_.id, {}).total, 0);
}

TEST_F(CollectionRestoresTest, FlexClustersAreForAnotherFamily) {
  service::ClusterRegistration registration;
  registration.name = "flex";
  registration.tier = domain::Tier::kFlex;
  registration.connection_string = Secret("mongodb://127.0.0.1:1/");
  clusters_->Register(first_.project.id, registration);
  EXPECT_EQ(CodeOf(GetIt("/clusters/flex/collectionRestoreJobs")),
            "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API");
}

}  // namespace
}  // namespace tidemark::api
