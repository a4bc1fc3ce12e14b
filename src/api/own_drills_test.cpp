#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

class OwnDrills : public ApiFixture {
 protected:
  OwnDrills() {
    for (const char* name : {"c0", "scratch"}) {
      EXPECT_EQ(Post(Clusters(),
                     std::string(R"({"name":")") + name +
                         R"(","connectionString":"mongodb://127.0.0.1:1/"})")
                    .status,
                201);
    }
  }

  std::string Clusters() const {
    return "/api/tidemark/v1/projects/" + first_.project.id.ToString() + "/clusters";
  }

  std::string Path(const std::string& rest) const { return Clusters() + "/c0/" + rest; }

  static std::string TextAt(const http::Response& response, const std::string& name) {
    const boost::json::value body = boost::json::parse(response.body);
    const boost::json::value* found = body.as_object().if_contains(name);
    return found == nullptr ? "(absent)" : boost::json::serialize(*found);
  }
};

TEST_F(OwnDrills, TheSettingsStartWithoutATarget) {
  const http::Response settings = Get(Path("drillSettings"));
  EXPECT_EQ(settings.status, 200);
  EXPECT_EQ(TextAt(settings, "targetClusterName"), "(absent)");
  EXPECT_EQ(TextAt(settings, "intervalDays"), "0");
  EXPECT_EQ(TextAt(settings, "lastVerified"), "(absent)");
}

TEST_F(OwnDrills, OnlyAMarkedTargetIsTaken) {
  const std::string wanted = R"({"targetClusterName":"scratch","intervalDays":7})";
  const http::Response refused = Patch(Path("drillSettings"), wanted);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(TextAt(refused, "errorCode"), R"("VALIDATION_ERROR")");
  EXPECT_EQ(TextAt(Get(Path("drillSettings")), "intervalDays"), "0");
  const std::string mark = Clusters() + "/scratch/scratchTarget";
  EXPECT_EQ(TextAt(Patch(mark, R"({"scratchTarget":true})"), "scratchTarget"), "true");
  EXPECT_EQ(TextAt(Get(Clusters() + "/scratch"), "scratchTarget"), "true");
  const http::Response taken = Patch(Path("drillSettings"), wanted);
  EXPECT_EQ(TextAt(taken, "targetClusterName"), R"("scratch")");
  EXPECT_EQ(TextAt(taken, "intervalDays"), "7");
  EXPECT_EQ(
      TextAt(Patch(Path("drillSettings"), R"({"targetClusterName":""})"), "targetClusterName"),
      "(absent)");
  EXPECT_EQ(TextAt(Patch(mark, R"({"scratchTarget":false})"), "scratchTarget"), "false");
}

TEST_F(OwnDrills, WithoutASnapshotThereIsNoDrill) {
  EXPECT_EQ(Post(Path("drills"), "{}").status, 404);
  EXPECT_EQ(TextAt(Get(Path("drills")), "totalCount"), "0");
  EXPECT_EQ(TextAt(Get(Path("drills/0123456789abcdef01234567")), "errorCode"),
            R"("DRILL_NOT_FOUND")");
}

TEST_F(OwnDrills, ReadersMayLookButNotWipe) {
  const std::string token = TokenWith(domain::Role::kGroupReadOnly);
  EXPECT_EQ(GetAs(token, Path("drills")).status, 200);
  http::Request request = MakeRequest(http::Method::kPatch, Clusters() + "/scratch/scratchTarget");
  request.headers.emplace_back("authorization", "Bearer " + token);
  request.headers.emplace_back("content-type", "application/json");
  request.body = R"({"scratchTarget":true})";
  EXPECT_EQ(api_->Handle(request).status, 401);
}

}  // namespace
}  // namespace tidemark::api
