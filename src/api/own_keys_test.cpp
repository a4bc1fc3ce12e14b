#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

const std::string kKeys = "/api/tidemark/v1/keys";
const std::string kOrganizations = "/api/tidemark/v1/orgs";

class OwnKeysTest : public ApiFixture {
 protected:
  static std::string Text(const json::object& body, std::string_view name) {
    return std::string(body.at(name).as_string());
  }

  std::string Role(const std::string& name) const {
    const bool wide = name.starts_with("ORG_");
    return R"({"roleName":")" + name + R"(",")" + (wide ? "orgId" : "projectId") + R"(":")" +
           (wide ? first_.organization.id.ToString() : Group()) + R"("})";
  }

  // The answer to the creation of a service account with that role and whatever else.
  json::object MakeAccount(const std::string& role, const std::string& more = {}) {
    const auto made = Post(
        kKeys,
        R"({"kind":"serviceAccount","description":"ci","roles":[)" + Role(role) + "]" + more + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return BodyOf(made);
  }

  std::string TokenOf(const json::object& account, const std::string& secret) {
    const auto token = access_->IssueToken(Text(account, "clientId"), secret);
    return token ? token->Reveal() : "";
  }
};

}  // namespace

TEST_F(OwnKeysTest, KeyIsMadeShownChangedAndRevoked) {
  const json::object made = MakeAccount("GROUP_OWNER", R"(,"accessList":["192.0.2.0/24","::1"])");
  const std::string path = kKeys + "/" + Text(made, "id");
  const std::string token = TokenOf(made, Text(made, "clientSecret"));
  json::object shown = BodyOf(Get(path));
  EXPECT_FALSE(shown.contains("clientSecret"));
  EXPECT_EQ(shown.at("accessList"), (json::array{"192.0.2.0/24", "::1/128"}));
  const auto changed = Patch(
      path, R"({"description":"new","accessList":[],"roles":[)" + Role("GROUP_READ_ONLY") + "]}");
  ASSERT_EQ(changed.status, 200) << changed.body;
  shown = BodyOf(Get(path));
  EXPECT_EQ(BodyOf(changed), shown);
  EXPECT_EQ(Text(shown, "description"), "new");
  EXPECT_EQ(shown.at("accessList"), json::array());
  EXPECT_EQ(shown.at("roles").at(0).at("roleName").as_string(), "GROUP_READ_ONLY");
  // The token that exists has the new roles at once.
  EXPECT_EQ(GetAs(token, V1("")).status, 200);
  EXPECT_EQ(GetAs(token, Own("/audit")).status, 401);
  EXPECT_EQ(Delete(path).status, 204);
  EXPECT_EQ(GetAs(token, V1("")).status, 401);
  EXPECT_TRUE(BodyOf(Get(path)).contains("revoked"));
  EXPECT_EQ(CodeOf(Patch(path, "{}")), "KEY_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(kKeys + "/nonsense")), "KEY_NOT_FOUND");
}

TEST_F(OwnKeysTest, BadRequestsSayWhatIsWrong) {
  const auto refused = [&](const std::string& more) {
    const auto response =
        Post(kKeys, R"({"kind":"apiKey","roles":[])" + (more.empty() ? "" : "," + more) + "}");
    return response.status == 201 ? "made" : CodeOf(response);
  };
  EXPECT_EQ(refused(""), "made");
  EXPECT_EQ(refused(R"("accessList":["192.0.2.1/24"])"), "VALIDATION_ERROR");
  EXPECT_EQ(refused(R"("accessList":[7])"), "VALIDATION_ERROR");
  EXPECT_EQ(refused(R"("secretExpiresAfterHours":8)"), "VALIDATION_ERROR");  // of an API key
  EXPECT_EQ(refused(R"("description":")" + std::string(251, 'x') + "\""), "VALIDATION_ERROR");
  std::string many = R"("accessList":["192.0.2.1")";
  for (int i = 0; i < 200; ++i) {
    many += R"(,"192.0.2.1")";
  }
  EXPECT_EQ(refused(many + "]"), "VALIDATION_ERROR");
  EXPECT_EQ(
      CodeOf(Post(kKeys, R"({"kind":"serviceAccount","roles":[],"secretExpiresAfterHours":0})")),
      "VALIDATION_ERROR");
}

TEST_F(OwnKeysTest, NobodyShutsHimselfOut) {
  const std::string path = kKeys + "/" + account_.key.id.ToString();
  http::Request request =
      MakeOwnerRequest(http::Method::kPatch, path, R"({"accessList":["192.0.2.0/24"]})");
  request.remote_address = "198.51.100.1";
  EXPECT_EQ(CodeOf(api_->Handle(request)), "VALIDATION_ERROR");
  request.remote_address = "192.0.2.9";
  EXPECT_EQ(api_->Handle(request).status, 200);
}

TEST_F(OwnKeysTest, SecretsAreRotated) {
  const json::object made = MakeAccount("GROUP_READ_ONLY", R"(,"secretExpiresAfterHours":8)");
  const std::string path = kKeys + "/" + Text(made, "id") + "/secrets";
  const std::string old_token = TokenOf(made, Text(made, "clientSecret"));
  clock_.Advance(std::chrono::seconds(1));
  const auto added = Post(path, R"({"secretExpiresAfterHours":720})");
  ASSERT_EQ(added.status, 201) << added.body;
  const std::string second = Text(BodyOf(added), "clientSecret");
  EXPECT_TRUE(second.ends_with(Text(BodyOf(added), "ending")));
  EXPECT_EQ(Text(BodyOf(added), "expires"), "2026-12-25T10:00:01Z");
  EXPECT_EQ(CodeOf(Post(path, "{}")), "TOO_MANY_SECRETS");
  const json::object list = BodyOf(Get(path));
  EXPECT_EQ(list.at("totalCount").as_int64(), 2);
  EXPECT_EQ(json::serialize(list).find(second), std::string::npos);
  const std::string new_token = TokenOf(made, second);
  const std::string first = path + "/" + Text(list.at("results").at(0).as_object(), "id");
  EXPECT_EQ(Delete(first).status, 204);
  EXPECT_EQ(CodeOf(Delete(first)), "SECRET_NOT_FOUND");
  EXPECT_EQ(GetAs(old_token, V1("")).status, 401);
  EXPECT_EQ(TokenOf(made, Text(made, "clientSecret")), "");
  EXPECT_EQ(GetAs(new_token, V1("")).status, 200);
  const std::string api_key = kKeys + "/" + first_.key.key.id.ToString() + "/secrets";
  EXPECT_EQ(CodeOf(Get(api_key)), "VALIDATION_ERROR");
}

TEST_F(OwnKeysTest, TokenLivesNoLongerThanItsSecret) {
  const json::object made = MakeAccount("GROUP_READ_ONLY", R"(,"secretExpiresAfterHours":1)");
  clock_.Advance(std::chrono::minutes(50));
  const auto client = access_->FindClient(Text(made, "clientId"), Text(made, "clientSecret"));
  ASSERT_TRUE(client.has_value());
  const auto token = access_->IssueToken(*client);
  EXPECT_EQ(token.life, std::chrono::minutes(10));
  clock_.Advance(std::chrono::minutes(10));
  EXPECT_EQ(GetAs(token.token.Reveal(), V1("")).status, 401);
  EXPECT_EQ(TokenOf(made, Text(made, "clientSecret")), "");
}

TEST_F(OwnKeysTest, LastOwnerStays) {
  EXPECT_EQ(Delete(kKeys + "/" + first_.key.key.id.ToString()).status, 204);
  const std::string last = kKeys + "/" + account_.key.id.ToString();
  EXPECT_EQ(CodeOf(Delete(last)), "CANNOT_REMOVE_LAST_ORG_OWNER");
  EXPECT_EQ(CodeOf(Patch(last, R"({"roles":[]})")), "CANNOT_REMOVE_LAST_ORG_OWNER");
  EXPECT_EQ(Patch(last, R"({"description":"the last one"})").status, 200);
}

TEST_F(OwnKeysTest, OrganizationsAreBounded) {
  for (std::size_t i = 1; i < domain::kMaxOrganizations; ++i) {
    store_->AddOrganization({.id = OrganizationId::Generate(clock_.Now(), random_),
                             .name = "organization " + std::to_string(i)});
  }
  EXPECT_EQ(CodeOf(Post(kOrganizations, R"({"name":"One more"})")), "TOO_MANY_ORGANIZATIONS");
  // Whoever looked at the number a moment before.
  domain::Key owner = first_.key.key;
  owner.id = KeyId::Generate(clock_.Now(), random_);
  owner.public_name = "abcdefgh";
  owner.organization = OrganizationId::Generate(clock_.Now(), random_);
  try {
    store_->AddOrganization({.id = owner.organization, .name = "Too late"}, owner, "sealed");
    ADD_FAILURE() << "one too many";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  }
}

TEST_F(OwnKeysTest, OrganizationsDoNotSeeEachOther) {
  const auto made = Post(kOrganizations, R"({"name":"Other"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const json::object other = BodyOf(made);
  EXPECT_EQ(CodeOf(Post(kOrganizations, R"({"name":"Other"})")), "NAME_TAKEN");
  EXPECT_EQ(CodeOf(Post(kOrganizations, R"({"name":""})")), "VALIDATION_ERROR");
  EXPECT_EQ(BodyOf(Get(kOrganizations)).at("results").at(0).at("name").as_string(), "Acme");
  EXPECT_EQ(CodeOf(Get(kOrganizations + "/" + Text(other, "id"))), "ORG_NOT_FOUND");

  const json::object& key = other.at("key").as_object();
  EXPECT_TRUE(key.contains("privateKey"));
  const domain::Key owner = store_->FindKeyByPublicName(Text(key, "publicKey")).value().key;
  const auto account = access_->CreateKey({owner},
                                          domain::KeyKind::kServiceAccount,
                                          "theirs",
                                          {{domain::Role::kOrgOwner, owner.organization, {}}});
  const std::string token =
      access_->IssueToken(account.key.public_name, account.secret.Reveal())->Reveal();
  EXPECT_EQ(BodyOf(GetAs(token, kOrganizations)).at("results").at(0).at("name").as_string(),
            "Other");
  EXPECT_EQ(BodyOf(GetAs(token, "/api/atlas/v1.0/groups")).at("totalCount").as_int64(), 0);
  EXPECT_EQ(CodeOf(GetAs(token, V1(""))), "USER_CANNOT_ACCESS_GROUP");
  EXPECT_EQ(BodyOf(GetAs(token, kKeys)).at("totalCount").as_int64(), 2);
  EXPECT_EQ(CodeOf(GetAs(token, kKeys + "/" + account_.key.id.ToString())), "KEY_NOT_FOUND");
  // The creation of the organization was the first one's doing.
  EXPECT_EQ(BodyOf(GetAs(token, "/api/tidemark/v1/audit")).at("totalCount").as_int64(), 0);
  EXPECT_GT(BodyOf(Get("/api/tidemark/v1/audit")).at("totalCount").as_int64(), 0);

  // Nor can a key get roles in the other one.
  const auto refused = Post(kKeys,
                            R"({"kind":"apiKey","roles":[{"roleName":"ORG_OWNER","orgId":")" +
                                Text(other, "id") + R"("}]})");
  EXPECT_EQ(CodeOf(refused), "VALIDATION_ERROR");
  const domain::Project theirs = access_->CreateProject({owner}, "Theirs");
  const auto across = Post(kKeys,
                           R"({"kind":"apiKey","roles":[{"roleName":"GROUP_OWNER","projectId":")" +
                               theirs.id.ToString() + R"("}]})");
  EXPECT_EQ(CodeOf(across), "VALIDATION_ERROR");
}

TEST_F(OwnKeysTest, SystemStatusShowsRolesAndAccessList) {
  access_->UpdateKey({first_.key.key},
                     first_.key.key.id,
                     {.access_list = {{domain::Network::Parse("0.0.0.0/0").value(),
                                       domain::Network::Parse("192.0.2.1").value(),
                                       domain::Network::Parse("2001:db8::/32").value()}}});
  http::Request request = MakeRequest(http::Method::kGet, "/api/atlas/v1.0");
  request.remote_address = "192.0.2.1";
  request.headers.emplace_back("authorization", DigestHeader(request, api_->Handle(request)));
  const json::object key = BodyOf(api_->Handle(request)).at("apiKey").as_object();
  EXPECT_EQ(json::serialize(key.at("accessList")),
            R"([{"cidrBlock":"0.0.0.0/0","ipAddress":null},)"
            R"({"cidrBlock":"192.0.2.1/32","ipAddress":"192.0.2.1"},)"
            R"({"cidrBlock":"2001:db8:0:0:0:0:0:0/32","ipAddress":null}])");
  EXPECT_EQ(key.at("roles").at(0).at("roleName").as_string(), "ORG_OWNER");
}

}  // namespace tidemark::api
