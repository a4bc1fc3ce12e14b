#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "bson/builder.h"
#include "bson/document.h"

// CompareValues as an order: what the manual's "Comparison/Sort Order" says of every pair of types,
// and what any order must be, over values that nobody picked by hand.
namespace tidemark::bson {
namespace {

class Value {
 public:
  explicit Value(std::string json)
      : json_(std::move(json)), bytes_(FromJson("{\"v\": " + json_ + "}")) {}

  Element element() const { return *Document(bytes_).begin(); }

  const std::string& json() const { return json_; }

 private:
  std::string json_;
  Bytes bytes_;
};

int Compare(const Value& a, const Value& b) {
  const std::weak_ordering order = CompareValues(a.element(), b.element());
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

std::string Double(std::string_view text) {
  return R"({"$numberDouble": ")" + std::string(text) + R"("})";
}

std::string Int32(std::string_view text) {
  return R"({"$numberInt": ")" + std::string(text) + R"("})";
}

std::string Int64(std::string_view text) {
  return R"({"$numberLong": ")" + std::string(text) + R"("})";
}

std::string Decimal(std::string_view text) {
  return R"({"$numberDecimal": ")" + std::string(text) + R"("})";
}

using Classes = std::vector<std::vector<std::string>>;

// Values of one class are equal, those of a later class are greater: every pair, both ways.
void ExpectOrder(const Classes& classes) {
  struct Placed {
    std::size_t place;
    Value value;
  };

  std::vector<Placed> placed;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    for (const std::string& json : classes[i]) {
      placed.push_back({i, Value(json)});
    }
  }
  for (const Placed& a : placed) {
    for (const Placed& b : placed) {
      const int expected = a.place < b.place ? -1 : (a.place > b.place ? 1 : 0);
      EXPECT_EQ(Compare(a.value, b.value), expected) << a.value.json() << " " << b.value.json();
    }
  }
}

TEST(CompareOrder, EveryPairOfTypes) {
  ExpectOrder({
      {R"({"$minKey": 1})"},
      {R"({"$undefined": true})"},
      {"null"},
      {Double("NaN"), Decimal("NaN")},
      {Double("-Infinity"), Decimal("-Infinity")},
      {Int32("-1"), Int64("-1"), Double("-1"), Decimal("-1")},
      {Int32("0"), Int64("0"), Double("-0.0"), Decimal("-0E-10")},
      {Double("Infinity"), Decimal("Infinity")},
      {R"("")", R"({"$symbol": ""})"},
      {R"("MinKey")", R"({"$symbol": "MinKey"})"},
      {R"("null")"},
      {"{}"},
      {R"({"a": {"$minKey": 1}})"},
      {R"({"a": 1})", R"({"a": 1.0})"},
      {R"({"a": {"$maxKey": 1}})"},
      {"[]"},
      {R"([{"$minKey": 1}])"},
      {R"([{"$maxKey": 1}])"},
      {R"({"$binary": {"base64": "", "subType": "00"}})"},
      {R"({"$binary": {"base64": "AA==", "subType": "80"}})"},
      {R"({"$oid": "000000000000000000000000"})"},
      {R"({"$oid": "ffffffffffffffffffffffff"})"},
      {"false"},
      {"true"},
      {R"({"$date": {"$numberLong": "-9223372036854775808"}})"},
      {R"({"$date": {"$numberLong": "9223372036854775807"}})"},
      {R"({"$timestamp": {"t": 0, "i": 0}})"},
      {R"({"$timestamp": {"t": 4294967295, "i": 4294967295}})"},
      {R"({"$regularExpression": {"pattern": "", "options": ""}})"},
      {R"({"$regularExpression": {"pattern": "z", "options": "i"}})"},
      {R"({"$dbPointer": {"$ref": "", "$id": {"$oid": "000000000000000000000000"}}})"},
      {R"({"$dbPointer": {"$ref": "z", "$id": {"$oid": "000000000000000000000000"}}})"},
      {R"({"$code": ""})"},
      {R"({"$code": "z"})"},
      {R"({"$code": "", "$scope": {}})"},
      {R"({"$code": "z", "$scope": {"a": 1}})"},
      {R"({"$maxKey": 1})"},
  });
}

TEST(CompareOrder, NumbersAtTheEdgesOfTheirTypes) {
  ExpectOrder({
      {Double("NaN"), Decimal("NaN")},
      {Double("-Infinity"), Decimal("-Infinity")},
      {Decimal("-9.999999999999999999999999999999999E+6144")},
      {Double("-1.7976931348623157e308")},
      {Decimal("-9223372036854775809")},
      {Double("-9223372036854775808"),
       Int64("-9223372036854775808"),
       Decimal("-9223372036854775808")},
      {Int64("-9223372036854775807"), Decimal("-9223372036854775807")},
      {Int64("-9007199254740993"), Decimal("-9007199254740993")},
      {Double("-9007199254740992"), Int64("-9007199254740992"), Decimal("-9.007199254740992E+15")},
      {Double("-9007199254740991"), Int64("-9007199254740991"), Decimal("-9007199254740991.0")},
      {Int64("-2147483649"), Double("-2147483649")},
      {Int32("-2147483648"), Int64("-2147483648"), Double("-2147483648"), Decimal("-2147483648")},
      {Double("-1.5"), Decimal("-1.50")},
      {Int32("-1"), Int64("-1"), Double("-1.0"), Decimal("-1.000"), Decimal("-0.1E+1")},
      {Decimal("-1E-6176")},
      {Int32("0"),
       Int64("0"),
       Double("0.0"),
       Double("-0.0"),
       Decimal("0"),
       Decimal("-0"),
       Decimal("0E+6111"),
       Decimal("0E-6176")},
      {Decimal("1E-6176")},
      {Double("5e-324")},
      {Decimal("0.1"), Decimal("0.10")},
      {Double("0.1")},  // a little more
      {Double("0.5"), Decimal("0.5")},
      {Int32("1"), Int64("1"), Double("1.0"), Decimal("1"), Decimal("1.0"), Decimal("10E-1")},
      {Int32("2147483647"), Int64("2147483647"), Double("2147483647"), Decimal("2147483647")},
      {Int64("2147483648"), Double("2147483648"), Decimal("2147483648")},
      {Double("9007199254740991"), Int64("9007199254740991"), Decimal("9007199254740991")},
      {Double("9007199254740992"), Int64("9007199254740992"), Decimal("9007199254740992")},
      {Int64("9007199254740993"), Decimal("9007199254740993")},
      {Double("9007199254740994"), Int64("9007199254740994"), Decimal("9007199254740994")},
      {Int64("9223372036854775807"), Decimal("9223372036854775807")},
      {Double("9223372036854775808"), Decimal("9223372036854775808")},
      {Decimal("9223372036854775809")},
      {Double("1.7976931348623157e308")},
      {Decimal("9.999999999999999999999999999999999E+6144")},
      {Double("Infinity"), Decimal("Infinity")},
  });
}

// ---- against arithmetic of another kind

// A whole number of any size, base 2^32, least first.
class Natural {
 public:
  explicit Natural(std::uint64_t value)
      : digits_{static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)} {}

  Natural& Multiply(std::uint32_t factor, int times) {
    for (int i = 0; i < times; ++i) {
      std::uint64_t carry = 0;
      for (std::uint32_t& digit : digits_) {
        carry += std::uint64_t{digit} * factor;
        digit = static_cast<std::uint32_t>(carry);
        carry >>= 32;
      }
      if (carry != 0) {
        digits_.push_back(static_cast<std::uint32_t>(carry));
      }
    }
    return *this;
  }

  int CompareTo(const Natural& other) const {
    const std::size_t size = std::max(digits_.size(), other.digits_.size());
    for (std::size_t i = size; i-- > 0;) {
      if (At(i) != other.At(i)) {
        return At(i) < other.At(i) ? -1 : 1;
      }
    }
    return 0;
  }

 private:
  std::uint32_t At(std::size_t i) const { return i < digits_.size() ? digits_[i] : 0; }

  std::vector<std::uint32_t> digits_;
};

// sign * magnitude * 2^twos * 10^tens.
struct Exact {
  int sign = 0;
  std::uint64_t magnitude = 0;
  int twos = 0;
  int tens = 0;
  std::string json;
};

constexpr int kLowestTwos = -200;
constexpr int kLowestTens = -40;

int CompareExactly(const Exact& a, const Exact& b) {
  const int sign_a = a.magnitude == 0 ? 0 : a.sign;
  const int sign_b = b.magnitude == 0 ? 0 : b.sign;
  if (sign_a != sign_b) {
    return sign_a < sign_b ? -1 : 1;
  }
  const auto scaled = [](const Exact& number) {
    return Natural(number.magnitude)
        .Multiply(2, number.twos - kLowestTwos)
        .Multiply(10, number.tens - kLowestTens);
  };
  return sign_a * scaled(a).CompareTo(scaled(b));
}

class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : random_(seed) {}

  // Often near another one: small whole numbers, and those about 2^53 and 2^63.
  Exact Next() {
    const std::uint64_t near = random_.Next() % 4;
    const std::uint64_t base = near == 0   ? random_.Next() % 5
                               : near == 1 ? (std::uint64_t{1} << 53) - 2 + random_.Next() % 5
                               : near == 2 ? (std::uint64_t{1} << 62) + random_.Next() % 3
                                           : random_.Next() >> (random_.Next() % 63 + 1);
    const int sign = random_.Next() % 2 == 0 ? 1 : -1;
    switch (random_.Next() % 3) {
      case 0:
        return Integer(sign, base);
      case 1:
        return FromDouble(sign, base);
      default:
        return FromDecimal(sign, base);
    }
  }

 private:
  static std::string Signed(int sign, const std::string& text) {
    return sign < 0 ? "-" + text : text;
  }

  static Exact Integer(int sign, std::uint64_t magnitude) {
    const std::string text = Signed(sign, std::to_string(magnitude));
    return {.sign = sign,
            .magnitude = magnitude,
            .json = magnitude <= 0x7fffffff ? Int32(text) : Int64(text)};
  }

  Exact FromDouble(int sign, std::uint64_t base) {
    const std::uint64_t magnitude = base >> (base >> 53 != 0 ? 11 : 0);  // 53 bits at most
    const int twos =
        static_cast<int>(random_.Next() % 3) * (static_cast<int>(random_.Next() % 120) - 60);
    const double value = sign * std::ldexp(static_cast<double>(magnitude), twos);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.17g", value);
    return {.sign = sign, .magnitude = magnitude, .twos = twos, .json = Double(text.data())};
  }

  Exact FromDecimal(int sign, std::uint64_t base) {
    const int tens =
        static_cast<int>(random_.Next() % 3) * (static_cast<int>(random_.Next() % 30) - 15);
    return {.sign = sign,
            .magnitude = base,
            .tens = tens,
            .json = Decimal(Signed(sign, std::to_string(base)) + "E" + std::to_string(tens))};
  }

  SeededRandom random_;
};

TEST(CompareOrder, RandomNumbersAsExactArithmeticHasThem) {
  RandomNumbers numbers(20'261'125);
  std::size_t equal = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Exact a = numbers.Next();
    const Exact b = numbers.Next();
    const int expected = CompareExactly(a, b);
    ASSERT_EQ(Compare(Value(a.json), Value(b.json)), expected) << a.json << " and " << b.json;
    ASSERT_EQ(Compare(Value(b.json), Value(a.json)), -expected) << a.json << " and " << b.json;
    equal += expected == 0 ? 1 : 0;
  }
  EXPECT_GT(equal, 100U);
}

// ---- as any order

// Values from few letters and numbers, so that many are equal or begin alike.
class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}

  std::string Next(int depth = 0) {
    const std::uint64_t kinds = depth < 3 ? 20 : 16;
    switch (random_.Next() % kinds) {
      case 0:
        return R"({"$minKey": 1})";
      case 1:
        return R"({"$maxKey": 1})";
      case 2:
        return R"({"$undefined": true})";
      case 3:
        return "null";
      case 4:
        return Int32(Small());
      case 5:
        return Int64(Small());
      case 6:
        return Double(random_.Next() % 5 == 0 ? "NaN" : Small() + ".5");
      case 7:
        return Decimal(random_.Next() % 5 == 0 ? "-Infinity" : Small() + ".50");
      case 8:
        return random_.Next() % 6 == 0 ? R"("a\u0000b")" : Text();
      case 9:
        return R"({"$symbol": )" + Text() + "}";
      case 10:
        return R"({"$binary": {"base64": ")" + std::string(Pick({"", "AA==", "AQ==", "AAA="})) +
               R"(", "subType": ")" + Pick({"00", "05"}) + R"("}})";
      case 11:
        return R"({"$oid": "00000000000000000000000)" + Small(1) + R"("})";
      case 12:
        return random_.Next() % 2 == 0 ? "true" : "false";
      case 13:
        return R"({"$date": {"$numberLong": ")" + Small() + R"("}})";
      case 14:
        return R"({"$timestamp": {"t": )" + Small(1) + R"(, "i": )" + Small(1) + "}}";
      case 15:
        return R"({"$regularExpression": {"pattern": )" + Text() + R"(, "options": ")" +
               Pick({"", "i", "im"}) + R"("}})";
      case 16:
        return Fields(depth);
      case 17:
        return Elements(depth);
      case 18:
        return R"({"$code": )" + Text() + "}";
      default:
        return R"({"$code": )" + Text() + R"(, "$scope": )" + Fields(depth) + "}";
    }
  }

 private:
  const char* Pick(std::initializer_list<const char*> choices) {
    return *std::next(choices.begin(),
                      static_cast<std::ptrdiff_t>(random_.Next() % choices.size()));
  }

  // -2 to 2, or `least` to 4.
  std::string Small() { return std::to_string(static_cast<int>(random_.Next() % 5) - 2); }

  std::string Small(int least) {
    return std::to_string(least + static_cast<int>(random_.Next() % 4));
  }

  std::string Text() {
    return std::string("\"") + Pick({"", "a", "ab", "b", "A", "\u00e9"}) + "\"";
  }

  std::string Fields(int depth) {
    std::string text = "{";
    const char* name = "a";
    for (std::uint64_t i = random_.Next() % 3; i > 0; --i) {
      text += std::string(text.size() > 1 ? ", " : "") + "\"" + name + Pick({"", "x"}) +
              "\": " + Next(depth + 1);
      name = "b";
    }
    return text + "}";
  }

  std::string Elements(int depth) {
    std::string text = "[";
    for (std::uint64_t i = random_.Next() % 3; i > 0; --i) {
      text += (text.size() > 1 ? ", " : "") + Next(depth + 1);
    }
    return text + "]";
  }

  SeededRandom random_;
};

TEST(CompareOrder, IsAntisymmetricAndTransitive) {
  constexpr std::size_t kValues = 250;
  RandomValues random(7);
  std::vector<Value> values;
  for (std::size_t i = 0; i < kValues; ++i) {
    values.emplace_back(random.Next());
  }
  std::vector<std::vector<int>> order(kValues, std::vector<int>(kValues));
  for (std::size_t a = 0; a < kValues; ++a) {
    for (std::size_t b = 0; b < kValues; ++b) {
      order[a][b] = Compare(values[a], values[b]);
    }
    ASSERT_EQ(order[a][a], 0) << values[a].json();
  }
  for (std::size_t a = 0; a < kValues; ++a) {
    for (std::size_t b = 0; b < kValues; ++b) {
      ASSERT_EQ(order[a][b], -order[b][a]) << values[a].json() << " " << values[b].json();
      for (std::size_t c = 0; c < kValues; ++c) {
        if (order[a][b] <= 0 && order[b][c] <= 0) {
          const int least = std::min(order[a][b], order[b][c]);
          ASSERT_EQ(order[a][c], least)
              << values[a].json() << " " << values[b].json() << " " << values[c].json();
        }
      }
    }
  }
}

}  // namespace
}  // namespace tidemark::bson
