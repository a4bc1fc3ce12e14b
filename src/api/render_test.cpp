#include "api/internal/render.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace tidemark::api {
namespace {

boost::json::object Sample() {
  return boost::json::parse(R"({"b":[1,{"y":null,"x":"é/\""}],"a":true,"c":[],"d":{}})")
      .as_object();
}

}  // namespace

TEST(RenderJson, CompactSortsKeysWithoutSpace) {
  EXPECT_EQ(RenderJson(Sample(), Layout::kCompact),
            R"({"a":true,"b":[1,{"x":"é/\"","y":null}],"c":[],"d":{}})");
}

TEST(RenderJson, PrettyIsJacksonsForm) {
  EXPECT_EQ(RenderJson(Sample(), Layout::kPretty),
            "{\n"
            "  \"a\" : true,\n"
            "  \"b\" : [ 1, {\n"
            "    \"x\" : \"é/\\\"\",\n"
            "    \"y\" : null\n"
            "  } ],\n"
            "  \"c\" : [ ],\n"
            "  \"d\" : { }\n"
            "}");
}

TEST(RenderJson, IllFormedTextBecomesReplacementCharacters) {
  EXPECT_EQ(RenderJson(boost::json::value("\xFF"), Layout::kCompact), "\"\xEF\xBF\xBD\"");
}

TEST(RenderReply, ObjectGoesIntoContentOfTheEnvelope) {
  const auto response =
      RenderReply({201, Shape::kObject, {{"a", 1}}}, {Layout::kCompact, Envelope::kStatus}, "t");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, R"({"content":{"a":1},"status":201})");
}

TEST(RenderReply, ListGetsTheStatusAsAMember) {
  Reply reply{200, Shape::kList, {{"results", boost::json::array()}}};
  EXPECT_EQ(RenderReply(std::move(reply), {Layout::kCompact, Envelope::kStatus}, "t").body,
            R"({"results":[],"status":200})");
}

TEST(RenderReply, NoContentHasNoBodyButAnEnvelopeWhenAsked) {
  EXPECT_EQ(RenderReply({204, Shape::kNone, {}}, {}, "t").body, "");
  const auto enveloped =
      RenderReply({204, Shape::kNone, {}}, {Layout::kCompact, Envelope::kStatus}, "t");
  EXPECT_EQ(enveloped.status, 200);
  EXPECT_EQ(enveloped.body, R"({"status":204})");
}

TEST(RenderFailure, HasAllMembersAndTheErrorCodeHeader) {
  const auto response = RenderFailure(InvalidValue("id", "must be hex").failure(), {});
  EXPECT_EQ(response.body,
            R"({"badRequestDetail":{"fields":[{"description":"must be hex","field":"id"}]},)"
            R"("detail":"The value of id is not valid.","error":400,)"
            R"("errorCode":"VALIDATION_ERROR","parameters":["id"],"reason":"Bad Request"})");
  const std::vector<std::pair<std::string, std::string>> headers{
      {"Content-Type", "application/json"},
      {"Cache-Control", "no-store"},
      {"X-Error-Code", "VALIDATION_ERROR"}};
  EXPECT_EQ(response.headers, headers);
}

}  // namespace tidemark::api
