#include "bson/parse_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"
#include "bson/document.h"

namespace tidemark::bson {
namespace {

// The value of {"v": ...} as canonical Extended JSON, written by another library.
std::string Canonical(std::string_view value, RegexForm form = RegexForm::kDocument) {
  const Bytes bytes = ParseJson("{\"v\":" + std::string(value) + "}", form);
  Validate(bytes);
  return ToJson(Document(bytes));
}

std::string Expected(std::string_view value) {
  return "{ \"v\" : " + std::string(value) + " }";
}

void ExpectRefused(const std::string& text) {
  SCOPED_TRACE(text.substr(0, 100));
  try {
    ParseJson(text);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.message();
    EXPECT_THAT(std::string(error.message()), testing::StartsWith("reading extended JSON"));
  }
}

TEST(ParseJson, NumbersKeepTheTypeTheyAreMarkedWith) {
  EXPECT_EQ(Canonical(R"({"$numberInt":"1"})"), Expected(R"({ "$numberInt" : "1" })"));
  EXPECT_EQ(Canonical(R"({"$numberLong":"1"})"), Expected(R"({ "$numberLong" : "1" })"));
  EXPECT_EQ(Canonical(R"({"$numberDouble":"1.0"})"), Expected(R"({ "$numberDouble" : "1.0" })"));
  EXPECT_EQ(Canonical(R"({"$numberDouble":"1E+20"})"),
            Expected(R"({ "$numberDouble" : "1e+20" })"));
  EXPECT_EQ(Canonical(R"({"$numberDouble":"-Infinity"})"),
            Expected(R"({ "$numberDouble" : "-Infinity" })"));
  EXPECT_EQ(Canonical(R"({"$numberDouble":"NaN"})"), Expected(R"({ "$numberDouble" : "NaN" })"));
  EXPECT_EQ(Canonical(R"({"$numberDouble":"-0.0"})"), Expected(R"({ "$numberDouble" : "-0.0" })"));
  EXPECT_EQ(Canonical(R"({"$numberDecimal":"1.50"})"),
            Expected(R"({ "$numberDecimal" : "1.50" })"));
}

TEST(ParseJson, UnmarkedNumbersAreAsNarrowAsTheyCanBe) {
  EXPECT_EQ(Canonical("2147483647"), Expected(R"({ "$numberInt" : "2147483647" })"));
  EXPECT_EQ(Canonical("-2147483648"), Expected(R"({ "$numberInt" : "-2147483648" })"));
  EXPECT_EQ(Canonical("2147483648"), Expected(R"({ "$numberLong" : "2147483648" })"));
  EXPECT_EQ(Canonical("1.0"), Expected(R"({ "$numberDouble" : "1.0" })"));
  EXPECT_EQ(Canonical("9223372036854775808"),
            Expected(R"({ "$numberDouble" : "9223372036854775808.0" })"));
  EXPECT_EQ(Canonical("-0"), Expected(R"({ "$numberDouble" : "-0.0" })"));
}

TEST(ParseJson, EveryOtherType) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {R"({"$oid":"5f0f0f0f0f0f0f0f0f0f0f0f"})", R"({ "$oid" : "5f0f0f0f0f0f0f0f0f0f0f0f" })"},
      {R"({"$date":{"$numberLong":"-1"}})", R"({ "$date" : { "$numberLong" : "-1" } })"},
      {R"({"$date":"1970-01-01T00:00:01.5Z"})", R"({ "$date" : { "$numberLong" : "1500" } })"},
      {R"({"$date":"2026-11-25T10:00:00+01:00"})",
       R"({ "$date" : { "$numberLong" : "1795597200000" } })"},
      {R"({"$date":12})", R"({ "$date" : { "$numberLong" : "12" } })"},
      {R"({"$timestamp":{"t":7,"i":4294967295}})",
       R"({ "$timestamp" : { "t" : 7, "i" : 4294967295 } })"},
      {R"({"$binary":{"base64":"AQI=","subType":"80"}})",
       R"({ "$binary" : { "base64" : "AQI=", "subType" : "80" } })"},
      {R"({"$binary":"AQI=","$type":"00"})",
       R"({ "$binary" : { "base64" : "AQI=", "subType" : "00" } })"},
      {R"({"$binary":{"base64":"AQI=","subType":"02"}})",
       R"({ "$binary" : { "base64" : "AQI=", "subType" : "02" } })"},
      {R"({"$uuid":"c8edabc3-f738-4ca3-b68d-ab92a91478a3"})",
       R"({ "$binary" : { "base64" : "yO2rw/c4TKO2jauSqRR4ow==", "subType" : "04" } })"},
      {R"({"$regularExpression":{"pattern":"^a","options":"i"}})",
       R"({ "$regularExpression" : { "pattern" : "^a", "options" : "i" } })"},
      {R"j({"$code":"f()"})j", R"j({ "$code" : "f()" })j"},
      {R"j({"$code":"f()","$scope":{"a":{"$numberInt":"1"}}})j",
       R"j({ "$code" : "f()", "$scope" : { "a" : { "$numberInt" : "1" } } })j"},
      {R"({"$symbol":"s"})", R"({ "$symbol" : "s" })"},
      {R"({"$minKey":1})", R"({ "$minKey" : 1 })"},
      {R"({"$maxKey":1})", R"({ "$maxKey" : 1 })"},
      {R"({"$undefined":true})", R"({ "$undefined" : true })"},
      {"[ true , false, null, \"x\" ]", R"([ true, false, null, "x" ])"},
      {"{}", "{  }"},
      {"[]", "[  ]"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Canonical(text), Expected(expected)) << text;
  }
}

TEST(ParseJson, DbPointerIsItsBytes) {
  const Bytes bytes =
      ParseJson(R"({"v":{"$dbPointer":{"$ref":"a.b","$id":{"$oid":"0102030405060708090a0b0c"}}}})");
  const Element element = *Document(bytes).begin();
  EXPECT_EQ(element.type, Type::kDbPointer);
  EXPECT_EQ(HexEncode(element.value), "04000000612e62000102030405060708090a0b0c");
}

TEST(ParseJson, OperatorsAreNoMarkers) {
  EXPECT_EQ(Canonical(R"({"$gt":{"$numberInt":"5"}})"),
            Expected(R"({ "$gt" : { "$numberInt" : "5" } })"));
  EXPECT_EQ(Canonical(R"({"$ref":"c","$id":{"$numberInt":"1"}})"),
            Expected(R"({ "$ref" : "c", "$id" : { "$numberInt" : "1" } })"));
}

// Validators and partial indexes hold either.
TEST(ParseJson, RegexOfTheStrictModeIsAnOperatorInVersion2) {
  const char* text = R"({"$regex":"^a","$options":"i"})";
  const Element operators = *Document(ParseJson("{\"v\":" + std::string(text) + "}")).begin();
  EXPECT_EQ(operators.type, Type::kDocument);
  EXPECT_EQ(Canonical(text, RegexForm::kStrictMode),
            Expected(R"({ "$regularExpression" : { "pattern" : "^a", "options" : "i" } })"));
  const Bytes other = ParseJson(R"({"v":{"$regex":"^a","$in":[]},"w":{"$regex":{"$options":1}}})",
                                RegexForm::kStrictMode);
  for (const Element& element : Document(other)) {
    EXPECT_EQ(element.type, Type::kDocument);
  }
}

TEST(ParseJson, NamesKeepOrderAndRepeat) {
  const Bytes bytes = ParseJson(R"({"b":1,"a":2,"b":3,"":4})");
  std::vector<std::string> names;
  for (const Element& element : Document(bytes)) {
    names.emplace_back(element.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"b", "a", "b", ""}));
}

TEST(ParseJson, EscapesOfStrings) {
  const Bytes bytes = ParseJson(R"({"v":"\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00\u0000."})");
  EXPECT_EQ(Document(bytes).begin()->AsString(),
            std::string_view("\"\\/\b\f\n\r\tA\xc3\xa4\xf0\x9f\x98\x80\0.", 17));
}

TEST(ParseJson, WhatIsNotExtendedJsonIsRefused) {
  for (const char* text : {"",
                           " ",
                           "[]",
                           "{",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":1.}",
                           "{\"a\":1e}",
                           "{\"a\":1e999}",
                           "{\"a\":-}",
                           "{\"a\":NaN}",
                           "{\"a\":tru}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1 2]}",
                           "{\"a\":1}x",
                           "{\"a\":1}{}",
                           "{a:1}",
                           "{\"a\":'x'}",
                           "{\"a\":\"\n\"}",
                           R"({"a":"\x"})",
                           R"({"a":"\u12"})",
                           R"({"a":"\ud800"})",
                           R"({"a":"\ud800\u0041"})",
                           R"({"a":"\udc00"})",
                           R"({"a\u0000":1})",
                           R"({"a":{"$oid":"12"}})",
                           R"({"a":{"$oid":"zz0102030405060708090a0b"}})",
                           R"({"a":{"$oid":1}})",
                           R"({"a":{"$oid":"0102030405060708090a0b0c","b":1}})",
                           R"({"a":{"$numberInt":"2147483648"}})",
                           R"({"a":{"$numberInt":1}})",
                           R"({"a":{"$numberInt":""}})",
                           R"({"a":{"$numberLong":"1.5"}})",
                           R"({"a":{"$numberDouble":"inf"}})",
                           R"({"a":{"$numberDouble":""}})",
                           R"({"a":{"$numberDouble":"1.0x"}})",
                           R"({"a":{"$numberDecimal":"x"}})",
                           R"({"a":{"$date":"2026-13-01T00:00:00Z"}})",
                           R"({"a":{"$date":"2026-01-01"}})",
                           R"({"a":{"$timestamp":{"t":-1,"i":0}}})",
                           R"({"a":{"$timestamp":{"i":0,"t":0}}})",
                           R"({"a":{"$binary":{"base64":"A","subType":"00"}}})",
                           R"({"a":{"$binary":{"base64":"AQI=","subType":"100"}}})",
                           R"({"a":{"$binary":{"base64":"AQI=","subType":""}}})",
                           R"({"a":{"$uuid":"12"}})",
                           R"({"a":{"$regularExpression":{"pattern":"\u0000","options":""}}})",
                           R"({"a":{"$minKey":2}})",
                           R"({"a":{"$undefined":false}})"}) {
    ExpectRefused(text);
  }
}

TEST(ParseJson, DepthIsBounded) {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) {
      text += "{\"a\":";
    }
    return text + "1" + std::string(static_cast<std::size_t>(levels), '}');
  };
  EXPECT_NO_THROW(Validate(ParseJson(nested(kMaxDepth))));
  ExpectRefused(nested(kMaxDepth + 1));
  ExpectRefused(nested(100'000));
  ExpectRefused("{\"a\":" + std::string(100'000, '['));
}

TEST(ParseJson, SizeOfTheBsonIsBounded) {
  std::string text = "{\"a\":[0";
  while (text.size() < kMaxDocumentSize / 4) {
    text += ",0";
  }
  ExpectRefused(text + "]}");
}

TEST(ParseJson, EveryTruncationIsRefused) {
  const std::string text =
      R"({"a":{"$numberInt":"1"},"b":[1.5,{"$date":{"$numberLong":"7"}}],"c":{"d":"\u00e4"}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    ExpectRefused(text.substr(0, size));
  }
}

}  // namespace
}  // namespace tidemark::bson
