#include "bson/builder.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/caught_error.h"

namespace tidemark::bson {

TEST(Builder, EmptyDocumentIsFiveBytes) {
  EXPECT_EQ(Builder().Finish(), Bytes({5, 0, 0, 0, 0}));
}

TEST(Builder, MatchesTheExampleOfTheSpecification) {
  EXPECT_EQ(HexEncode(Builder().Append("hello", "world").Finish()),
            "160000000268656c6c6f0006000000776f726c640000");
}

TEST(Builder, WritesWhatTheJsonReaderWrites) {
  const Bytes nested = Builder().Append("x", std::int32_t{-1}).Finish();
  const Bytes array = ArrayBuilder().Append("a").Append(Document(nested)).Finish();
  const Bytes built = Builder()
                          .Append("text", "caf\xc3\xa9")
                          .Append("yes", true)
                          .Append("no", false)
                          .Append("small", std::int32_t{-2})
                          .Append("large", std::int64_t{-5000000000})
                          .Append("real", -0.5)
                          .Append("object", Document(nested))
                          .AppendArray("array", Document(array))
                          .AppendBinary("binary", Bytes{1, 2, 255})
                          .AppendTimestamp("position", 4000000000U, 7)
                          .AppendDateTime("date", -1)
                          .Finish();
  EXPECT_EQ(HexEncode(built), HexEncode(FromJson(R"({
      "text": "caf\u00e9", "yes": true, "no": false, "small": {"$numberInt": "-2"},
      "large": {"$numberLong": "-5000000000"}, "real": {"$numberDouble": "-0.5"},
      "object": {"x": {"$numberInt": "-1"}}, "array": ["a", {"x": {"$numberInt": "-1"}}],
      "binary": {"$binary": {"base64": "AQL/", "subType": "00"}},
      "position": {"$timestamp": {"t": 4000000000, "i": 7}},
      "date": {"$date": {"$numberLong": "-1"}}})")));
}

TEST(Builder, AppendElementKeepsTypeAndValueUnderAnotherName) {
  const Bytes from = FromJson(R"({"a": {"$numberDecimal": "1.50"}, "b": {"$minKey": 1}})");
  Builder builder;
  for (const Element& element : Document(from)) {
    builder.AppendElement(std::string(element.name) + "2", element);
  }
  EXPECT_EQ(ToJson(Document(builder.Finish())),
            R"({ "a2" : { "$numberDecimal" : "1.50" }, "b2" : { "$minKey" : 1 } })");
}

TEST(Builder, KeepsNulInsideText) {
  const Bytes built = Builder().Append("t", std::string_view("a\0b", 3)).Finish();
  EXPECT_EQ(Document(built).Find("t")->AsString(), std::string_view("a\0b", 3));
}

TEST(Builder, RefusesNulInAName) {
  const Error error = Catch([] { Builder().Append(std::string_view("a\0b", 3), true); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message(), "building BSON: field name holds NUL");
}

TEST(Builder, RefusesMoreThanADocumentHolds) {
  Builder builder;
  builder.AppendBinary("b", Bytes(kMaxDocumentSize));
  const Error error = Catch([&] { builder.Finish(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.message(), "building BSON: 50331661 bytes are more than a document holds");
}

TEST(ArrayBuilder, CountsTheNames) {
  ArrayBuilder array;
  for (int i = 0; i < 11; ++i) {
    array.Append("v");
  }
  std::string names;
  const Bytes built = array.Finish();
  for (const Element& element : Document(built)) {
    names.append(element.name).append(" ");
  }
  EXPECT_EQ(names, "0 1 2 3 4 5 6 7 8 9 10 ");
}

TEST(FromJson, ReadsBothForms) {
  EXPECT_EQ(FromJson(R"({"a": 1})"), FromJson(R"({"a": {"$numberInt": "1"}})"));
}

TEST(FromJson, RefusesWhatIsNotADocument) {
  for (const std::string_view text : {"{", "{\"a\": }", "nonsense", ""}) {
    const Error error = Catch([&] { FromJson(text); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(error.message()), testing::StartsWith("reading extended JSON: "));
  }
}

}  // namespace tidemark::bson
