#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

class OAuthTest : public ApiFixture {
 protected:
  http::Response Send(const std::string& path,
                      const std::string& pair,
                      const std::string& form,
                      const std::string& type = "application/x-www-form-urlencoded") {
    http::Request request = MakeRequest(http::Method::kPost, path);
    request.headers.emplace_back("authorization", "Basic " + Base64Encode(AsBytes(pair)));
    request.headers.emplace_back("content-type", type);
    request.body = form;
    return api_->Handle(request);
  }

  http::Response AskToken(const std::string& pair) {
    return Send("/api/oauth/token", pair, "grant_type=client_credentials");
  }

  std::string Pair() const { return account_.key.public_name + ":" + account_.secret.Reveal(); }
};

}  // namespace

TEST_F(OAuthTest, TokenOpensTheApi) {
  const auto response = AskToken(Pair());
  ASSERT_EQ(response.status, 200);
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("expires_in").as_int64(), 3600);
  EXPECT_EQ(body.at("token_type").as_string(), "Bearer");
  EXPECT_EQ(GetAs(std::string(body.at("access_token").as_string()), V1("")).status, 200);
}

TEST_F(OAuthTest, PercentEncodedPairIsTriedFirst) {
  std::string encoded = Pair();
  encoded.replace(0, 1, "%6d");  // the m of mdb_sa_id_
  EXPECT_EQ(AskToken(encoded).status, 200);
}

TEST_F(OAuthTest, WrongOrMissingCredentialsAreInvalidClient) {
  for (const std::string& pair : {std::string("a:b"), std::string("nocolon")}) {
    const auto response = AskToken(pair);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.body,
              "{\"error\":\"invalid_client\","
              "\"error_description\":\"Invalid credentials provided.\"}");
  }
}

TEST_F(OAuthTest, FormErrorsAreInTheOAuthForm) {
  const auto error = [&](const std::string& form, const std::string& type) {
    const auto response = Send("/api/oauth/token", Pair(), form, type);
    EXPECT_EQ(response.status, 400);
    return std::string(BodyOf(response).at("error").as_string());
  };
  const std::string form_type = "application/x-www-form-urlencoded;charset=utf-8";
  EXPECT_EQ(error("", form_type), "invalid_request");
  EXPECT_EQ(error("grant_type=a&grant_type=b", form_type), "invalid_request");
  EXPECT_EQ(error("grant_type=password", form_type), "unsupported_grant_type");
  EXPECT_EQ(error("grant_type=client_credentials", "application/json"), "invalid_request");
}

TEST_F(OAuthTest, RevokedTokenIsRefused) {
  const auto response =
      Send("/api/oauth/revoke", Pair(), "token=" + token_ + "&token_type_hint=access_token");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(GetAs(token_, V1("")).status, 401);
}

TEST_F(OAuthTest, RevokeNeedsTheClientAndAToken) {
  EXPECT_EQ(Send("/api/oauth/revoke", "a:b", "token=" + token_).status, 401);
  EXPECT_EQ(Send("/api/oauth/revoke", Pair(), "").status, 400);
  EXPECT_EQ(GetAs(token_, V1("")).status, 200);
}

}  // namespace tidemark::api
