#include "bson/extended_json.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"

namespace tidemark::bson {
namespace {

std::string Json(ByteView document, JsonForm form = JsonForm::kCanonical) {
  std::string out;
  AppendJson(Document(document), form, out);
  return out;
}

std::string DoubleText(double number, JsonForm form = JsonForm::kRelaxed) {
  const std::string json = Json(Builder().Append("d", number).Finish(), form);
  return json.substr(5, json.size() - 6);  // {"d":...}
}

// A document of one field "v" whose bytes the builder would not write.
Bytes Raw(std::uint8_t type, std::string_view value) {
  Bytes bytes(4);
  bytes.push_back(type);
  bytes.insert(bytes.end(), {'v', 0});
  bytes.insert(bytes.end(), value.begin(), value.end());
  bytes.push_back(0);
  StoreLe32(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  return bytes;
}

TEST(ExtendedJson, EveryTypeIsWrittenAsTheSpecificationSays) {
  constexpr std::string_view kAll =
      R"({"a":{"$numberInt":"-1"},"b":{"$numberLong":"9007199254740993"},)"
      R"("c":{"$numberDouble":"1.5"},"d":"x","e":{"f":[{"$numberInt":"1"},[],{}]},)"
      R"("g":{"$binary":{"base64":"AQID","subType":"04"}},"h":{"$undefined":true},)"
      R"("i":{"$oid":"57e193d7a9cc81b4027498b5"},"j":true,"k":{"$date":{"$numberLong":"-1"}},)"
      R"("l":null,"m":{"$regularExpression":{"pattern":"a/\"b","options":"im"}},)"
      R"("n":{"$dbPointer":{"$ref":"b.c","$id":{"$oid":"57e193d7a9cc81b4027498b1"}}},)"
      R"("o":{"$code":"f(x) "},"p":{"$symbol":"s"},)"
      R"("q":{"$code":"g(x) ","$scope":{"z":{"$numberInt":"2"}}},)"
      R"("r":{"$timestamp":{"t":4000000000,"i":2}},"s":{"$numberDecimal":"1.20E+10"},)"
      R"("t":{"$minKey":1},"u":{"$maxKey":1}})";
  EXPECT_EQ(Json(FromJson(kAll)), kAll);
}

TEST(ExtendedJson, RelaxedWritesNumbersAndDatesAsPeopleDo) {
  const Bytes document = FromJson(
      R"({"i":{"$numberInt":"7"},"l":{"$numberLong":"9007199254740993"},"d":{"$numberDouble":"2.0"},)"
      R"("nan":{"$numberDouble":"NaN"},"t":{"$date":{"$numberLong":"1356351330500"}},)"
      R"("whole":{"$date":{"$numberLong":"1356351330000"}},"old":{"$date":{"$numberLong":"-1"}},)"
      R"("far":{"$date":{"$numberLong":"253402300800000"}}})");
  EXPECT_EQ(Json(document, JsonForm::kRelaxed),
            R"({"i":7,"l":9007199254740993,"d":2.0,"nan":{"$numberDouble":"NaN"},)"
            R"("t":{"$date":"2012-12-24T12:15:30.5Z"},"whole":{"$date":"2012-12-24T12:15:30Z"},)"
            R"("old":{"$date":{"$numberLong":"-1"}},)"
            R"("far":{"$date":{"$numberLong":"253402300800000"}}})");
}

// The right-hand sides are what Go prints for strconv.FormatFloat(x, 'G', -1, 64).
TEST(ExtendedJson, DoublesAreThoseOfGo) {
  EXPECT_EQ(DoubleText(0), "0.0");
  EXPECT_EQ(DoubleText(-0.0), "-0.0");
  EXPECT_EQ(DoubleText(-0.5), "-0.5");
  EXPECT_EQ(DoubleText(100000), "100000.0");
  EXPECT_EQ(DoubleText(999999), "999999.0");
  EXPECT_EQ(DoubleText(1000000), "1E+06");
  EXPECT_EQ(DoubleText(1234567), "1.234567E+06");
  EXPECT_EQ(DoubleText(123456.75), "123456.75");
  EXPECT_EQ(DoubleText(0.0001), "0.0001");
  EXPECT_EQ(DoubleText(0.00001), "1E-05");
  EXPECT_EQ(DoubleText(5e-324), "5E-324");
  EXPECT_EQ(DoubleText(1.7976931348623157e308), "1.7976931348623157E+308");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(DoubleText(-kInfinity), R"({"$numberDouble":"-Infinity"})");
  EXPECT_EQ(DoubleText(kInfinity, JsonForm::kCanonical), R"({"$numberDouble":"Infinity"})");
}

TEST(ExtendedJson, TextIsEscapedAsGoDoes) {
  using namespace std::string_view_literals;
  const Bytes document =
      Builder().Append("k\n\"", "<&>\\\b\f\r\t\x01\x7f/\0\xe2\x80\xa8\xc3\xa4"sv).Finish();
  EXPECT_EQ(Json(document),
            "{\"k\\n\\\"\":\"<&>\\\\\\b\\f\\r\\t\\u0001\x7f/\\u0000\\u2028\xc3\xa4\"}");
}

TEST(ExtendedJson, EachByteThatIsNotUtf8BecomesOneReplacement) {
  const Bytes document = Builder()
                             .Append("t",
                                     "a\xff\xc0\x80\xed\xa0"
                                     "\x80\xf5z\xe2\x82")
                             .Finish();
  EXPECT_EQ(Json(document),
            "{\"t\":"
            "\"a\\ufffd\\ufffd\\ufffd"
            "\\ufffd\\ufffd\\ufffd\\u"
            "fffdz\\ufffd\\ufffd\"}");
}

TEST(ExtendedJson, ArraysAreWrittenWithoutTheirNames) {
  EXPECT_EQ(Json(Builder().AppendArray("a", Document()).Finish()), R"({"a":[]})");
}

TEST(ExtendedJson, NestingIsBounded) {
  Bytes document = Builder().Finish();
  for (int depth = 1; depth < kMaxDepth; ++depth) {
    document = Builder().Append("d", Document(document)).Finish();
  }
  EXPECT_NO_THROW(Json(document));
  EXPECT_THROW(Json(Builder().Append("d", Document(document)).Finish()), Error);
}

TEST(ExtendedJson, MalformedCodeWithScopeIsRefused) {
  using namespace std::string_view_literals;
  // Size 19, code of 100 bytes in a
  // value that ends before.
  EXPECT_THROW(Json(Raw(0x0f, "\x13\0\0\0\x64\0\0\0ab\0\x05\0\0\0\0abc\0"sv)), Error);
  EXPECT_THROW(Json(Raw(0x0f, "\x13\0\0\0\0\0\0\0ab\0\x05\0\0\0\0abc\0"sv)), Error);
}

}  // namespace
}  // namespace tidemark::bson
