#include "delivery/restore_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"

namespace tidemark::delivery {
namespace {

bool Takes(std::string_view ids, std::string_view id) {
  const Bytes filter = bson::FromJson(std::string(R"({"ids":)") + std::string(ids) + "}");
  const Bytes value = bson::FromJson(std::string(R"({"_id":)") + std::string(id) + "}");
  return IdFilter(*bson::Document(filter).begin()).Matches(*bson::Document(value).begin());
}

std::string Refusal(std::string_view json) {
  try {
    ParseScope(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.message());
  }
  return "nothing was thrown";
}

TEST(IdFilter, OneValueIsEqualWhateverItsNumericType) {
  EXPECT_TRUE(Takes("5", "5"));
  EXPECT_TRUE(Takes("5", "5.0"));
  EXPECT_TRUE(Takes("5", R"({"$numberLong":"5"})"));
  EXPECT_FALSE(Takes("5", R"("5")"));
  EXPECT_TRUE(
      Takes(R"({"$oid":"5f5e0f0e0f0e0f0e0f0e0f0e"})", R"({"$oid":"5f5e0f0e0f0e0f0e0f0e0f0e"})"));
}

TEST(IdFilter, DocumentWithoutOperatorsIsAnId) {
  EXPECT_TRUE(Takes(R"({"a":1,"b":2})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(Takes(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
}

TEST(IdFilter, RangeEndsAreAsTheOperatorsSay) {
  EXPECT_TRUE(Takes(R"({"$gte":2,"$lt":5})", "2"));
  EXPECT_TRUE(Takes(R"({"$gte":2,"$lt":5})", "4.99"));
  EXPECT_FALSE(Takes(R"({"$gte":2,"$lt":5})", "5"));
  EXPECT_FALSE(Takes(R"({"$gt":2,"$lte":5})", "2"));
  EXPECT_TRUE(Takes(R"({"$gt":2,"$lte":5})", "5"));
}

TEST(IdFilter, RangeCrossesTypes) {
  EXPECT_TRUE(Takes(R"({"$gte":2})", R"("a")"));
  EXPECT_FALSE(Takes(R"({"$gte":2})", "null"));
  EXPECT_FALSE(Takes(R"({"$gte":"a"})", "7"));
}

TEST(IdFilter, ListTakesItsMembersOnly) {
  EXPECT_TRUE(Takes(R"({"$in":[3,"x",1]})", "1.0"));
  EXPECT_TRUE(Takes(R"({"$in":[3,"x",1]})", R"("x")"));
  EXPECT_FALSE(Takes(R"({"$in":[3,"x",1]})", "2"));
  EXPECT_FALSE(Takes(R"({"$in":[]})", "2"));
  EXPECT_FALSE(Takes(R"({"$in":[1,2],"$gt":1})", "1"));
}

TEST(RestoreScope, NoTextIsTheWholeSnapshot) {
  EXPECT_TRUE(ParseScope("").IsWhole());
  EXPECT_TRUE(ParseScope(R"({"delta":true})").IsWhole());
  EXPECT_EQ(ParseScope(R"({"delta":true})").mode, RestoreMode::kDelta);
}

TEST(RestoreScope, MembersAreRead) {
  const RestoreScope scope = ParseScope(
      R"({"include":[{"database":"a","collection":"b","toDatabase":"c","toCollection":"d"},)"
      R"({"database":"e"}],"filter":{"database":"a","collection":"b","ids":{"$in":[1]}}})");
  ASSERT_EQ(scope.include.size(), 2U);
  EXPECT_EQ(scope.include[0].to_database, "c");
  EXPECT_EQ(scope.include[0].to_collection, "d");
  EXPECT_EQ(scope.include[1].collection, "");
  ASSERT_TRUE(scope.filter.has_value());
  EXPECT_EQ(scope.filter->collection, "b");
  EXPECT_FALSE(scope.IsWhole());
}

TEST(RestoreScope, WrongMembersAreNamed) {
  EXPECT_EQ(Refusal(R"({"only":1})"), "a restore's scope: unknown member only");
  EXPECT_EQ(Refusal(R"({"include":[]})"), "include must be an array that is not empty");
  EXPECT_EQ(Refusal(R"({"include":[1]})"), "include: every element must be an object");
  EXPECT_EQ(Refusal(R"({"include":[{"collection":"b"}]})"), "include: database is missing");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"a","to":"b"}]})"), "include: unknown member to");
  EXPECT_EQ(Refusal(R"({"include":[{"database":""}]})"),
            "include: database must be a text that is not empty");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"a","toCollection":"b"}]})"),
            "include: database a: toCollection needs a collection");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"a","collection":"b"}})"), "filter: ids is missing");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"a","collection":"b","ids":{"$ne":1}}})"),
            "filter: ids: unknown operator $ne");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"a","collection":"b","ids":{"$regex":"x"}}})"),
            "filter: ids: an _id is neither an array nor a regular expression; several go into "
            "$in");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"a","collection":"b","ids":{"$in":1}}})"),
            "filter: ids: $in needs one array");
  EXPECT_EQ(Refusal(R"({"delta":1})"), "delta must be true or false");
}

}  // namespace
}  // namespace tidemark::delivery
