#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsPage : public ApiFixture {
 protected:
  MetricsPage() { AddCluster("named-cluster"); }

  http::Response Scrape(const std::string& from,
                        const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    http::Request request = MakeRequest(http::Method::kGet, "/metrics");
    request.remote_address = from;
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    return api_->Handle(request);
  }
};

TEST_F(MetricsPage, LoopbackSeesNumbersAndNoNames) {
  const http::Response page = Scrape("127.0.0.1");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(HeaderOf(page, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("tidemark_build_info{version=\"1.2.3\"} 1"));
  EXPECT_THAT(page.body, HasSubstr("tidemark_clusters 1"));
  EXPECT_THAT(page.body, Not(HasSubstr("named-cluster")));
  EXPECT_EQ(Scrape("::1").status, 200);
}

TEST_F(MetricsPage, OthersNeedAKey) {
  for (const char* address : {"192.0.2.1", "10.127.0.1", "::ffff:192.0.2.1", ""}) {
    const http::Response page = Scrape(address);
    EXPECT_EQ(page.status, 401) << address;
    EXPECT_THAT(page.body, Not(HasSubstr("tidemark_")));
  }
}

TEST_F(MetricsPage, WhatAProxyPassesOnIsNotLocal) {
  EXPECT_EQ(Scrape("127.0.0.1", {{"x-forwarded-for", "192.0.2.1"}}).status, 401);
  EXPECT_EQ(Scrape("127.0.0.1", {{"forwarded", "for=192.0.2.1"}}).status, 401);
  EXPECT_EQ(Scrape("127.0.0.1", {{"x-forwarded-proto", "https"}}).status, 401);
}

TEST_F(MetricsPage, AnOrganizationsKeySeesItsClusters) {
  const http::Response page = Scrape("192.0.2.1", {{"authorization", "Bearer " + token_}});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("cluster=\"named-cluster\""));
}

TEST_F(MetricsPage, AProjectsKeyDoesNot) {
  const std::string token = TokenWith(domain::Role::kGroupOwner);
  const http::Response page = Scrape("127.0.0.1", {{"authorization", "Bearer " + token}});
  EXPECT_EQ(page.status, 401);
  EXPECT_THAT(page.body, HasSubstr("USER_UNAUTHORIZED"));
}

TEST_F(MetricsPage, AWrongKeyIsRefusedOnLoopbackToo) {
  EXPECT_EQ(Scrape("127.0.0.1", {{"authorization", "Bearer nonsense"}}).status, 401);
}

TEST_F(MetricsPage, AKeysAccessListCounts) {
  const std::vector<std::pair<std::string, std::string>> headers{
      {"authorization", "Bearer " + token_}};
  access_->UpdateKey({first_.key.key},
                     account_.key.id,
                     {.access_list = {{domain::Network::Parse("192.0.2.0/24").value()}}});
  EXPECT_EQ(Scrape("192.0.2.1", headers).status, 200);
  const http::Response refused = Scrape("198.51.100.1", headers);
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("IP_ADDRESS_NOT_ON_ACCESS_LIST"));
}

TEST_F(MetricsPage, LoopbackCanBeSwitchedOff) {
  metrics_.emplace(*environment_,
                   service::MetricsOptions{.loopback = service::LoopbackMetrics::kRefuse});
  EXPECT_EQ(Scrape("127.0.0.1").status, 401);
}

}  // namespace
}  // namespace tidemark::api
