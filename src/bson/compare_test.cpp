#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"
#include "bson/document.h"

namespace tidemark::bson {
namespace {

// Keeps the bytes of a value written as extended JSON.
class Value {
 public:
  explicit Value(std::string_view json) : bytes_(FromJson("{\"v\": " + std::string(json) + "}")) {}

  explicit Value(Bytes bytes) : bytes_(std::move(bytes)) {}

  Element element() const { return *Document(bytes_).begin(); }

 private:
  Bytes bytes_;
};

Value MakeDouble(double value) {
  return Value(Builder().Append("v", value).Finish());
}

Value MakeBinary(const Bytes& bytes) {
  return Value(Builder().AppendBinary("v", bytes).Finish());
}

int Compare(const Value& a, const Value& b) {
  const std::weak_ordering order = CompareValues(a.element(), b.element());
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int Compare(std::string_view a, std::string_view b) {
  return Compare(Value(a), Value(b));
}

// Every pair, in both directions.
void ExpectAscending(const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      const int expected = i < j ? -1 : (i > j ? 1 : 0);
      EXPECT_EQ(Compare(values[i], values[j]), expected) << values[i] << " and " << values[j];
    }
  }
}

void ExpectAllEqual(const std::vector<std::string>& values) {
  for (const std::string& a : values) {
    for (const std::string& b : values) {
      EXPECT_EQ(Compare(a, b), 0) << a << " and " << b;
    }
  }
}

}  // namespace

TEST(CompareValues, OrdersTheTypes) {
  ExpectAscending({R"({"$minKey": 1})",
                   R"({"$undefined": true})",
                   "null",
                   R"({"$numberDouble": "Infinity"})",
                   "\"\"",
                   "{}",
                   "[]",
                   R"({"$binary": {"base64": "", "subType": "00"}})",
                   R"({"$oid": "000000000000000000000000"})",
                   "false",
                   "true",
                   R"({"$date": {"$numberLong": "-1"}})",
                   R"({"$timestamp": {"t": 0, "i": 0}})",
                   R"({"$regularExpression": {"pattern": "", "options": ""}})",
                   R"({"$dbPointer": {"$ref": "", "$id": {"$oid": "000000000000000000000000"}}})",
                   R"({"$code": ""})",
                   R"({"$code": "", "$scope": {}})",
                   R"({"$maxKey": 1})"});
}

TEST(CompareValues, TreatsSomeTypesAsOne) {
  ExpectAllEqual({"\"s\"", R"({"$symbol": "s"})"});
  ExpectAllEqual({"1",
                  R"({"$numberLong": "1"})",
                  R"({"$numberDouble": "1.0"})",
                  R"({"$numberDecimal": "1"})",
                  R"({"$numberDecimal": "1.000"})",
                  R"({"$numberDecimal": "0.1E+1"})"});
  ExpectAllEqual({"0",
                  R"({"$numberLong": "0"})",
                  R"({"$numberDouble": "-0.0"})",
                  R"({"$numberDecimal": "-0"})",
                  R"({"$numberDecimal": "0E+100"})"});
  ExpectAllEqual({R"({"$numberDouble": "NaN"})", R"({"$numberDecimal": "NaN"})"});
  ExpectAllEqual({R"({"$numberDouble": "Infinity"})", R"({"$numberDecimal": "Infinity"})"});
  ExpectAllEqual({R"({"$numberDouble": "0.5"})", R"({"$numberDecimal": "0.50"})"});
}

TEST(CompareValues, OrdersNumbersByValueAcrossTypes) {
  ExpectAscending({R"({"$numberDouble": "NaN"})",
                   R"({"$numberDecimal": "-Infinity"})",
                   R"({"$numberDecimal": "-9.99E+6144"})",
                   R"({"$numberDouble": "-1.7976931348623157e308"})",
                   R"({"$numberLong": "-9223372036854775808"})",
                   R"({"$numberLong": "-9223372036854775807"})",
                   R"({"$numberDecimal": "-2.5"})",
                   R"({"$numberDouble": "-2.25"})",
                   "-2",
                   R"({"$numberDouble": "-1.5"})",
                   "-1",
                   R"({"$numberDouble": "-5e-324"})",
                   R"({"$numberDecimal": "-1E-6176"})",
                   "0",
                   R"({"$numberDecimal": "1E-6176"})",
                   R"({"$numberDouble": "5e-324"})",
                   "1",
                   R"({"$numberDouble": "1.5"})",
                   "2",
                   R"({"$numberLong": "9223372036854775806"})",
                   R"({"$numberLong": "9223372036854775807"})",
                   R"({"$numberDouble": "9223372036854775808"})",
                   R"({"$numberDecimal": "9223372036854775809"})",
                   R"({"$numberDouble": "1.7976931348623157e308"})",
                   R"({"$numberDecimal": "9.99E+6144"})",
                   R"({"$numberDouble": "Infinity"})"});
}

TEST(CompareValues, LosesNoBitBetweenInt64AndDouble) {
  // 2^53 + 1 is no double.
  EXPECT_EQ(Compare(Value(R"({"$numberLong": "9007199254740993"})"), MakeDouble(0x1p53)), 1);
  EXPECT_EQ(Compare(Value(R"({"$numberLong": "9007199254740992"})"), MakeDouble(0x1p53)), 0);
  EXPECT_EQ(Compare(MakeDouble(0x1p53), Value(R"({"$numberLong": "9007199254740993"})")), -1);
  EXPECT_EQ(Compare(MakeDouble(-0x1p63), Value(R"({"$numberLong": "-9223372036854775808"})")), 0);
}

TEST(CompareValues, ComparesDecimalWithDoubleByAllDigits) {
  // The double nearest to 0.1 is a little more than 0.1.
  EXPECT_EQ(Compare(Value(R"({"$numberDecimal": "0.1"})"), MakeDouble(0.1)), -1);
  EXPECT_EQ(Compare(Value(R"({"$numberDecimal": "0.1000000000000000055511151231257828"})"),
                    MakeDouble(0.1)),
            1);
  EXPECT_EQ(Compare(Value(R"({"$numberDecimal": "-0.1"})"), MakeDouble(-0.1)), 1);
}

TEST(CompareValues, ReadsNonCanonicalDecimalsAsZero) {
  Bytes bytes = FromJson(R"({"v": {"$numberDecimal": "1"}})");
  for (const std::uint64_t high : {0x6000000000000001ULL, 0x3041ffffffffffffULL}) {
    StoreLe64(bytes.data() + 15, high);
    EXPECT_EQ(Compare(Value(bytes), Value("0")), 0) << high;
  }
}

TEST(CompareValues, OrdersStringsByTheirBytes) {
  ExpectAscending({"\"\"", "\"A\"", "\"Ab\"", "\"a\"", "\"a\\u0000\"", "\"aa\"", "\"\u00e9\""});
}

TEST(CompareValues, OrdersObjectsByTypeThenNameThenValue) {
  ExpectAscending({"{}",
                   R"({"z": null})",
                   R"({"a": 1})",
                   R"({"a": 1, "b": 1})",
                   R"({"a": 2})",
                   R"({"b": 0})",
                   R"({"a": "1"})"});
  EXPECT_EQ(Compare(R"({"a": 1, "b": 2})", R"({"b": 2, "a": 1})"), -1);
  ExpectAllEqual({R"({"a": {"b": 1}})", R"({"a": {"b": {"$numberLong": "1"}}})"});
}

TEST(CompareValues, OrdersArraysElementByElement) {
  ExpectAscending({"[]", "[null]", "[1]", "[1, 2]", "[2]", "[\"a\"]", "[{}]", "[[]]", "[[1]]"});
}

TEST(CompareValues, OrdersBinaryByLengthThenSubtypeThenBytes) {
  ExpectAscending({R"({"$binary": {"base64": "", "subType": "00"}})",
                   R"({"$binary": {"base64": "/w==", "subType": "00"}})",
                   R"({"$binary": {"base64": "AA==", "subType": "05"}})",
                   R"({"$binary": {"base64": "AAA=", "subType": "00"}})"});
  EXPECT_EQ(Compare(MakeBinary({0x7f, 0}), MakeBinary({0x80, 0})), -1);
}

TEST(CompareValues, OrdersTheRestByValue) {
  ExpectAscending({R"({"$date": {"$numberLong": "-1"}})",
                   R"({"$date": {"$numberLong": "0"}})",
                   R"({"$date": {"$numberLong": "5000000000"}})",
                   R"({"$timestamp": {"t": 1, "i": 4294967295}})",
                   R"({"$timestamp": {"t": 2, "i": 0}})",
                   R"({"$timestamp": {"t": 4294967295, "i": 0}})",
                   R"({"$regularExpression": {"pattern": "a", "options": "x"}})",
                   R"({"$regularExpression": {"pattern": "ab", "options": ""}})",
                   R"({"$regularExpression": {"pattern": "ab", "options": "i"}})",
                   R"({"$dbPointer": {"$ref": "z", "$id": {"$oid": "000000000000000000000001"}}})",
                   R"({"$dbPointer": {"$ref": "aa", "$id": {"$oid": "000000000000000000000000"}}})",
                   R"({"$code": "a"})",
                   R"({"$code": "b"})",
                   R"({"$code": "a", "$scope": {"x": 1}})",
                   R"({"$code": "a", "$scope": {"x": 2}})",
                   R"({"$code": "b", "$scope": {}})"});
  ExpectAscending({R"({"$oid": "00000000000000000000007f"})",
                   R"({"$oid": "000000000000000000000080"})",
                   R"({"$oid": "010000000000000000000000"})"});
}

TEST(CompareValues, IgnoresTheNamesOfTheTwoElements) {
  const Bytes a = Builder().Append("x", true).Finish();
  const Bytes b = Builder().Append("y", true).Finish();
  EXPECT_TRUE(CompareValues(*Document(a).begin(), *Document(b).begin()) == 0);
}

TEST(CompareValues, BoundsTheDepth) {
  Bytes bytes = Builder().Finish();
  for (int i = 0; i <= kMaxDepth; ++i) {
    bytes = Builder().Append("n", Document(bytes)).Finish();
  }
  const Value deep(bytes);
  try {
    CompareValues(deep.element(), deep.element());
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_EQ(error.message(), "comparing BSON: documents are nested more than 200 deep");
  }
}

}  // namespace tidemark::bson
