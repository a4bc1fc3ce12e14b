#include "api/internal/admission.h"

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

constexpr Instant kStart{std::chrono::seconds{1'700'000'000}};

TokenBuckets Buckets(std::int64_t capacity, std::int64_t refill, std::int64_t seconds) {
  return TokenBuckets({capacity, refill, std::chrono::seconds(seconds)});
}

}  // namespace

TEST(TokenBuckets, GrantsItsCapacityAndThenWhatComesBack) {
  TokenBuckets buckets = Buckets(3, 6, 60);  // one in 10 seconds
  for (const std::int64_t left : {2, 1, 0}) {
    const auto answer = buckets.Take("a", kStart);
    EXPECT_TRUE(answer.granted);
    EXPECT_EQ(answer.remaining, left);
  }
  const auto refused = buckets.Take("a", kStart + std::chrono::seconds(3));
  EXPECT_FALSE(refused.granted);
  EXPECT_EQ(refused.retry_after, std::chrono::seconds(7));
  EXPECT_TRUE(buckets.Take("a", kStart + std::chrono::seconds(10)).granted);
  EXPECT_FALSE(buckets.Take("a", kStart + std::chrono::seconds(11)).granted);
  const auto rested = buckets.Take("a", kStart + std::chrono::hours(1));
  EXPECT_EQ(rested.remaining, 2);
}

TEST(TokenBuckets, KeepsNamesApart) {
  TokenBuckets buckets = Buckets(1, 1, 60);
  EXPECT_TRUE(buckets.Take("a", kStart).granted);
  EXPECT_TRUE(buckets.Take("b", kStart).granted);
  EXPECT_FALSE(buckets.Take("a", kStart).granted);
}

TEST(TokenBuckets, LookingTakesNothing) {
  TokenBuckets buckets = Buckets(1, 1, 60);
  EXPECT_TRUE(buckets.Look("a", kStart).granted);
  EXPECT_TRUE(buckets.Take("a", kStart).granted);
  EXPECT_FALSE(buckets.Look("a", kStart).granted);
}

TEST(TokenBuckets, OffGrantsEverything) {
  TokenBuckets buckets = Buckets(0, 1, 1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(buckets.Take("a", kStart).granted);
  }
}

TEST(TokenBuckets, ClockSetBackNeitherRefillsNorStops) {
  TokenBuckets buckets = Buckets(1, 1, 10);
  EXPECT_TRUE(buckets.Take("a", kStart).granted);
  EXPECT_FALSE(buckets.Take("a", kStart - std::chrono::hours(1)).granted);
  EXPECT_TRUE(buckets.Take("a", kStart - std::chrono::hours(1) + std::chrono::seconds(10)).granted);
}

TEST(TokenBuckets, ForgetsTheNameThatWasUsedLongestAgo) {
  TokenBuckets buckets = Buckets(1, 1, 3600);
  EXPECT_TRUE(buckets.Take("first", kStart).granted);
  for (std::size_t i = 0; i + 1 < TokenBuckets::kMaxNames; ++i) {
    buckets.Take("n" + std::to_string(i), kStart);
  }
  EXPECT_FALSE(buckets.Take("first", kStart).granted);
  buckets.Take("one more", kStart);  // n0 goes
  EXPECT_FALSE(buckets.Take("first", kStart).granted);
  EXPECT_TRUE(buckets.Take("n0", kStart).granted);
}

TEST(Admission, BelievesTrustedProxiesOnly) {
  const ManualClock clock{kStart};
  AccessLimits limits;
  limits.trusted_proxies = {domain::Network::Parse("10.0.0.0/8").value()};
  const Admission admission(limits, clock);
  http::Request request;
  request.remote_address = "10.0.0.1";
  EXPECT_EQ(admission.ForwardedAddress(request), std::nullopt);
  const auto forwarded = [&](const std::string& list) {
    request.headers = {{"x-forwarded-for", list}};
    return admission.ForwardedAddress(request).value_or("none");
  };
  EXPECT_EQ(forwarded("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(forwarded("198.51.100.1, 203.0.113.9, 10.2.3.4"), "203.0.113.9");
  EXPECT_EQ(forwarded("10.9.9.9,10.2.3.4"), "10.9.9.9");
  EXPECT_EQ(forwarded("198.51.100.1, nonsense"), "none");
  EXPECT_EQ(forwarded("2001:db8::7"), "2001:db8::7");
  request.headers = {{"x-forwarded-for", "198.51.100.1"}, {"x-forwarded-for", "203.0.113.9"}};
  EXPECT_EQ(admission.ForwardedAddress(request), "203.0.113.9");
  request.remote_address = "192.0.2.1";
  EXPECT_EQ(admission.ForwardedAddress(request), std::nullopt);
  const Admission strict({}, clock);
  request.remote_address = "10.0.0.1";
  EXPECT_EQ(strict.ForwardedAddress(request), std::nullopt);
}

TEST(Admission, BelievesTrustedProxiesOnlyInTheSchemeToo) {
  const ManualClock clock{kStart};
  AccessLimits limits;
  limits.trusted_proxies = {domain::Network::Parse("10.0.0.0/8").value()};
  const Admission admission(limits, clock);
  http::Request request;
  request.remote_address = "10.0.0.1";
  EXPECT_EQ(admission.ForwardedScheme(request), std::nullopt);
  const auto forwarded = [&](const std::string& scheme) {
    request.headers = {{"x-forwarded-proto", scheme}};
    return admission.ForwardedScheme(request).value_or("none");
  };
  EXPECT_EQ(forwarded("https"), "https");
  EXPECT_EQ(forwarded(" HTTP "), "http");
  EXPECT_EQ(forwarded("javascript"), "none");
  EXPECT_EQ(forwarded(""), "none");
  request.remote_address = "192.0.2.1";
  EXPECT_EQ(forwarded("https"), "none");
}

TEST(Admission, NeighboursInAnIPv6NetworkShareFailedLogins) {
  const ManualClock clock{kStart};
  Admission admission({.failed_logins = {1, 1, std::chrono::seconds(60)}}, clock);
  admission.CountFailedLogin("2001:db8::1");
  EXPECT_FALSE(admission.LookAtLogins("2001:db8::2").granted);
  EXPECT_TRUE(admission.LookAtLogins("2001:db8:0:1::1").granted);
  EXPECT_TRUE(admission.LookAtLogins("192.0.2.1").granted);
}

// The whole api with limits.
class LimitedApi : public ApiFixture {
 protected:
  void Limit(const AccessLimits& limits) {
    api_ = Api::Make({*access_,
                      *clusters_,
                      *snapshots_,
                      *imports_,
                      *restores_,
                      *downloads_,
                      *maintenance_,
                      *schedules_,
                      *audit_,
                      *notices_,
                      *exports_,
                      *drills_,
                      *pushes_,
                      *metrics_,
                      *store_,
                      clock_,
                      random_,
                      *log_,
                      std::string(32, 'k'),
                      limits});
  }

  http::Response GetFrom(const std::string& address, const std::string& token) {
    http::Request request = MakeRequest(http::Method::kGet, "/api/atlas/v1.0/groups");
    request.remote_address = address;
    if (!token.empty()) {
      request.headers.emplace_back("authorization", "Bearer " + token);
    }
    return api_->Handle(request);
  }

  http::Response AskToken(const std::string& address, const std::string& secret) {
    http::Request request = MakeRequest(http::Method::kPost, "/api/oauth/token");
    request.remote_address = address;
    request.headers.emplace_back(
        "authorization", "Basic " + Base64Encode(AsBytes(account_.key.public_name + ":" + secret)));
    request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    request.body = "grant_type=client_credentials";
    return api_->Handle(request);
  }
};

TEST_F(LimitedApi, WithoutALimitNoHeadersAreSent) {
  EXPECT_EQ(HeaderOf(GetFrom("192.0.2.1", token_), "RateLimit-Limit"), "");
}

TEST_F(LimitedApi, KeyThatAsksTooOftenGetsTheFiveParameters) {
  Limit({.requests = {2, 30, std::chrono::seconds(60)}});
  const auto first = GetFrom("192.0.2.1", token_);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(HeaderOf(first, "RateLimit-Limit"), "2");
  EXPECT_EQ(HeaderOf(first, "RateLimit-Remaining"), "1");
  // An error counts, too, and tells.
  http::Request wrong = MakeRequest(http::Method::kGet, "/api/atlas/v1.0/nowhere");
  wrong.headers.emplace_back("authorization", "Bearer " + token_);
  EXPECT_EQ(HeaderOf(api_->Handle(wrong), "RateLimit-Remaining"), "0");
  const auto refused = GetFrom("192.0.2.2", token_);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(CodeOf(refused), "RATE_LIMITED_TOKEN_BUCKET");
  EXPECT_EQ(HeaderOf(refused, "Retry-After"), "2");
  EXPECT_EQ(HeaderOf(refused, "RateLimit-Remaining"), "0");
  EXPECT_EQ(BodyOf(refused).at("parameters"),
            (boost::json::array{"/api/atlas/v1.0/groups", "2", "2", "30", "60"}));
  // The first round of a digest exchange brings nobody's credentials.
  EXPECT_EQ(GetFrom("192.0.2.1", "").status, 401);
  EXPECT_EQ(GetFrom("192.0.2.1", TokenWith(domain::Role::kGroupOwner)).status, 200);
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(GetFrom("192.0.2.1", token_).status, 200);
}

TEST_F(LimitedApi, AddressThatGuessesIsStopped) {
  Limit({.failed_logins = {2, 1, std::chrono::seconds(10)}});
  EXPECT_EQ(GetFrom("192.0.2.1", "wrong").status, 401);
  EXPECT_EQ(AskToken("192.0.2.1", "wrong").status, 401);
  const auto refused = GetFrom("192.0.2.1", "wrong");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(HeaderOf(refused, "Retry-After"), "10");
  EXPECT_EQ(HeaderOf(refused, "WWW-Authenticate"), "");
  EXPECT_EQ(GetFrom("192.0.2.1", "").status, 401);  // no credentials: a challenge as ever
  EXPECT_EQ(GetFrom("192.0.2.2", token_).status, 200);
  EXPECT_EQ(AskToken("192.0.2.1", account_.secret.Reveal()).status, 429);
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(GetFrom("192.0.2.1", token_).status, 200);
}

TEST_F(LimitedApi, GuessingAtMetricsIsStoppedToo) {
  Limit({.requests = {1, 1, std::chrono::seconds(60)},
         .failed_logins = {1, 1, std::chrono::seconds(10)}});
  const auto scrape = [&](const std::string& token) {
    http::Request request = MakeRequest(http::Method::kGet, "/metrics");
    request.remote_address = "192.0.2.1";
    request.headers.emplace_back("authorization", "Bearer " + token);
    return api_->Handle(request);
  };
  EXPECT_EQ(scrape("wrong").status, 401);
  EXPECT_EQ(scrape("wrong").status, 429);
  EXPECT_EQ(GetFrom("192.0.2.1", token_).status, 429);
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(HeaderOf(scrape(token_), "RateLimit-Remaining"), "0");
  EXPECT_EQ(CodeOf(scrape(token_)), "RATE_LIMITED_TOKEN_BUCKET");
}

TEST_F(LimitedApi, TokenRequestsOfAnAddressAreLimited) {
  Limit({.token_requests = {1, 1, std::chrono::seconds(5)}});
  EXPECT_EQ(AskToken("192.0.2.1", account_.secret.Reveal()).status, 200);
  const auto refused = AskToken("192.0.2.1", account_.secret.Reveal());
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(HeaderOf(refused, "Retry-After"), "5");
  EXPECT_EQ(BodyOf(refused).at("error").as_string(), "too_many_requests");
  EXPECT_EQ(AskToken("192.0.2.2", account_.secret.Reveal()).status, 200);
  EXPECT_EQ(GetFrom("192.0.2.1", token_).status, 200);
}

TEST_F(LimitedApi, AccessListHoldsForRequestsAndTokens) {
  access_->UpdateKey({first_.key.key},
                     account_.key.id,
                     {.access_list = {{domain::Network::Parse("192.0.2.0/24").value(),
                                       domain::Network::Parse("2001:db8::/32").value()}}});
  EXPECT_EQ(GetFrom("192.0.2.1", token_).status, 200);
  EXPECT_EQ(GetFrom("2001:db8::5", token_).status, 200);
  EXPECT_EQ(GetFrom("::ffff:192.0.2.9", token_).status, 200);
  const auto refused = GetFrom("198.51.100.7", token_);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(CodeOf(refused), "IP_ADDRESS_NOT_ON_ACCESS_LIST");
  EXPECT_EQ(BodyOf(refused).at("parameters"), (boost::json::array{"198.51.100.7"}));
  EXPECT_EQ(HeaderOf(refused, "WWW-Authenticate"), "");
  EXPECT_EQ(GetFrom("", token_).status, 403);
  // Wrong credentials are told apart from the address only by who has the right ones.
  EXPECT_EQ(GetFrom("198.51.100.7", "wrong").status, 401);
  const auto denied = AskToken("198.51.100.7", account_.secret.Reveal());
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(BodyOf(denied).at("error").as_string(), "access_denied");
  EXPECT_EQ(AskToken("198.51.100.7", "wrong").status, 401);
  EXPECT_EQ(AskToken("192.0.2.7", account_.secret.Reveal()).status, 200);
}

TEST_F(LimitedApi, TrustedProxyNamesTheClient) {
  Limit({.trusted_proxies = {domain::Network::Parse("127.0.0.1").value()}});
  access_->UpdateKey({first_.key.key},
                     account_.key.id,
                     {.access_list = {{domain::Network::Parse("192.0.2.1").value()}}});
  http::Request request = MakeRequest(http::Method::kGet, "/api/atlas/v1.0/groups");
  request.headers.emplace_back("authorization", "Bearer " + token_);
  request.headers.emplace_back("x-forwarded-for", "192.0.2.1");
  request.remote_address = "127.0.0.1";
  EXPECT_EQ(api_->Handle(request).status, 200);
  request.headers.emplace_back("x-forwarded-proto", "https");
  EXPECT_EQ(BodyOf(api_->Handle(request)).at("links").at(0).at("href"),
            "https://backup.example:8080/api/atlas/v1.0/"
            "groups?includeCount=true&pageNum=1&itemsPerPage=100");
  request.remote_address = "198.51.100.1";
  EXPECT_EQ(BodyOf(api_->Handle(request)).at("parameters"), (boost::json::array{"198.51.100.1"}));
}

}  // namespace tidemark::api
