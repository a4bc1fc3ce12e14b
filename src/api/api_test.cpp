#include <boost/json/serialize.hpp>

#include "api/internal/digest.h"
#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class ApiTest : public ApiFixture {
 protected:
  // An Authorization header for the request, by the nonce of a challenge.
  http::Response WithHeader(http::Request request, const std::string& authorization) {
    request.headers.emplace_back("authorization", authorization);
    return api_->Handle(request);
  }
};

class RestoreScopes : public ApiFixture {
 protected:
  RestoreScopes() : source_(AddCluster("Cluster0")), target_(AddCluster("Target")) {}

  // `members` go into an otherwise good request.
  boost::json::object Refused(const std::string& members) {
    const auto response =
        Post(Own("/clusters/Cluster0/restoreJobs"),
             R"({"snapshotId":"0123456789abcdef01234567","targetClusterName":"Target",)" + members +
                 "}");
    EXPECT_EQ(response.status, 400);
    return BodyOf(response);
  }

  domain::Cluster source_;
  domain::Cluster target_;
};

TEST_F(RestoreScopes, WrongFormsAreRefusedWithTheMember) {
  EXPECT_EQ(Refused(R"("only":[])").at("errorCode"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(Refused(R"("include":{})").at("errorCode"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(Refused(R"("filter":[])").at("errorCode"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(Refused(R"("delta":1)").at("errorCode"), "INVALID_JSON_ATTRIBUTE");
  const auto include = Refused(R"("include":[{"database":"a","to":"b"}])");
  EXPECT_EQ(include.at("errorCode"), "VALIDATION_ERROR");
  EXPECT_THAT(boost::json::serialize(include.at("badRequestDetail")),
              testing::AllOf(testing::HasSubstr(R"("include")"),
                             testing::HasSubstr("include: unknown member to")));
  const auto filter = Refused(R"("filter":{"database":"a","collection":"b","ids":{"$ne":1}})");
  EXPECT_THAT(boost::json::serialize(filter.at("badRequestDetail")),
              testing::HasSubstr("filter: ids: unknown operator $ne"));
}

// Without them everything on the target is dropped.
TEST_F(RestoreScopes, NullIsNoScope) {
  for (const char* member : {"include", "filter", "delta", "dryRun"}) {
    EXPECT_EQ(Refused("\"" + std::string(member) + "\":null").at("errorCode"),
              "INVALID_JSON_ATTRIBUTE")
        << member;
  }
}

TEST_F(RestoreScopes, JobShowsWhatWasAskedAndWhatWasDone) {
  const std::string scope = R"({"include":[{"database":"shop","toDatabase":"copy"}],"delta":true})";
  const domain::RestoreJob job = AddRestore(source_, target_, {1700000000, 3}, scope);
  const std::string path = Own("/clusters/Cluster0/restoreJobs/") + job.id.ToString();
  auto body = BodyOf(Get(path));
  EXPECT_EQ(boost::json::serialize(body.at("include")),
            R"([{"database":"shop","toDatabase":"copy"}])");
  EXPECT_EQ(body.at("delta"), true);
  for (const char* member : {"filter", "changes", "notes"}) {
    EXPECT_FALSE(body.contains(member)) << member;
  }
  auto claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
  while (claimed && claimed->subject != job.id.raw()) {  // the snapshot's job is older
    claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
  }
  ASSERT_TRUE(claimed.has_value());
  ASSERT_TRUE(store_->SaveRestoreChanges(
      {claimed->id, claimed->fence}, domain::RestoreChanges{1, 2, 3, 4}, "one note\nanother"));
  body = BodyOf(Get(path));
  EXPECT_EQ(boost::json::serialize(body.at("changes")),
            R"({"deleted":4,"inserted":3,"leftAlone":1,"replaced":2})");
  EXPECT_EQ(boost::json::serialize(body.at("notes")), R"(["one note","another"])");
}

TEST_F(RestoreScopes, WholeRestoreShowsNone) {
  const domain::RestoreJob job = AddRestore(source_, target_);
  const auto body = BodyOf(Get(Own("/clusters/Cluster0/restoreJobs/") + job.id.ToString()));
  for (const char* member : {"include", "filter", "delta", "changes", "notes"}) {
    EXPECT_FALSE(body.contains(member)) << member;
  }
}

}  // namespace

TEST_F(ApiTest, ChallengeIsByteForByteTheRecordedOne) {
  const auto response = api_->Handle(MakeRequest(http::Method::kGet, "/no/such/path?pretty=true"));
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(HeaderOf(response, "WWW-Authenticate"),
              testing::MatchesRegex("Digest realm=\"MMS Public API\", domain=\"\", "
                                    "nonce=\"[A-Za-z0-9+/]{32}\", algorithm=MD5, qop=\"auth\", "
                                    "stale=false"));
  EXPECT_EQ(response.body,
            "{\n  \"error\" : 401,\n  \"reason\" : \"Unauthorized\",\n"
            "  \"detail\" : \"You are not authorized for this resource.\",\n"
            "  \"errorCode\" : \"UNEXPECTED_ERROR\"\n}");
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
  EXPECT_EQ(HeaderOf(response, "X-Error-Code"), "");
}

TEST_F(ApiTest, DigestAnswersTheChallengeOnceForEachCount) {
  const http::Request request = MakeRequest(http::Method::kGet, V1("") + "?pretty=true");
  const auto challenge = api_->Handle(request);
  EXPECT_EQ(WithHeader(request, DigestHeader(request, challenge)).status, 200);
  const auto replayed = WithHeader(request, DigestHeader(request, challenge));
  EXPECT_EQ(replayed.status, 401);
  EXPECT_THAT(HeaderOf(replayed, "WWW-Authenticate"), testing::EndsWith("stale=false"));
  EXPECT_EQ(WithHeader(request, DigestHeader(request, challenge, "0000000a")).status, 200);
  EXPECT_EQ(WithHeader(request, DigestHeader(request, challenge, "00000009")).status, 200);
}

TEST_F(ApiTest, DigestForAnotherTargetOrMethodIsRefused) {
  const http::Request request = MakeRequest(http::Method::kGet, V1(""));
  const std::string header = DigestHeader(request, api_->Handle(request));
  EXPECT_EQ(WithHeader(MakeRequest(http::Method::kGet, V1("?a=b")), header).status, 401);
  EXPECT_EQ(WithHeader(MakeRequest(http::Method::kDelete, V1("")), header).status, 401);
}

TEST_F(ApiTest, ExpiredNonceOfAGoodKeyIsStale) {
  const http::Request request = MakeRequest(http::Method::kGet, V1(""));
  const std::string header = DigestHeader(request, api_->Handle(request));
  clock_.Advance(std::chrono::minutes(6));
  const auto response = WithHeader(request, header);
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(HeaderOf(response, "WWW-Authenticate"), testing::EndsWith("stale=true"));
}

TEST_F(ApiTest, UnknownTokenGetsTheChallenge) {
  EXPECT_EQ(GetAs("nonsense", V1("")).status, 401);
  EXPECT_EQ(GetAs(token_, V1("")).status, 200);
}

TEST_F(ApiTest, HealthNeedsNoCredentials) {
  EXPECT_EQ(api_->Handle(MakeRequest(http::Method::kGet, "/healthz")).status, 200);
  EXPECT_EQ(api_->Handle(MakeRequest(http::Method::kGet, "/readyz")).body,
            "{\"status\":\"ready\"}");
}

TEST_F(ApiTest, UnknownPathIsResourceNotFoundWithThePath) {
  const auto response = Get("/api/atlas/v2/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(HeaderOf(response, "X-Error-Code"), "RESOURCE_NOT_FOUND");
  EXPECT_EQ(BodyOf(response).at("detail").as_string(),
            "Cannot find resource /api/atlas/v2/nothing.");
}

TEST_F(ApiTest, WrongMethodIsRefusedWithAllow) {
  const auto response = Delete(V2(""));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD");
  EXPECT_EQ(CodeOf(response), "METHOD_NOT_ALLOWED");
}

TEST_F(ApiTest, MissingVersionIsRefusedInV2Only) {
  const auto refused = GetAs(token_, V2("/clusters/None/backup/tenant/restores"));
  EXPECT_EQ(refused.status, 406);
  EXPECT_EQ(refused.body,
            "{\"detail\":\"Invalid accept header or version date.\",\"error\":406,"
            "\"errorCode\":\"INVALID_VERSION_DATE\",\"parameters\":[],"
            "\"reason\":\"Not Acceptable\"}");
  EXPECT_EQ(HeaderOf(refused, "Deprecation"), "Wed, 13 Nov 2024 00:00:00 GMT");
  EXPECT_EQ(GetAs(token_, V1("")).status, 200);
}

TEST_F(ApiTest, SeveralAcceptHeadersAreOneList) {
  http::Request request = MakeRequest(http::Method::kGet, V2(""));
  request.headers.emplace_back("authorization", "Bearer " + token_);
  request.headers.emplace_back("accept", "text/html");
  EXPECT_EQ(api_->Handle(request).status, 406);
  request.headers.emplace_back("accept", "application/vnd.atlas.2023-01-01+json");
  EXPECT_EQ(HeaderOf(api_->Handle(request), "Content-Type"),
            "application/vnd.atlas.2023-01-01+json;charset=utf-8");
}

TEST_F(ApiTest, VersionComesBeforeTheProjectAndTheProjectBeforeTheRight) {
  EXPECT_EQ(GetAs(token_, "/api/atlas/v2/groups/nonsense").status, 406);
  EXPECT_EQ(CodeOf(Get("/api/atlas/v2/groups/nonsense")), "INVALID_GROUP_ID");
  const auto unknown = Get("/api/atlas/v2/groups/0123456789abcdef01234567");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(CodeOf(unknown), "GROUP_NOT_FOUND");
}

TEST_F(ApiTest, RoleTooLowIsRefusedBeforeTheBodyIsRead) {
  http::Request request =
      MakeRequest(http::Method::kPost, V1("/clusters/None/backup/tenant/restore"));
  request.headers.emplace_back("authorization",
                               "Bearer " + TokenWith(domain::Role::kGroupReadOnly));
  request.body = "{";
  const auto response = api_->Handle(request);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(CodeOf(response), "USER_UNAUTHORIZED");
  EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "");
  EXPECT_EQ(HeaderOf(response, "X-Error-Code"), "USER_UNAUTHORIZED");
}

TEST_F(ApiTest, TooLargeBodyIs413) {
  http::Request request = MakeOwnerRequest(http::Method::kPost, Own("/clusters"));
  request.body_too_large = true;
  EXPECT_EQ(CodeOf(api_->Handle(request)), "PAYLOAD_TOO_LARGE");
}

TEST_F(ApiTest, BadSwitchIsAnInvalidQueryParameter) {
  const auto response = Get(V2("?envelope=yes"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, testing::HasSubstr("\"parameters\":[\"envelope\"]"));
}

TEST_F(ApiTest, EnvelopeWrapsErrorsToo) {
  const auto body = BodyOf(Get("/api/atlas/v2/groups/nonsense?envelope=true"));
  EXPECT_EQ(body.at("status").as_int64(), 404);
  EXPECT_EQ(body.at("content").at("errorCode").as_string(), "INVALID_GROUP_ID");
}

TEST_F(ApiTest, SystemStatusOfAServiceAccountHasNoKey) {
  const auto response = Get("/api/atlas/v2");
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2023-01-01+json;charset=utf-8");
  EXPECT_TRUE(BodyOf(response).at("apiKey").is_null());
}

TEST_F(ApiTest, GroupsListsReachableProjects) {
  const auto body = BodyOf(Get("/api/atlas/v2/groups"));
  EXPECT_EQ(body.at("totalCount").as_int64(), 1);
  EXPECT_EQ(body.at("results").at(0).at("id").as_string(), Group());
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(),
            "http://backup.example:8080/api/atlas/v2/groups?includeCount=true&pageNum=1"
            "&itemsPerPage=100");
}

TEST_F(ApiTest, TenantRestoreHasExactlyTheMembersOfTheSeed) {
  const auto cluster = AddCluster("Cluster0");
  const auto job = AddRestore(cluster, cluster);
  const std::string path = "/clusters/Cluster0/backup/tenant/restores/" + job.id.ToString();
  const auto response = Get(V1(path));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "application/json");
  const auto body = BodyOf(response);
  EXPECT_THAT(MembersOf(body),
              ElementsAre("clusterName",
                          "deliveryType",
                          "expirationDate",
                          "id",
                          "links",
                          "projectId",
                          "restoreScheduledDate",
                          "snapshotFinishedDate",
                          "snapshotId",
                          "status",
                          "targetDeploymentItemName",
                          "targetProjectId"));
  EXPECT_EQ(body.at("expirationDate").as_string(), "2026-11-25T14:00:00Z");
  EXPECT_EQ(body.at("status").as_string(), "PENDING");
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(), "http://backup.example:8080" + V1(path));
}

TEST_F(ApiTest, TenantRestoreOfV2NamesTheResolvedVersion) {
  const auto cluster = AddCluster("Cluster0");
  const auto job = AddRestore(cluster, cluster);
  const auto response = Get(V2("/clusters/Cluster0/backup/tenant/restores/" + job.id.ToString()));
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2023-01-01+json;charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "Wed, 13 Nov 2024 00:00:00 GMT");
  EXPECT_EQ(HeaderOf(response, "Sunset"), "");
}

TEST_F(ApiTest, UnknownMalformedAndForeignRestoresAreNotFound) {
  const auto source = AddCluster("Cluster0");
  const auto other = AddCluster("Other");
  const auto job = AddRestore(source, other);
  for (const std::string& id :
       {std::string("0123456789abcdef01234567"), std::string("nonsense"), job.id.ToString()}) {
    const auto response = Get(V2("/clusters/Other/backup/tenant/restores/" + id));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(CodeOf(response), "TENANT_RESTORE_NOT_FOUND");
    EXPECT_THAT(response.body, testing::HasSubstr("[\"" + id + "\",\"Other\"]"));
  }
}

TEST_F(ApiTest, UnknownAndImpossibleClusterNamesAreNotFound) {
  for (const std::string& name : {"None", "-x", "%ff"}) {
    const auto response = Get(V2("/clusters/" + name + "/backup/tenant/restores"));
    EXPECT_EQ(response.status, 404) << name;
    EXPECT_EQ(CodeOf(response), "CLUSTER_NOT_FOUND");
  }
  EXPECT_EQ(BodyOf(Get(V2("/clusters/None/backup/tenant/restores"))).at("detail").as_string(),
            "No cluster named None exists in group " + Group() + ".");
}

TEST_F(ApiTest, TenantRestoresAreListedNewestFirstInPages) {
  const auto source = AddCluster("Cluster0");
  const auto first = AddRestore(source, AddCluster("A"));
  clock_.Advance(std::chrono::minutes(1));
  const auto second = AddRestore(source, AddCluster("B"));
  const auto body = BodyOf(Get(V2("/clusters/Cluster0/backup/tenant/restores?itemsPerPage=1")));
  EXPECT_EQ(body.at("totalCount").as_int64(), 2);
  EXPECT_EQ(body.at("results").at(0).at("id").as_string(), second.id.ToString());
  EXPECT_EQ(body.at("links").at(1).at("rel").as_string(), "next");
  const auto beyond = BodyOf(Get(V2("/clusters/Cluster0/backup/tenant/restores?pageNum=9")));
  EXPECT_TRUE(beyond.at("results").as_array().empty());
}

TEST_F(ApiTest, TenantRestorePostChecksTheBodyBeforeTheCluster) {
  const std::string path = V2("/clusters/None/backup/tenant/restore");
  EXPECT_EQ(CodeOf(Post(path, "{")), "MALFORMED_JSON");
  EXPECT_EQ(CodeOf(Post(path, "{\"nonsense\":1}")), "INVALID_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Post(path, "{\"status\":\"x\"}")), "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Post(path, "")), "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Post(path, "{\"snapshotId\":\"x\",\"targetDeploymentItemName\":\"T\"}")),
            "VALIDATION_ERROR");
  EXPECT_EQ(CodeOf(Post(path,
                        "{\"snapshotId\":\"0123456789abcdef01234567\","
                        "\"targetDeploymentItemName\":\"T\"}")),
            "CLUSTER_NOT_FOUND");
}

TEST_F(ApiTest, TenantRestorePostOfAnUnknownSnapshotIsNotFound) {
  AddCluster("Cluster0");
  const auto response = Post(V1("/clusters/Cluster0/backup/tenant/restore"),
                             "{\"snapshotId\":\"0123456789abcdef01234567\","
                             "\"targetDeploymentItemName\":\"Cluster0\"}");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(CodeOf(response), "TENANT_SNAPSHOT_NOT_FOUND");
}

TEST_F(ApiTest, OtherMediaTypesAreRefused) {
  http::Request request =
      MakeOwnerRequest(http::Method::kPost, V2("/clusters/None/backup/tenant/restore"));
  request.headers.emplace_back("content-type", "text/plain");
  request.body = "{}";
  EXPECT_EQ(api_->Handle(request).status, 415);
}

TEST_F(ApiTest, TenantSnapshotsAreToldOfReplicaSetsOnly) {
  const auto snapshot = AddSnapshot(AddCluster("Cluster0"));
  const auto body =
      BodyOf(Get(V2("/clusters/Cluster0/backup/tenant/snapshots/" + snapshot.id.ToString())));
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("expiration", "id", "links", "scheduledTime", "status"));
  const auto sharded = AddCluster("Sharded", domain::Topology::kSharded);
  const auto hidden = AddSnapshot(sharded);
  EXPECT_EQ(
      BodyOf(Get(V2("/clusters/Sharded/backup/tenant/snapshots"))).at("totalCount").as_int64(), 0);
  EXPECT_EQ(CodeOf(Get(V2("/clusters/Sharded/backup/tenant/snapshots/" + hidden.id.ToString()))),
            "TENANT_SNAPSHOT_NOT_FOUND");
}

TEST_F(ApiTest, LegacyRestoreAnswersHttpAndItsTarget) {
  const auto source = AddCluster("Cluster0");
  const auto target = AddCluster("Target");
  const auto job = AddRestore(source, target);
  const auto response = Get(V2("/clusters/Cluster0/restoreJobs/" + job.id.ToString()));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "Sun, 1 Jan 2023 00:00:00 GMT");
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("statusName").as_string(), "IN_PROGRESS");
  EXPECT_EQ(body.at("delivery").at("methodName").as_string(), "HTTP");
  EXPECT_EQ(body.at("delivery").at("statusName").as_string(), "NOT_STARTED");
  EXPECT_EQ(body.at("delivery").at("targetClusterId").as_string(), target.id.ToString());
  EXPECT_EQ(body.at("timestamp").at("date").as_string(), "2023-11-14T22:13:20Z");
  EXPECT_EQ(body.at("timestamp").at("increment").as_int64(), 3);
  EXPECT_FALSE(body.contains("pointInTime"));
}

TEST_F(ApiTest, LegacyRestoreOfV1HasPointInTimeAndStandsInForAMissingOplog) {
  const auto source = AddCluster("Cluster0");
  const auto job = AddRestore(source, source, {});
  const auto body = BodyOf(Get(V1("/clusters/Cluster0/restoreJobs/" + job.id.ToString())));
  EXPECT_FALSE(body.at("pointInTime").as_bool());
  EXPECT_EQ(body.at("timestamp").at("date").as_string(), "2026-11-25T09:00:00Z");
  EXPECT_EQ(body.at("timestamp").at("increment").as_int64(), 0);
}

TEST_F(ApiTest, LegacyRestoreTellsMalformedFromUnknownIds) {
  AddCluster("Cluster0");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/Cluster0/restoreJobs/nonsense"))), "INVALID_JOB_ID");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/Cluster0/restoreJobs/0123456789abcdef01234567"))),
            "RESTORE_JOB_NOT_FOUND");
}

TEST_F(ApiTest, ClusterIsRegisteredWithoutShowingItsConnectionString) {
  const auto response = Post(Own("/clusters"),
                             "{\"name\":\"Cluster0\",\"tier\":\"flex\",\"paused\":true,"
                             "\"connectionString\":\"mongodb://u:secret@127.0.0.1:1/\"}");
  EXPECT_EQ(response.status, 201);
  EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("secret")));
  const auto body = BodyOf(Get(Own("/clusters/Cluster0")));
  EXPECT_EQ(body.at("tier").as_string(), "flex");
  EXPECT_TRUE(body.at("paused").as_bool());
  EXPECT_EQ(CodeOf(Post(Own("/clusters"),
                        "{\"name\":\"Cluster0\",\"connectionString\":\"mongodb://127.0.0.1:1/\"}")),
            "NAME_TAKEN");
}

TEST_F(ApiTest, ClusterGetsAnotherConnectionStringAndKeepsWhatIsNotNamed) {
  Post(
      Own("/clusters"),
      R"({"name": "Cluster0", "paused": true, "connectionString": "mongodb://u:old@127.0.0.1:1/"})");
  const std::string path = Own("/clusters/Cluster0");
  ASSERT_EQ(Patch(path + "/scratchTarget", R"({"scratchTarget": true})").status, 200);
  EXPECT_TRUE(BodyOf(Get(path)).at("scratchTarget").as_bool());
  const auto changed = Patch(path, R"({"connectionString": "mongodb://u:new@127.0.0.1:2/"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_THAT(changed.body, testing::Not(testing::HasSubstr("new")));
  EXPECT_TRUE(BodyOf(changed).at("paused").as_bool());
  EXPECT_FALSE(BodyOf(changed).at("scratchTarget").as_bool());
  EXPECT_THAT(Get(V2("/clusters/Cluster0")).body, testing::HasSubstr("127.0.0.1:2"));
  const auto resumed = Patch(path, R"({"paused": false, "allowLossy": true})");
  EXPECT_FALSE(BodyOf(resumed).at("paused").as_bool());
  EXPECT_TRUE(BodyOf(resumed).at("allowLossy").as_bool());
}

TEST_F(ApiTest, ImpossibleChangesOfAClusterAreRefused) {
  const auto cluster = AddCluster("Cluster0");
  const std::string path = Own("/clusters/Cluster0");
  const auto patch = [&](const std::string& body) { return CodeOf(Patch(path, body)); };
  EXPECT_EQ(patch(R"({"connectionString": "nonsense"})"), "VALIDATION_ERROR");
  EXPECT_EQ(patch(R"({"connectionString": ""})"), "VALIDATION_ERROR");
  EXPECT_EQ(patch(R"({"connectionString": null})"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(patch(R"({"name": "Cluster1"})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(patch(R"({"tier": "flex"})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Patch(Own("/clusters/Cluster1"), "{}")), "CLUSTER_NOT_FOUND");
  EXPECT_EQ(Patch(path, "{}").status, 200);
  EXPECT_EQ(store_->FindCluster(cluster.id).value().connection_string.Reveal(),
            cluster.connection_string.Reveal());
}

TEST_F(ApiTest, UnregisteredClusterStaysReachableByIdInOurOwnApi) {
  const auto cluster = AddCluster("Cluster0");
  EXPECT_EQ(Delete(Own("/clusters/Cluster0")).status, 204);
  EXPECT_EQ(Get(Own("/clusters/Cluster0")).status, 404);
  EXPECT_EQ(Get(Own("/clusters/" + cluster.id.ToString() + "/snapshots")).status, 200);
  EXPECT_EQ(CodeOf(Get(V2("/clusters/Cluster0/backup/tenant/snapshots"))), "CLUSTER_NOT_FOUND");
}

TEST_F(ApiTest, SnapshotIsTakenWithItsDescription) {
  AddCluster("Cluster0");
  const auto response =
      Post(Own("/clusters/Cluster0/snapshots"), "{\"description\":\"before the upgrade\"}");
  EXPECT_EQ(response.status, 201);
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("description").as_string(), "before the upgrade");
  EXPECT_EQ(body.at("state").as_string(), "PENDING");
  const std::string path =
      Own("/clusters/Cluster0/snapshots/") + std::string(body.at("id").as_string());
  EXPECT_TRUE(BodyOf(Get(path)).contains("progress"));
  EXPECT_EQ(CodeOf(Delete(path)), "CLUSTER_BUSY");
}

TEST_F(ApiTest, KeyShowsItsSecretOnceAndCanBeRevoked) {
  const auto made = BodyOf(Post("/api/tidemark/v1/keys",
                                "{\"kind\":\"apiKey\",\"description\":\"ci\",\"roles\":[{"
                                "\"roleName\":\"GROUP_OWNER\",\"projectId\":\"" +
                                    Group() + "\"}]}"));
  EXPECT_EQ(made.at("privateKey").as_string().size(), 36U);
  EXPECT_EQ(made.at("roles").at(0).at("projectId").as_string(), Group());
  EXPECT_THAT(Get("/api/tidemark/v1/keys").body, testing::Not(testing::HasSubstr("privateKey")));
  const std::string path = "/api/tidemark/v1/keys/" + std::string(made.at("id").as_string());
  EXPECT_EQ(Delete(path).status, 204);
  EXPECT_EQ(CodeOf(Delete(path)), "KEY_NOT_FOUND");
}

TEST_F(ApiTest, KeyRolesAreChecked) {
  const std::string head = "{\"kind\":\"apiKey\",\"roles\":[";
  EXPECT_EQ(CodeOf(Post("/api/tidemark/v1/keys", head + "1]}")), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Post("/api/tidemark/v1/keys", head + "{\"roleName\":\"KING\"}]}")),
            "VALIDATION_ERROR");
  EXPECT_EQ(CodeOf(Post("/api/tidemark/v1/keys", head + "{\"roleName\":\"GROUP_OWNER\"}]}")),
            "VALIDATION_ERROR");
}

TEST_F(ApiTest, ProjectIsDeletedOnceNothingUsesIt) {
  const domain::Cluster cluster = AddCluster("Cluster0");
  const std::string path = "/api/tidemark/v1/projects/" + Group();
  const http::Response refused = Delete(path);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(CodeOf(refused), "PROJECT_IN_USE");
  EXPECT_EQ(BodyOf(refused).at("detail").as_string(),
            "Project " + Group() + " has registered clusters or unfinished jobs.");
  store_->RemoveCluster(cluster.id, clock_.Now());
  EXPECT_EQ(Delete(path).status, 204);
  EXPECT_EQ(CodeOf(Delete(path)), "GROUP_NOT_FOUND");
  EXPECT_EQ(BodyOf(Get("/api/tidemark/v1/projects")).at("totalCount").as_int64(), 0);
}

TEST_F(ApiTest, ProjectIsNotDeletedByItsOwner) {
  http::Request request =
      MakeRequest(http::Method::kDelete, "/api/tidemark/v1/projects/" + Group());
  request.headers.emplace_back("authorization", "Bearer " + TokenWith(domain::Role::kGroupOwner));
  EXPECT_EQ(CodeOf(api_->Handle(request)), "USER_UNAUTHORIZED");
}

TEST_F(ApiTest, KeysAndProjectsAreForOrganizationOwners) {
  const std::string token = TokenWith(domain::Role::kGroupOwner);
  EXPECT_EQ(CodeOf(GetAs(token, "/api/tidemark/v1/keys")), "USER_UNAUTHORIZED");
  EXPECT_EQ(BodyOf(GetAs(token, "/api/tidemark/v1/projects")).at("totalCount").as_int64(), 1);
  EXPECT_EQ(Post("/api/tidemark/v1/projects", "{\"name\":\"Second\"}").status, 201);
  EXPECT_EQ(CodeOf(Post("/api/tidemark/v1/projects", "{\"name\":\"Second\"}")), "NAME_TAKEN");
}

}  // namespace tidemark::api
