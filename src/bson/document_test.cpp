#include "bson/document.h"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "bson/builder.h"
#include "tests/support/caught_error.h"

namespace tidemark::bson {
namespace {

// One of every type.
Bytes Everything() {
  return FromJson(R"({
      "double": {"$numberDouble": "1.5"}, "string": "s", "object": {"a": {"b": null}},
      "array": [1, [2, "x"]], "binary": {"$binary": {"base64": "AQID", "subType": "80"}},
      "undefined": {"$undefined": true}, "oid": {"$oid": "0123456789abcdef01234567"},
      "bool": true, "date": {"$date": {"$numberLong": "1"}}, "null": null,
      "regex": {"$regularExpression": {"pattern": "^a", "options": "i"}},
      "pointer": {"$dbPointer": {"$ref": "c", "$id": {"$oid": "0123456789abcdef01234567"}}},
      "code": {"$code": "f;"}, "symbol": {"$symbol": "y"},
      "scoped": {"$code": "g;", "$scope": {"v": 1}}, "int": 7,
      "timestamp": {"$timestamp": {"t": 1, "i": 2}}, "long": {"$numberLong": "9"},
      "decimal": {"$numberDecimal": "2.5"}, "min": {"$minKey": 1}, "max": {"$maxKey": 1}})");
}

// `{<type> "a": <value>}` without regard for whether the value fits the type.
Bytes Raw(Type type, const Bytes& value) {
  Bytes bytes{0, 0, 0, 0, static_cast<std::uint8_t>(type), 'a', 0};
  bytes.insert(bytes.end(), value.begin(), value.end());
  bytes.push_back(0);
  StoreLe32(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  return bytes;
}

Bytes Nested(int levels) {
  Bytes bytes = Builder().Finish();
  for (int i = 1; i < levels; ++i) {
    bytes = Builder().Append("n", Document(bytes)).Finish();
  }
  return bytes;
}

std::string ValidationError(const Bytes& bytes) {
  const Error error = Catch([&] { Validate(bytes); });
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  return std::string(error.message());
}

std::size_t CountElements(const Document& document) {
  std::size_t count = 0;
  for (const Element& element : document) {
    count += element.name.empty() ? 0 : 1;
  }
  return count;
}

}  // namespace

TEST(Document, EmptyOneHasNoElements) {
  const Document document;
  EXPECT_TRUE(document.empty());
  EXPECT_EQ(document.size(), 5U);
  EXPECT_TRUE(document.begin() == document.end());
  EXPECT_FALSE(document.Find("a"));
}

TEST(Document, IteratesOverEveryTypeInOrder) {
  const Bytes bytes = Everything();
  std::string names;
  for (const Element& element : Document(bytes)) {
    names.append(element.name).append(" ");
  }
  EXPECT_EQ(names,
            "double string object array binary undefined oid bool date null regex pointer code "
            "symbol scoped int timestamp long decimal min max ");
  EXPECT_NO_THROW(Validate(bytes));
}

TEST(Document, FindGivesTheFirstOfThatName) {
  const Bytes bytes = Builder()
                          .Append("ab", std::int32_t{1})
                          .Append("a", std::int32_t{2})
                          .Append("a", std::int32_t{3})
                          .Finish();
  EXPECT_EQ(Document(bytes).Find("a")->AsInteger(), 2);
  EXPECT_FALSE(Document(bytes).Find("b"));
}

TEST(Document, RefusesABadFrame) {
  EXPECT_EQ(Catch([] { Document(Bytes{5, 0, 0}); }).message(),
            "reading BSON: 3 bytes are too few for a document");
  EXPECT_EQ(Catch([] { Document(Bytes{4, 0, 0, 0, 0}); }).message(),
            "reading BSON: document size 4 is out of range");
  EXPECT_EQ(Catch([] { Document(Bytes{1, 0, 0, 3, 0}); }).message(),
            "reading BSON: document size 50331649 is out of range");
  EXPECT_EQ(Catch([] { Document(Bytes{6, 0, 0, 0, 0}); }).message(),
            "reading BSON: document says 6 bytes, has 5");
  EXPECT_EQ(Catch([] { Document(Bytes{5, 0, 0, 0, 0, 0}); }).message(),
            "reading BSON: document says 5 bytes, has 6");
  EXPECT_EQ(Catch([] { Document(Bytes{5, 0, 0, 0, 1}); }).message(),
            "reading BSON: document does not end with zero");
}

TEST(Document, IterationStopsAtTheFirstMalformedElement) {
  Bytes bytes = Builder().Append("a", true).Append("b", "text").Finish();
  bytes[11] = 200;  // the length of b's value
  const Document document(bytes);
  auto at = document.begin();
  EXPECT_EQ(at->name, "a");
  const Error error = Catch([&] { ++at; });
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_EQ(error.message(), "reading BSON field \"b\": value runs past the end of the document");
}

TEST(Document, FrontDocumentSizeLooksAtTheFrontOnly) {
  Bytes bytes = Builder().Append("a", true).Finish();
  const std::size_t size = bytes.size();
  bytes.insert(bytes.end(), {9, 9, 9});
  EXPECT_EQ(FrontDocumentSize(bytes), size);
}

TEST(Element, AccessorsAnswerOnlyForTheirType) {
  const Bytes bytes = Everything();
  const Document document(bytes);
  EXPECT_EQ(document.Find("string")->AsString(), "s");
  EXPECT_FALSE(document.Find("symbol")->AsString());
  EXPECT_EQ(document.Find("bool")->AsBool(), true);
  EXPECT_FALSE(document.Find("int")->AsBool());
  EXPECT_EQ(document.Find("int")->AsInteger(), 7);
  EXPECT_EQ(document.Find("long")->AsInteger(), 9);
  EXPECT_FALSE(document.Find("double")->AsInteger());
  EXPECT_FALSE(document.Find("decimal")->AsInteger());
  EXPECT_EQ(document.Find("object")->AsDocument()->begin()->name, "a");
  EXPECT_EQ(CountElements(*document.Find("array")->AsDocument()), 2U);
  EXPECT_FALSE(document.Find("scoped")->AsDocument());
}

TEST(Element, AsIntegerTakesADoubleThatIsIntegral) {
  const auto as_integer = [](double value) {
    const Bytes bytes = Builder().Append("d", value).Finish();
    return Document(bytes).begin()->AsInteger();
  };
  EXPECT_EQ(as_integer(-3.0), -3);
  EXPECT_EQ(as_integer(-0x1p63), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(as_integer(0x1p63));
  EXPECT_FALSE(as_integer(0.5));
  EXPECT_FALSE(as_integer(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(as_integer(std::numeric_limits<double>::infinity()));
}

TEST(Validate, NamesWhatIsWrongWithAValue) {
  EXPECT_EQ(ValidationError(Raw(Type::kBoolean, {2})),
            "reading BSON field \"a\": boolean is neither 0 nor 1");
  EXPECT_EQ(ValidationError(Raw(static_cast<Type>(0x20), {})),
            "reading BSON field \"a\": unknown type 32");
  EXPECT_EQ(ValidationError(Raw(Type::kString, {0, 0, 0, 0})),
            "reading BSON field \"a\": length 0 is too small for the type");
  EXPECT_EQ(ValidationError(Raw(Type::kString, {2, 0, 0, 0, 'x', 'y'})),
            "reading BSON field \"a\": value does not end with zero");
  EXPECT_EQ(ValidationError(Raw(Type::kString, {255, 255, 255, 255, 0})),
            "reading BSON field \"a\": value runs past the end of the document");
  EXPECT_EQ(ValidationError(Raw(Type::kDocument, {4, 0, 0, 0})),
            "reading BSON field \"a\": length 4 is too small for the type");
  EXPECT_EQ(ValidationError(Raw(Type::kInt64, {1, 2, 3})),
            "reading BSON field \"a\": value runs past the end of the document");
  EXPECT_EQ(ValidationError(Raw(Type::kRegex, {'x', 0})),
            "reading BSON field \"a\": value runs past the end of the document");
  EXPECT_EQ(ValidationError(Raw(Type::kCodeWithScope, {14, 0, 0, 0, 9, 0, 0, 0, 0, 5, 0, 0, 0, 0})),
            "reading BSON field \"a\": code does not fit its value");
  EXPECT_EQ(ValidationError({8, 0, 0, 0, 8, 'a', 'b', 0}),
            "reading BSON: field name runs past the end of the document");
  EXPECT_EQ(ValidationError({6, 0, 0, 0, 0, 0}),
            "reading BSON: field name runs past the end of the document");
}

TEST(Validate, SaysWhereTheMistakeIs) {
  const Bytes inner = Raw(Type::kBoolean, {9});
  const Bytes middle = Builder().Append("m", Document(inner)).Finish();
  const Bytes outer = Builder().Append("o", Document(middle)).Finish();
  EXPECT_EQ(ValidationError(outer),
            "checking BSON at \"o.m\": reading BSON field \"a\": boolean is neither 0 nor 1");
}

TEST(Validate, BoundsTheDepth) {
  EXPECT_NO_THROW(Validate(Nested(kMaxDepth)));
  EXPECT_THAT(ValidationError(Nested(kMaxDepth + 1)),
              testing::EndsWith("reading BSON: documents are nested more than 200 deep"));
}

TEST(Validate, BoundsTheNamesItRepeats) {
  const Bytes bytes =
      Builder().Append(std::string(1000, 'n'), Document(Raw(Type::kBoolean, {9}))).Finish();
  EXPECT_LT(ValidationError(bytes).size(), 200U);
}

TEST(Validate, RefusesEveryTruncation) {
  const Bytes bytes = Everything();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(Validate(ByteView(bytes).first(size)), Error) << size;
  }
}

TEST(Validate, ReadsNothingOutsideWhateverTheDamage) {
  const Bytes bytes = Everything();
  SeededRandom random(11);
  for (int round = 0; round < 20000; ++round) {
    Bytes damaged = bytes;
    damaged[random.Next() % damaged.size()] = static_cast<std::uint8_t>(random.Next());
    try {
      Validate(damaged);
      CountElements(Document(damaged));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kCorrupt);
    }
  }
}

TEST(ToJson, WritesCanonicalForm) {
  const Bytes bytes = Builder().Append("a", std::int64_t{1}).Append("b", "x\"y").Finish();
  EXPECT_EQ(ToJson(Document(bytes)), R"({ "a" : { "$numberLong" : "1" }, "b" : "x\"y" })");
  EXPECT_EQ(ToJson(Document()), "{ }");
  EXPECT_EQ(FromJson(ToJson(Document(Everything()))), Everything());
}

TEST(ToJson, RefusesTextThatIsNotUtf8) {
  const Bytes bytes = Builder().Append("a", "\xff").Finish();
  const Error error = Catch([&] { ToJson(Document(bytes)); });
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_EQ(error.message(),
            "writing BSON as JSON: the document is malformed or holds text that is not UTF-8");
}

}  // namespace tidemark::bson
