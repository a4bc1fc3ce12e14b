#include "tests/support/memory/update.h"

#include <gtest/gtest.h>

#include "bson/builder.h"
#include "tests/support/memory/command_error.h"

namespace tidemark::memory {
namespace {

std::string Canonical(std::string_view json) {
  const Bytes bytes = bson::FromJson(json);
  return bson::ToJson(bson::Document(bytes));
}

std::string Applied(std::string_view document,
                    std::string_view update,
                    Occasion occasion = Occasion::kUpdate) {
  const Bytes before = bson::FromJson(document);
  const Bytes change = bson::FromJson(update);
  const Bytes after = Apply(bson::Document(before), bson::Document(change), occasion);
  return bson::ToJson(bson::Document(after));
}

std::string Diff(std::string_view before, std::string_view after) {
  const Bytes before_bytes = bson::FromJson(before);
  const Bytes after_bytes = bson::FromJson(after);
  const Bytes entry = DiffEntry(bson::Document(before_bytes), bson::Document(after_bytes));
  return bson::ToJson(bson::Document(entry));
}

TEST(Apply, SetsUnsetsAndCounts) {
  EXPECT_EQ(Applied(R"({"_id": 1, "a": 1})", R"({"$set": {"a": 2, "b.c": 3}})"),
            Canonical(R"({"_id": 1, "a": 2, "b": {"c": 3}})"));
  EXPECT_EQ(Applied(R"({"_id": 1, "a": {"b": 1, "c": 2}})", R"({"$unset": {"a.b": 1, "z.y": 1}})"),
            Canonical(R"({"_id": 1, "a": {"c": 2}})"));
  EXPECT_EQ(Applied(R"({"_id": 1, "a": [1, 2]})", R"({"$inc": {"a.1": 5, "n": 1}})"),
            Canonical(R"({"_id": 1, "a": [1, 7], "n": 1})"));
}

TEST(Apply, SetOnInsertActsOnAnUpsertOnly) {
  EXPECT_EQ(Applied(R"({"_id": 1})", R"({"$setOnInsert": {"a": 1}})"), Canonical(R"({"_id": 1})"));
  EXPECT_EQ(Applied(R"({"_id": 1})", R"({"$setOnInsert": {"a": 1}})", Occasion::kUpsert),
            Canonical(R"({"_id": 1, "a": 1})"));
}

TEST(Apply, RefusesToChangeTheIdAndPathsThroughValues) {
  try {
    Applied(R"({"_id": 1})", R"({"$set": {"_id": 2}})");
    FAIL();
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, 66);
  }
  try {
    Applied(R"({"_id": 1, "a": 5})", R"({"$set": {"a.b": 2}})");
    FAIL();
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, 28);
    EXPECT_STREQ(error.what(), "Cannot create field 'b' in element a");
  }
}

TEST(DiffEntry, SaysWhatChangedAsTheOplogDoes) {
  EXPECT_EQ(Diff(R"({"_id": 1, "a": 1, "gone": 1, "s": {"x": 1, "y": 2}})",
                 R"({"_id": 1, "a": 2, "s": {"x": 1, "y": 3}, "new": "n"})"),
            Canonical(R"({"$v": 2, "diff": {"d": {"gone": false}, "u": {"a": 2},
                          "i": {"new": "n"}, "ss": {"u": {"y": 3}}}})"));
}

TEST(DiffEntry, TellsNumbersOfDifferentTypesApart) {
  EXPECT_EQ(Diff(R"({"_id": 1, "a": 1})", R"({"_id": 1, "a": {"$numberLong": "1"}})"),
            Canonical(R"({"$v": 2, "diff": {"u": {"a": {"$numberLong": "1"}}}})"));
}

TEST(FormOf, RefusesWhatItDoesNotKnow) {
  for (const char* text : {R"({"u": [{"$set": {"a": 1}}]})", R"({"u": {"$push": {"a": 1}}})"}) {
    const Bytes bytes = bson::FromJson(text);
    try {
      FormOf(*bson::Document(bytes).begin());
      FAIL() << text;
    } catch (const CommandError& error) {
      EXPECT_EQ(error.code, 9);
    }
  }
}

}  // namespace
}  // namespace tidemark::memory
