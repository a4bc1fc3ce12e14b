#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::http {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

Router MakeRouter() {
  Router router;
  router.Add(Method::kGet, "/groups/{groupId}/clusters/{clusterName}", 1);
  router.Add(Method::kPost, "/groups/{groupId}/clusters", 2);
  router.Add(Method::kGet, "/groups/{groupId}/clusters", 3);
  router.Add(Method::kGet, "/groups/{groupId}/clusters/all", 4);
  router.Add(Method::kGet, "/groups/byName/clusters/{name}", 5);
  return router;
}

TEST(Router, FindsByMethodAndPath) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kGet, "/groups/g/clusters").route, 3U);
  EXPECT_EQ(router.Find(Method::kPost, "/groups/g/clusters").route, 2U);
}

TEST(Router, DecodesParameters) {
  const Router::Match match = MakeRouter().Find(Method::kGet, "/groups/g%20x/clusters/a%2Fb+c");
  EXPECT_EQ(match.route, 1U);
  EXPECT_EQ(match.parameters.Get("groupId"), "g x");
  EXPECT_EQ(match.parameters.Get("clusterName"), "a/b+c");
}

TEST(Router, LiteralSegmentsWinOverParameters) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find(Method::kGet, "/groups/g/clusters/all").route, 4U);
  EXPECT_EQ(router.Find(Method::kGet, "/groups/byName/clusters/all").route, 5U);
}

TEST(Router, HeadFitsGet) {
  EXPECT_EQ(MakeRouter().Find(Method::kHead, "/groups/g/clusters").route, 3U);
}

TEST(Router, NamesTheAllowedMethodsWhenOnlyThePathFits) {
  const Router::Match match = MakeRouter().Find(Method::kDelete, "/groups/g/clusters");
  EXPECT_EQ(match.route, std::nullopt);
  EXPECT_THAT(match.allowed, UnorderedElementsAre(Method::kGet, Method::kPost));
}

TEST(Router, FindsNothingForOtherPaths) {
  const Router router = MakeRouter();
  for (const char* path : {"",
                           "/",
                           "*",
                           "groups/g/clusters",
                           "/groups/g/clusters/",
                           "/groups//clusters",
                           "/groups/g/clusters/c/x",
                           "/groups/%zz/clusters"}) {
    const Router::Match match = router.Find(Method::kGet, path);
    EXPECT_EQ(match.route, std::nullopt) << path;
    EXPECT_THAT(match.allowed, IsEmpty()) << path;
  }
}

}  // namespace
}  // namespace tidemark::http
