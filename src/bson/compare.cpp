#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <string>

#include "base/error.h"
#include "bson/document.h"

// Where this differs from the server: Decimal128 is compared with all digits of a double, the
// server first rounds the double to 34 digits, so it may call two such numbers equal that differ
// from the 35th digit on.
namespace tidemark::bson {
namespace {

constexpr std::size_t kLengthSize = 4;  // bytes of a length field

// Place of the type among all types; types with one rank compare by value.
int RankOf(Type type) {
  switch (type) {
    case Type::kMinKey:
      return 0;
    case Type::kUndefined:  // a rank of its own: values that the server tells apart must not merge
      return 1;
    case Type::kNull:
      return 2;
    case Type::kDouble:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kDecimal128:
      return 3;
    case Type::kString:
    case Type::kSymbol:
      return 4;
    case Type::kDocument:
      return 5;
    case Type::kArray:
      return 6;
    case Type::kBinary:
      return 7;
    case Type::kObjectId:
      return 8;
    case Type::kBoolean:
      return 9;
    case Type::kDateTime:
      return 10;
    case Type::kTimestamp:
      return 11;
    case Type::kRegex:
      return 12;
    case Type::kDbPointer:
      return 13;
    case Type::kCode:
      return 14;
    case Type::kCodeWithScope:
      return 15;
    case Type::kMaxKey:
      return 16;
  }
  throw Error(ErrorCode::kCorrupt, "comparing BSON: unknown type");
}

// ---- numbers

bool IsInteger(const Element& number) {
  return number.type == Type::kInt32 || number.type == Type::kInt64;
}

std::int64_t IntegerOf(const Element& number) {
  if (number.type == Type::kInt32) {
    return static_cast<std::int32_t>(LoadLe32(number.value.data()));
  }
  return static_cast<std::int64_t>(LoadLe64(number.value.data()));
}

double DoubleOf(const Element& number) {
  return std::bit_cast<double>(LoadLe64(number.value.data()));
}

std::weak_ordering Reverse(std::weak_ordering order) {
  return 0 <=> order;
}

// NaN is below every number and equal to itself.
std::weak_ordering CompareDoubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::isnan(b) <=> std::isnan(a);
  }
  if (a == b) {
    return std::weak_ordering::equivalent;
  }
  return a < b ? std::weak_ordering::less : std::weak_ordering::greater;
}

std::weak_ordering CompareIntegerToDouble(std::int64_t a, double b) {
  if (std::isnan(b) || b < -0x1p63) {
    return std::weak_ordering::greater;
  }
  if (b >= 0x1p63) {
    return std::weak_ordering::less;
  }
  const auto whole = static_cast<std::int64_t>(b);  // towards zero, exact
  if (a != whole) {
    return a <=> whole;
  }
  return CompareDoubles(0.0, b - static_cast<double>(whole));
}

// Any number, exactly: sign * 0.digits * 10^exponent when finite.
struct Decimal {
  enum class Kind { kNaN, kNegativeInfinity, kFinite, kPositiveInfinity };  // in their order

  Kind kind = Kind::kFinite;
  int sign = 0;        // -1, 0, 1
  int exponent = 0;    // of a non-zero number
  std::string digits;  // first and last are not 0; empty for zero
};

// From `digits` as a whole number times 10^exponent.
Decimal MakeFinite(int sign, std::string digits, int exponent) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) {
    return {};
  }
  Decimal decimal{.sign = sign, .exponent = exponent + static_cast<int>(digits.size())};
  digits.erase(digits.find_last_not_of('0') + 1);
  decimal.digits = std::move(digits);
  return decimal;
}

Decimal MakeInfinite(int sign) {
  return {.kind = sign < 0 ? Decimal::Kind::kNegativeInfinity : Decimal::Kind::kPositiveInfinity};
}

Decimal DecimalFromInteger(std::int64_t value) {
  std::string digits = std::to_string(value);
  const int sign = value < 0 ? -1 : 1;
  if (value < 0) {
    digits.erase(0, 1);
  }
  return MakeFinite(sign, std::move(digits), 0);
}

Decimal DecimalFromDouble(double value) {
  constexpr int kExactDigits = 767;  // no double has more significant decimal digits
  const int sign = std::signbit(value) ? -1 : 1;
  if (std::isnan(value)) {
    return {.kind = Decimal::Kind::kNaN};
  }
  if (std::isinf(value)) {
    return MakeInfinite(sign);
  }
  std::array<char, kExactDigits + 16> text;  // "d.ddd...e-324"
  const auto written = std::to_chars(text.data(),
                                     text.data() + text.size(),
                                     std::abs(value),
                                     std::chars_format::scientific,
                                     kExactDigits - 1);
  TIDEMARK_CHECK(written.ec == std::errc());
  const std::string_view all(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
  const std::size_t mark = all.find('e');
  std::string digits(all.substr(0, mark));
  digits.erase(1, 1);  // the point
  const bool negative = all[mark + 1] == '-';
  int exponent = 0;
  std::from_chars(all.data() + mark + 2, all.data() + all.size(), exponent);
  return MakeFinite(
      sign, std::move(digits), (negative ? -exponent : exponent) - (kExactDigits - 1));
}

std::string DigitsOf(unsigned __int128 value) {
  std::string digits;
  for (; value != 0; value /= 10) {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
  }
  std::ranges::reverse(digits);
  return digits;
}

// IEEE 754-2008 decimal128, binary integer significand.
Decimal DecimalFromDecimal128(ByteView value) {
  constexpr int kBias = 6176;
  constexpr std::size_t kMaxDigits = 34;
  const std::uint64_t low = LoadLe64(value.data());
  const std::uint64_t high = LoadLe64(value.data() + 8);
  const int sign = high >> 63 != 0 ? -1 : 1;
  const auto combination = static_cast<unsigned>(high >> 58 & 0x1f);
  if (combination == 0x1f) {
    return {.kind = Decimal::Kind::kNaN};
  }
  if (combination == 0x1e) {
    return MakeInfinite(sign);
  }
  if (combination >> 3 == 3) {
    return {};  // significands of this form are above 34 digits, which the standard reads as zero
  }
  const auto exponent = static_cast<int>(high >> 49 & 0x3fff) - kBias;
  const unsigned __int128 significand =
      static_cast<unsigned __int128>(high & 0x1ffffffffffffULL) << 64 | low;
  std::string digits = DigitsOf(significand);
  return digits.size() > kMaxDigits ? Decimal() : MakeFinite(sign, std::move(digits), exponent);
}

Decimal ToDecimal(const Element& number) {
  if (IsInteger(number)) {
    return DecimalFromInteger(IntegerOf(number));
  }
  if (number.type == Type::kDouble) {
    return DecimalFromDouble(DoubleOf(number));
  }
  return DecimalFromDecimal128(number.value);
}

std::weak_ordering CompareDecimals(const Decimal& a, const Decimal& b) {
  if (a.kind != b.kind) {
    return a.kind <=> b.kind;
  }
  if (a.sign != b.sign) {
    return a.sign <=> b.sign;
  }
  const std::weak_ordering magnitude =
      a.exponent != b.exponent ? a.exponent <=> b.exponent : a.digits <=> b.digits;
  return a.sign < 0 ? Reverse(magnitude) : magnitude;
}

std::weak_ordering CompareNumbers(const Element& a, const Element& b) {
  if (a.type == Type::kDecimal128 || b.type == Type::kDecimal128) {
    return CompareDecimals(ToDecimal(a), ToDecimal(b));
  }
  if (IsInteger(a)) {
    return IsInteger(b) ? std::weak_ordering(IntegerOf(a) <=> IntegerOf(b))
                        : CompareIntegerToDouble(IntegerOf(a), DoubleOf(b));
  }
  return IsInteger(b) ? Reverse(CompareIntegerToDouble(IntegerOf(b), DoubleOf(a)))
                      : CompareDoubles(DoubleOf(a), DoubleOf(b));
}

// ---- everything else

// Bytes as unsigned; the shorter of two that start alike is less.
std::weak_ordering CompareBytes(ByteView a, ByteView b) {
  return AsText(a) <=> AsText(b);
}

ByteView TextOf(ByteView value) {
  return value.subspan(kLengthSize, LoadLe32(value.data()) - 1);
}

// Length, subtype, bytes.
std::weak_ordering CompareSized(ByteView a, ByteView b) {
  return a.size() != b.size() ? std::weak_ordering(a.size() <=> b.size())
                              : CompareBytes(a.subspan(kLengthSize), b.subspan(kLengthSize));
}

std::weak_ordering CompareDates(ByteView a, ByteView b) {
  return static_cast<std::int64_t>(LoadLe64(a.data())) <=>
         static_cast<std::int64_t>(LoadLe64(b.data()));
}

std::weak_ordering CompareTimestamps(ByteView a, ByteView b) {
  return LoadLe64(a.data()) <=> LoadLe64(b.data());
}

enum class FieldNames { kCount, kIgnore };

std::weak_ordering CompareAt(const Element& a, const Element& b, int depth);

std::weak_ordering CompareFields(const Element& a, const Element& b, FieldNames names, int depth) {
  const int rank_a = RankOf(a.type);
  const int rank_b = RankOf(b.type);
  if (rank_a != rank_b) {
    return rank_a <=> rank_b;
  }
  if (names == FieldNames::kCount && a.name != b.name) {
    return a.name <=> b.name;
  }
  return CompareAt(a, b, depth);
}

std::weak_ordering CompareDocuments(const Document& a,
                                    const Document& b,
                                    FieldNames names,
                                    int depth) {
  if (depth >= kMaxDepth) {
    throw Error(
        ErrorCode::kCorrupt,
        "comparing BSON: documents are nested more than " + std::to_string(kMaxDepth) + " deep");
  }
  auto left = a.begin();
  auto right = b.begin();
  for (; left != a.end() && right != b.end(); ++left, ++right) {
    const std::weak_ordering order = CompareFields(*left, *right, names, depth + 1);
    if (order != std::weak_ordering::equivalent) {
      return order;
    }
  }
  return (left != a.end()) <=> (right != b.end());
}

// The code with scope: its code, then its scope.
struct ScopedCode {
  ByteView code;
  Document scope;
};

ScopedCode ScopedCodeOf(ByteView value) {
  const std::size_t length = LoadLe32(value.data() + kLengthSize);
  if (length < 1 || length > value.size() - 2 * kLengthSize) {
    throw Error(ErrorCode::kCorrupt, "comparing BSON: code does not fit its value");
  }
  return {.code = value.subspan(2 * kLengthSize, length - 1),
          .scope = Document(value.subspan(2 * kLengthSize + length))};
}

std::weak_ordering CompareScopedCode(ByteView a, ByteView b, int depth) {
  const ScopedCode left = ScopedCodeOf(a);
  const ScopedCode right = ScopedCodeOf(b);
  const std::weak_ordering code = CompareBytes(left.code, right.code);
  return code != std::weak_ordering::equivalent
             ? code
             : CompareDocuments(left.scope, right.scope, FieldNames::kCount, depth);
}

// Two values of one rank.
std::weak_ordering CompareAt(const Element& a, const Element& b, int depth) {
  switch (a.type) {
    case Type::kMinKey:
    case Type::kMaxKey:
    case Type::kNull:
    case Type::kUndefined:
      return std::weak_ordering::equivalent;
    case Type::kDouble:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kDecimal128:
      return CompareNumbers(a, b);
    case Type::kString:
    case Type::kSymbol:
    case Type::kCode:
      return CompareBytes(TextOf(a.value), TextOf(b.value));
    case Type::kDocument:
      return CompareDocuments(Document(a.value), Document(b.value), FieldNames::kCount, depth);
    case Type::kArray:
      return CompareDocuments(Document(a.value), Document(b.value), FieldNames::kIgnore, depth);
    case Type::kBinary:
    case Type::kDbPointer:
      return CompareSized(a.value, b.value);
    case Type::kObjectId:
    case Type::kBoolean:
    case Type::kRegex:
      return CompareBytes(a.value, b.value);
    case Type::kDateTime:
      return CompareDates(a.value, b.value);
    case Type::kTimestamp:
      return CompareTimestamps(a.value, b.value);
    case Type::kCodeWithScope:
      return CompareScopedCode(a.value, b.value, depth);
  }
  throw Error(ErrorCode::kCorrupt, "comparing BSON: unknown type");
}

}  // namespace

std::weak_ordering CompareValues(const Element& a, const Element& b) {
  return CompareFields(a, b, FieldNames::kIgnore, 0);
}

}  // namespace tidemark::bson
