#include "tests/support/memory/filter.h"

#include <gtest/gtest.h>

#include "bson/builder.h"
#include "tests/support/memory/command_error.h"

namespace tidemark::memory {
namespace {

bool Matches(std::string_view filter, std::string_view document) {
  const Bytes filter_bytes = bson::FromJson(filter);
  const Bytes document_bytes = bson::FromJson(document);
  return Filter(bson::Document(filter_bytes)).Matches(bson::Document(document_bytes));
}

TEST(Filter, EmptyMatchesAll) {
  EXPECT_TRUE(Matches("{}", R"({"a": 1})"));
  EXPECT_TRUE(Filter().MatchesAll());
}

TEST(Filter, ComparesWithinOneKindOfValues) {
  EXPECT_TRUE(Matches(R"({"a": 1})", R"({"a": 1.0})"));
  EXPECT_FALSE(Matches(R"({"a": 1})", R"({"a": "1"})"));
  EXPECT_TRUE(Matches(R"({"a": {"$gt": 1, "$lte": 3}})", R"({"a": 3})"));
  EXPECT_FALSE(Matches(R"({"a": {"$gt": 3}})", R"({"a": 3})"));
  EXPECT_FALSE(Matches(R"({"a": {"$gt": 1}})", R"({"a": "text"})"));
  EXPECT_TRUE(Matches(R"({"a": {"$gt": {"$minKey": 1}}})", R"({"a": "text"})"));
}

TEST(Filter, KnowsListsPresenceTypesAndAbsence) {
  EXPECT_TRUE(Matches(R"({"a": {"$in": [1, 2]}})", R"({"a": 2})"));
  EXPECT_FALSE(Matches(R"({"a": {"$nin": [1, 2]}})", R"({"a": 2})"));
  EXPECT_TRUE(Matches(R"({"a": {"$nin": [1]}})", R"({})"));
  EXPECT_TRUE(Matches(R"({"a": {"$exists": false}})", R"({"b": 1})"));
  EXPECT_TRUE(Matches(R"({"a": null})", R"({"b": 1})"));
  EXPECT_TRUE(Matches(R"({"a": {"$ne": 1}})", R"({"b": 1})"));
  EXPECT_TRUE(Matches(R"({"a": {"$type": "string"}})", R"({"a": "x"})"));
  EXPECT_FALSE(Matches(R"({"a": {"$type": "number"}})", R"({"a": "x"})"));
}

TEST(Filter, LooksIntoDocumentsAndArrays) {
  EXPECT_TRUE(Matches(R"({"a.b": 1})", R"({"a": {"b": 1}})"));
  EXPECT_TRUE(Matches(R"({"a.b": 1})", R"({"a": [{"b": 2}, {"b": 1}]})"));
  EXPECT_TRUE(Matches(R"({"a": 2})", R"({"a": [1, 2]})"));
  EXPECT_TRUE(Matches(R"({"a.0": 1})", R"({"a": [1, 2]})"));
}

TEST(Filter, JoinsConditions) {
  EXPECT_TRUE(Matches(R"({"$or": [{"a": 1}, {"a": 2}]})", R"({"a": 2})"));
  EXPECT_FALSE(Matches(R"({"$nor": [{"a": 1}, {"a": 2}]})", R"({"a": 2})"));
  EXPECT_FALSE(Matches(R"({"$and": [{"a": 1}, {"b": 2}]})", R"({"a": 1})"));
}

TEST(Filter, RefusesWhatItDoesNotKnow) {
  try {
    Matches(R"({"a": {"$near": 1}})", "{}");
    FAIL();
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, 2);
    EXPECT_STREQ(error.what(), "unknown operator: $near");
  }
}

}  // namespace
}  // namespace tidemark::memory
