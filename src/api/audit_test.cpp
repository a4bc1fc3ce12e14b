// Who did what, as the edge writes it down.
#include <set>

#include <boost/json/serialize.hpp>

#include "api/internal/audit_trail.h"
#include "api/internal/routes.h"
#include "tests/support/api_fixture.h"
#include "tests/support/raw_catalog.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;

class Audit : public ApiFixture {
 protected:
  http::Response PostAs(const std::string& token,
                        const std::string& target,
                        const std::string& body) {
    http::Request request = MakeRequest(http::Method::kPost, target);
    request.remote_address = "192.0.2.7";
    request.headers.emplace_back("authorization", "Bearer " + token);
    request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    return api_->Handle(request);
  }

  boost::json::array Rows(const std::string& query = "") {
    return BodyOf(Get("/api/tidemark/v1/audit" + query)).at("results").as_array();
  }

  boost::json::object Newest() { return Rows().at(0).as_object(); }

  bool Damage(const std::string& sql) {
    return catalog::RunRawSql(directory_ / "catalog.sqlite", sql);
  }

  // From then on no row can be written.
  void BreakAudit() { ASSERT_TRUE(Damage("ALTER TABLE audit RENAME TO gone")); }
};

TEST(Operations, EveryRouteHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Route& route : Routes()) {
    EXPECT_FALSE(route.operation.empty()) << route.pattern;
    EXPECT_TRUE(names.insert(route.operation).second) << route.operation << " stands for two";
  }
}

TEST(RefusalBudget, RefillsWithTime) {
  RefusalBudget budget;
  Instant now{std::chrono::seconds{1'700'000'000}};
  for (std::int64_t i = 0; i < RefusalBudget::kBurst; ++i) {
    EXPECT_TRUE(budget.Take(now));
  }
  EXPECT_FALSE(budget.Take(now));
  now += std::chrono::seconds{2};
  EXPECT_TRUE(budget.Take(now));
  EXPECT_TRUE(budget.Take(now));
  EXPECT_FALSE(budget.Take(now));
  now -= std::chrono::hours{5};  // a clock that is set back gives nothing, and takes nothing
  EXPECT_FALSE(budget.Take(now));
  EXPECT_TRUE(budget.Take(now + std::chrono::seconds{1}));
}

TEST_F(Audit, ChangeHasARowBeforeAndARowBehindIt) {
  AddCluster("Cluster0");
  const auto made = BodyOf(PostAs(token_, Own("/clusters/Cluster0/snapshots"), "{}"));
  const auto row = Newest();
  EXPECT_EQ(row.at("actor").as_string(), account_.key.public_name);
  EXPECT_EQ(row.at("operation"), "createSnapshot");
  EXPECT_EQ(row.at("projectId").as_string(), Group());
  EXPECT_EQ(row.at("clusterName"), "Cluster0");
  EXPECT_EQ(row.at("objectId"), made.at("id"));
  EXPECT_EQ(row.at("remoteAddress"), "192.0.2.7");
  EXPECT_EQ(row.at("requestId"), "0123456789abcdef");
  EXPECT_EQ(row.at("status"), 201);
  EXPECT_EQ(row.at("at"), "2026-11-25T10:00:00Z");
  EXPECT_FALSE(row.contains("errorCode"));
  EXPECT_EQ(row.at("begun").as_int64() + 1, row.at("number").as_int64());
}

TEST_F(Audit, ReadsLeaveNoRow) {
  Get(Own("/clusters"));
  Get(Own("/clusters/nothing"));
  EXPECT_TRUE(Rows().empty());
}

TEST_F(Audit, AtlasOperationHasItsAtlasName) {
  AddCluster("Cluster0");
  const auto response = Post(V1("/clusters/Cluster0/backup/tenant/restore"),
                             R"({"snapshotId":"0123456789abcdef01234567",
                                 "targetDeploymentItemName":"Cluster0","targetProjectId":")" +
                                 Group() + R"("})");
  EXPECT_EQ(response.status, 404);
  const auto row = Newest();
  EXPECT_EQ(row.at("operation"), "createGroupClusterBackupTenantRestore");
  EXPECT_EQ(row.at("status"), 404);
  EXPECT_EQ(row.at("errorCode"), "TENANT_SNAPSHOT_NOT_FOUND");
}

TEST_F(Audit, RefusedRightIsARow) {
  AddCluster("Cluster0");
  PostAs(TokenWith(domain::Role::kGroupReadOnly), Own("/clusters/Cluster0/snapshots"), "{}");
  const auto row = Newest();
  EXPECT_EQ(row.at("status"), 401);
  EXPECT_EQ(row.at("errorCode"), "USER_UNAUTHORIZED");
  EXPECT_EQ(row.at("operation"), "createSnapshot");
  EXPECT_EQ(row.at("projectId").as_string(), Group());
  EXPECT_FALSE(row.contains("begun"));
}

TEST_F(Audit, FirstRequestOfADigestClientIsNoRefusal) {
  api_->Handle(MakeRequest(http::Method::kPost, Own("/clusters")));
  EXPECT_TRUE(Rows().empty());
}

TEST_F(Audit, WrongCredentialsNameTheKeyOnlyWhenThereIsOne) {
  const http::Request first = MakeRequest(http::Method::kPost, Own("/clusters"));
  const std::string challenge = HeaderOf(api_->Handle(first), "WWW-Authenticate");
  const std::size_t at = challenge.find("nonce=\"") + 7;
  const std::string nonce = challenge.substr(at, challenge.find('"', at) - at);
  for (const std::string& name : {first_.key.key.public_name, std::string("canary-in-the-name")}) {
    http::Request request = first;
    request.headers.emplace_back(
        "authorization",
        "Digest username=\"" + name + "\", realm=\"MMS Public API\", nonce=\"" + nonce +
            "\", uri=\"" + request.target + "\", response=\"" + std::string(32, '0') +
            "\", algorithm=\"MD5\", qop=auth, nc=00000001, cnonce=\"MTIzNDU2Nzg=\"");
    EXPECT_EQ(api_->Handle(request).status, 401);
  }
  const auto rows = Rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.at(0).at("actor"), "anonymous");
  EXPECT_EQ(rows.at(1).at("actor").as_string(), first_.key.key.public_name);
  EXPECT_EQ(rows.at(1).at("operation"), "createCluster");
}

TEST_F(Audit, RefusalsAreBoundedAndCounted) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(PostAs("nobody's token", Own("/clusters"), "{}").status, 401);
  }
  EXPECT_EQ(Rows().size(), 60U);
  // Strangers push no refusal of a known key out.
  PostAs(TokenWith(domain::Role::kGroupReadOnly), Own("/clusters"), "{}");
  EXPECT_EQ(Newest().at("errorCode"), "USER_UNAUTHORIZED");
  EXPECT_EQ(Newest().at("skipped"), 40);
}

TEST_F(Audit, WithoutItsRowNothingIsChanged) {
  AddCluster("Cluster0");
  BreakAudit();
  EXPECT_GE(Post(Own("/clusters/Cluster0/snapshots"), "{}").status, 500);
  EXPECT_EQ(BodyOf(Get(Own("/clusters/Cluster0/snapshots"))).at("totalCount"), 0);
}

TEST_F(Audit, TokensAreRows) {
  http::Request request = MakeRequest(http::Method::kPost, "/api/oauth/token");
  const std::string pair = account_.key.public_name + ":" + account_.secret.Reveal();
  request.headers.emplace_back("authorization", "Basic " + Base64Encode(AsBytes(pair)));
  request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  request.body = "grant_type=client_credentials";
  EXPECT_EQ(api_->Handle(request).status, 200);
  EXPECT_EQ(Newest().at("operation"), "issueToken");
  EXPECT_EQ(Newest().at("actor").as_string(), account_.key.public_name);
  EXPECT_EQ(Newest().at("status"), 200);
  const std::string swapped = account_.secret.Reveal() + ":" + account_.key.public_name;
  request.headers[1].second = "Basic " + Base64Encode(AsBytes(swapped));
  EXPECT_EQ(api_->Handle(request).status, 401);
  EXPECT_EQ(Newest().at("actor"), "anonymous");
  EXPECT_EQ(Newest().at("status"), 401);
}

TEST_F(Audit, TokenIsNotGivenWithoutARow) {
  BreakAudit();
  http::Request request = MakeRequest(http::Method::kPost, "/api/oauth/token");
  const std::string pair = account_.key.public_name + ":" + account_.secret.Reveal();
  request.headers.emplace_back("authorization", "Basic " + Base64Encode(AsBytes(pair)));
  request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  request.body = "grant_type=client_credentials";
  const http::Response response = api_->Handle(request);
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("access_token"), std::string::npos);
}

// Secrets where they belong, and where a slip of the hand puts them.
TEST_F(Audit, NoSecretIsInARow) {
  const std::string canary = "canary0123456789";
  Post(Own("/clusters"),
       R"({"name":"Secret","connectionString":"mongodb://u:)" + canary + R"(@127.0.0.1:1/"})");
  Post(Own("/clusters"), R"({"name":"Bad","connectionString":")" + canary + R"("})");
  Post(Own("/clusters"), R"({")" + canary + R"(":1})");
  Post(Own("/clusters/" + canary + "/snapshots"), R"({"description":")" + canary + R"("})");
  Post(Own("/clusters/" + canary + "!/snapshots"), "{}");
  Delete("/api/tidemark/v1/keys/" + canary);
  Post("/api/tidemark/v1/" + canary, "{}");
  PostAs(canary, Own("/clusters"), "{}");
  const auto key =
      BodyOf(Post("/api/tidemark/v1/keys",
                  R"({"kind":"apiKey","roles":[{"roleName":"GROUP_OWNER","projectId":")" + Group() +
                      R"("}]})"));
  const std::string log = boost::json::serialize(Rows());
  EXPECT_EQ(Rows().size(), 9U);
  EXPECT_NE(log.find("createKey"), std::string::npos);
  EXPECT_NE(log.find("unknownOperation"), std::string::npos);
  EXPECT_EQ(log.find(std::string(key.at("privateKey").as_string())), std::string::npos);
  // The cluster's name of that path could have been one, and is what was asked for.
  std::size_t named = 0;
  for (std::size_t found = log.find(canary); found != std::string::npos;
       found = log.find(canary, found + 1)) {
    EXPECT_EQ(log.substr(found - 15, 15), R"("clusterName":")");
    ++named;
  }
  EXPECT_EQ(named, 1U);
}

TEST_F(Audit, ProjectShowsItsOwnRowsOnly) {
  AddCluster("Cluster0");
  Post(Own("/clusters/Cluster0/snapshots"), "{}");
  Post("/api/tidemark/v1/projects", R"({"name":"Other"})");
  EXPECT_EQ(Rows().size(), 2U);
  const auto mine = BodyOf(Get(Own("/audit")));
  EXPECT_EQ(mine.at("totalCount"), 1);
  EXPECT_EQ(mine.at("results").at(0).at("operation"), "createSnapshot");
}

TEST_F(Audit, OwnersReadItOnly) {
  const std::string backup = TokenWith(domain::Role::kGroupBackupManager);
  EXPECT_EQ(GetAs(backup, Own("/audit")).status, 401);
  const std::string owner = TokenWith(domain::Role::kGroupOwner);
  EXPECT_EQ(GetAs(owner, Own("/audit")).status, 200);
  EXPECT_EQ(GetAs(owner, "/api/tidemark/v1/audit").status, 401);
  EXPECT_EQ(GetAs(owner, "/api/tidemark/v1/audit/verification").status, 401);
}

TEST_F(Audit, IsFilteredAndTheLinksKeepTheFilter) {
  AddCluster("Cluster0");
  for (int i = 0; i < 3; ++i) {
    Post(Own("/clusters/Cluster0/snapshots"), "{}");
    clock_.Advance(std::chrono::minutes{1});
  }
  Post("/api/tidemark/v1/projects", R"({"name":"Other"})");
  EXPECT_EQ(Rows("?operation=createProject").size(), 1U);
  EXPECT_EQ(Rows("?actor=nobody").size(), 0U);
  EXPECT_EQ(Rows("?since=2026-11-25T10:01:00Z&until=2026-11-25T10:02:00Z").size(), 1U);
  EXPECT_EQ(Rows("?since=2026-11-25T12:01:00%2B02:00&until=2026-11-25T10:02:00").size(), 1U);
  const auto page = BodyOf(
      Get("/api/tidemark/v1/audit?operation=createSnapshot&since=2026-11-25T10:00:00Z&itemsPerPage="
          "2"));
  EXPECT_EQ(page.at("totalCount"), 3);
  EXPECT_EQ(
      page.at("links").at(1).at("href"),
      "http://backup.example:8080/api/tidemark/v1/audit?includeCount=true&since=2026-11-25T10%3a00%"
      "3a00Z&operation=createSnapshot&itemsPerPage=2&pageNum=2");
  for (const char* bad : {"?since=yesterday", "?until=1", "?actor=", "?since="}) {
    EXPECT_EQ(Get("/api/tidemark/v1/audit" + std::string(bad)).status, 400) << bad;
  }
}

TEST_F(Audit, VerificationTellsWhereItIsBroken) {
  AddCluster("Cluster0");
  Post(Own("/clusters/Cluster0/snapshots"), "{}");
  const std::string path = "/api/tidemark/v1/audit/verification";
  const auto sound = BodyOf(Get(path));
  EXPECT_EQ(sound.at("intact"), true);
  EXPECT_EQ(sound.at("rows"), 2);
  EXPECT_EQ(sound.at("hash"), Newest().at("hash"));
  const std::string hash(sound.at("hash").as_string());
  EXPECT_EQ(BodyOf(Get(path + "?number=2&hash=" + hash)).at("intact"), true);
  EXPECT_EQ(BodyOf(Get(path + "?number=3&hash=" + hash)).at("brokenAt"), 3);
  for (const char* bad : {"?number=2", "?hash=abc", "?number=x&hash=abc", "?number=0&hash=abc"}) {
    EXPECT_EQ(Get(path + bad).status, 400) << bad;
  }
  ASSERT_TRUE(Damage("DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 'x'"));
  EXPECT_EQ(BodyOf(Get(path)).at("brokenAt"), 1);
}

}  // namespace
}  // namespace tidemark::api
