#include "bson/extended_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include <bson/bson.h>
#include <fmt/format.h>

#include "base/error.h"

namespace tidemark::bson {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kObjectIdSize = 12;  // bytes
constexpr std::size_t kLengthSize = 4;     // bytes of a length field

// Length of the UTF-8 sequence at the front of `text`; 0 when there is none (RFC 3629: no
// overlong forms, no surrogates, at most U+10FFFF).
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
  };
  const auto follows = [&](std::size_t at) { return (byte(at) & 0xc0U) == 0x80; };
  const std::uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first <= 0xef) {
    const bool range = !(first == 0xe0 && byte(1) < 0xa0) && !(first == 0xed && byte(1) > 0x9f);
    return range && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool range = !(first == 0xf0 && byte(1) < 0x90) && !(first == 0xf4 && byte(1) > 0x8f);
    return range && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool IsPlain(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void AppendEscape(char c, std::string& out) {
  constexpr std::string_view kNamed = "\"\\\n\r\t\b\f";
  constexpr std::string_view kLetters = "\"\\nrtbf";
  const std::size_t at = kNamed.find(c);
  out += '\\';
  if (at != std::string_view::npos) {
    out += kLetters[at];
    return;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  out += "u00";
  out += kHexDigits[byte >> 4U];
  out += kHexDigits[byte & 0xfU];
}

// Appends the character at the front of `text`, which is not plain, and says how long it was.
std::size_t AppendSpecial(std::string_view text, std::string& out) {
  if (static_cast<std::uint8_t>(text[0]) < 0x80) {
    AppendEscape(text[0], out);
    return 1;
  }
  const std::size_t length = Utf8Length(text);
  const std::string_view character = text.substr(0, length);
  if (length == 0) {
    out += "\\ufffd";
    return 1;
  }
  if (character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9") {  // line ends of JavaScript
    out += character.back() == '\xa8' ? "\\u2028" : "\\u2029";
  } else {
    out += character;
  }
  return length;
}

// Between these %G writes no exponent when the shortest digits are asked for (Go, strconv/ftoa.go).
constexpr int kLeastExponent = -4;
constexpr int kGreatestExponent = 5;

// Go's strconv.FormatFloat(number, 'G', -1, 64), with ".0" when there is neither point
// nor exponent.
void AppendDouble(double number, std::string& out) {
  if (std::isnan(number) || std::isinf(number)) {
    out += std::isnan(number) ? "NaN" : (number > 0 ? "Infinity" : "-Infinity");
    return;
  }
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(
      buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  const std::string_view text(buffer.data(), scientific.ptr);
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* digits = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits, scientific.ptr, exponent);
  if (exponent < kLeastExponent || exponent > kGreatestExponent) {
    out += text.substr(0, e);
    out += 'E';
    out += text.substr(e + 1);
    return;
  }
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  const std::string_view plain(buffer.data(), fixed.ptr);
  out += plain;
  if (plain.find('.') == std::string_view::npos) {
    out += ".0";
  }
}

// One document at a time, into one string.
class JsonWriter {
 public:
  JsonWriter(JsonForm form, std::string& out) : relaxed_(form == JsonForm::kRelaxed), out_(out) {}

  void Write(const Document& document, bool named) {
    if (depth_ == kMaxDepth) {
      throw Error(ErrorCode::kCorrupt,
                  "writing BSON as JSON: documents are nested more than " +
                      std::to_string(kMaxDepth) + " deep");
    }
    ++depth_;
    out_ += named ? '{' : '[';
    bool first = true;
    for (const Element& element : document) {
      if (!first) {
        out_ += ',';
      }
      first = false;
      if (named) {
        AppendJsonString(element.name, out_);
        out_ += ':';
      }
      WriteValue(element);
    }
    out_ += named ? '}' : ']';
    --depth_;
  }

 private:
  void WriteValue(const Element& element);
  void WriteDouble(double number);
  void WriteDate(std::int64_t milliseconds);
  void WriteBinary(ByteView value);
  void WriteRegex(ByteView value);
  void WriteCodeWithScope(ByteView value);
  void WriteDecimal(ByteView value);

  void WriteInteger(std::int64_t number, std::string_view type) {
    if (relaxed_) {
      fmt::format_to(std::back_inserter(out_), "{}", number);
    } else {
      fmt::format_to(std::back_inserter(out_), "{{\"{}\":\"{}\"}}", type, number);
    }
  }

  void WriteWrapped(std::string_view type, std::string_view text) {
    fmt::format_to(std::back_inserter(out_), "{{\"{}\":", type);
    AppendJsonString(text, out_);
    out_ += '}';
  }

  void WriteObjectId(ByteView id) {
    fmt::format_to(std::back_inserter(out_), "{{\"$oid\":\"{}\"}}", HexEncode(id));
  }

  void WriteDbPointer(ByteView value) {
    out_ += "{\"$dbPointer\":{\"$ref\":";
    AppendJsonString(TextAt(value), out_);
    out_ += ",\"$id\":";
    WriteObjectId(value.last(kObjectIdSize));
    out_ += "}}";
  }

  void WriteTimestamp(ByteView value) {
    fmt::format_to(std::back_inserter(out_),
                   "{{\"$timestamp\":{{\"t\":{},\"i\":{}}}}}",
                   LoadLe32(value.data() + 4),
                   LoadLe32(value.data()));
  }

  // The string at the front of `value`, whose form Document has checked.
  static std::string_view TextAt(ByteView value) {
    return AsText(value.subspan(kLengthSize, LoadLe32(value.data()) - 1));
  }

  const bool relaxed_;
  std::string& out_;
  int depth_ = 0;
};

void JsonWriter::WriteDouble(double number) {
  if (relaxed_ && std::isfinite(number)) {
    AppendDouble(number, out_);
    return;
  }
  out_ += "{\"$numberDouble\":\"";
  AppendDouble(number, out_);
  out_ += "\"}";
}

void JsonWriter::WriteDate(std::int64_t milliseconds) {
  constexpr std::int64_t kYear10000 = 253402300800000;  // where the ISO form ends
  if (!relaxed_ || milliseconds < 0 || milliseconds >= kYear10000) {
    fmt::format_to(
        std::back_inserter(out_), "{{\"$date\":{{\"$numberLong\":\"{}\"}}}}", milliseconds);
    return;
  }
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds(milliseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string fraction;
  if (clock.subseconds().count() != 0) {
    fraction = fmt::format(".{:03}", clock.subseconds().count());
    fraction.erase(fraction.find_last_not_of('0') + 1);
  }
  fmt::format_to(std::back_inserter(out_),
                 "{{\"$date\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z\"}}",
                 static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()),
                 clock.hours().count(),
                 clock.minutes().count(),
                 clock.seconds().count(),
                 fraction);
}

void JsonWriter::WriteBinary(ByteView value) {
  fmt::format_to(std::back_inserter(out_),
                 "{{\"$binary\":{{\"base64\":\"{}\",\"subType\":\"{:02x}\"}}}}",
                 Base64Encode(value.subspan(kLengthSize + 1)),
                 value[kLengthSize]);
}

void JsonWriter::WriteRegex(ByteView value) {
  const std::string_view both = AsText(value);
  const std::size_t zero = both.find('\0');
  std::string options(both.substr(zero + 1, both.size() - zero - 2));
  std::ranges::sort(options);
  out_ += "{\"$regularExpression\":{\"pattern\":";
  AppendJsonString(both.substr(0, zero), out_);
  out_ += ",\"options\":";
  AppendJsonString(options, out_);
  out_ += "}}";
}

void JsonWriter::WriteCodeWithScope(ByteView value) {
  constexpr std::size_t kMinScope = 5;  // bytes
  const std::size_t code = LoadLe32(value.data() + kLengthSize);
  const std::size_t room = value.size() - 2 * kLengthSize - kMinScope;
  if (code < 1 || code > room) {
    throw Error(ErrorCode::kCorrupt, "writing BSON as JSON: code does not fit its value");
  }
  out_ += "{\"$code\":";
  AppendJsonString(TextAt(value.subspan(kLengthSize)), out_);
  out_ += ",\"$scope\":";
  Write(Document(value.subspan(2 * kLengthSize + code)), true);
  out_ += '}';
}

void JsonWriter::WriteDecimal(ByteView value) {
  bson_decimal128_t decimal;
  decimal.low = LoadLe64(value.data());
  decimal.high = LoadLe64(value.data() + 8);
  std::array<char, BSON_DECIMAL128_STRING> text{};
  bson_decimal128_to_string(&decimal, text.data());
  WriteWrapped("$numberDecimal", text.data());
}

void JsonWriter::WriteValue(const Element& element) {
  const ByteView value = element.value;
  switch (element.type) {
    case Type::kDouble:
      return WriteDouble(std::bit_cast<double>(LoadLe64(value.data())));
    case Type::kString:
      return AppendJsonString(TextAt(value), out_);
    case Type::kDocument:
      return Write(Document(value), true);
    case Type::kArray:
      return Write(Document(value), false);
    case Type::kBinary:
      return WriteBinary(value);
    case Type::kUndefined:
      out_ += "{\"$undefined\":true}";
      return;
    case Type::kObjectId:
      return WriteObjectId(value);
    case Type::kBoolean:
      out_ += value[0] != 0 ? "true" : "false";
      return;
    case Type::kDateTime:
      return WriteDate(static_cast<std::int64_t>(LoadLe64(value.data())));
    case Type::kNull:
      out_ += "null";
      return;
    case Type::kRegex:
      return WriteRegex(value);
    case Type::kDbPointer:
      return WriteDbPointer(value);
    case Type::kCode:
      return WriteWrapped("$code", TextAt(value));
    case Type::kSymbol:
      return WriteWrapped("$symbol", TextAt(value));
    case Type::kCodeWithScope:
      return WriteCodeWithScope(value);
    case Type::kInt32:
      return WriteInteger(static_cast<std::int32_t>(LoadLe32(value.data())), "$numberInt");
    case Type::kTimestamp:
      return WriteTimestamp(value);
    case Type::kInt64:
      return WriteInteger(static_cast<std::int64_t>(LoadLe64(value.data())), "$numberLong");
    case Type::kDecimal128:
      return WriteDecimal(value);
    case Type::kMaxKey:
      out_ += "{\"$maxKey\":1}";
      return;
    case Type::kMinKey:
      out_ += "{\"$minKey\":1}";
      return;
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto special = std::ranges::find_if_not(text, IsPlain);
    const auto plain = static_cast<std::size_t>(special - text.begin());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) {
      text.remove_prefix(AppendSpecial(text, out));
    }
  }
  out += '"';
}

void AppendJson(const Document& document, JsonForm form, std::string& out) {
  JsonWriter(form, out).Write(document, true);
}

}  // namespace tidemark::bson
