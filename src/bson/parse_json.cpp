#include "bson/parse_json.h"

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include <bson/bson.h>

#include "base/error.h"
#include "bson/document.h"

namespace tidemark::bson {
namespace {

constexpr std::size_t kObjectIdDigits = 24;
constexpr std::size_t kUuidSize = 16;  // bytes
constexpr std::uint8_t kUuidSubtype = 4;
constexpr std::uint8_t kOldBinarySubtype = 2;  // its bytes have a length of their own in front
constexpr int kHighSurrogate = 0xD800;
constexpr int kLowSurrogate = 0xDC00;
constexpr int kEndOfSurrogates = 0xE000;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

void AppendUtf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    out += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

// Milliseconds since 1970 of an ISO 8601 text with a zone: 2026-11-25T10:00:00[.123](Z|+01:00).
class IsoDate {
 public:
  explicit IsoDate(std::string_view text) : text_(text) {}

  std::optional<std::int64_t> Parse() {
    const auto year = Number(4, '-');
    const auto month = Number(2, '-');
    const auto day = Number(2, 'T');
    const auto hour = Number(2, ':');
    const auto minute = Number(2, ':');
    const auto second = Number(2, '\0');
    const std::int64_t milliseconds = Fraction();
    const auto zone = Zone();
    if (!good_ || !zone || !text_.empty() || hour > 23 || minute > 59 || second > 59) {
      return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) {
      return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t minutes = (days * 24 + hour) * 60 + minute - *zone;
    return (minutes * 60 + second) * 1000 + milliseconds;
  }

 private:
  int Number(std::size_t digits, char behind) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      good_ = good_ && i < text_.size() && IsDigit(text_[i]);
      value = good_ ? value * 10 + (text_[i] - '0') : 0;
    }
    text_.remove_prefix(good_ ? digits : 0);
    if (behind != '\0') {
      good_ = good_ && text_.starts_with(behind);
      text_.remove_prefix(good_ ? 1 : 0);
    }
    return value;
  }

  std::int64_t Fraction() {
    std::int64_t value = 0;
    if (!text_.starts_with('.')) {
      return value;
    }
    text_.remove_prefix(1);
    std::int64_t unit = 100;
    good_ = good_ && !text_.empty() && IsDigit(text_[0]);
    while (!text_.empty() && IsDigit(text_[0])) {
      value += unit * (text_[0] - '0');
      unit /= 10;
      text_.remove_prefix(1);
    }
    return value;
  }

  std::optional<std::int64_t> Zone() {  // minutes east
    if (text_ == "Z") {
      text_ = {};
      return 0;
    }
    if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) {
      return std::nullopt;
    }
    const int sign = text_[0] == '-' ? -1 : 1;
    text_.remove_prefix(1);
    const int hours = Number(2, '\0');
    text_.remove_prefix(text_.starts_with(':') ? 1 : 0);
    const int minutes = Number(2, '\0');
    return sign * (hours * 60 + minutes);
  }

  std::string_view text_;
  bool good_ = true;
};

// Writes as it reads: a length or a type is put in when it is known.
class JsonReader {
 public:
  JsonReader(std::string_view text, RegexForm regex) : text_(text), regex_(regex) {}

  Bytes Read() {
    SkipSpace();
    Expect('{');
    SkipSpace();
    if (!TakeIf('}')) {
      WriteMembers(ReadString());
    } else {
      CloseDocument(OpenDocument());
    }
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("there is more behind the document");
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void Fail(const std::string& why) const {
    throw Error(ErrorCode::kCorrupt,
                "reading extended JSON at byte " + std::to_string(at_) + ": " + why);
  }

  // Text.
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) {
      ++at_;
    }
  }

  char Front() const {
    if (at_ >= text_.size()) {
      Fail("it ends early");
    }
    return text_[at_];
  }

  bool TakeIf(char c) {
    const bool there = Front() == c;
    at_ += there ? 1 : 0;
    return there;
  }

  void Expect(char c) {
    if (!TakeIf(c)) {
      Fail(std::string("expected ") + c);
    }
  }

  void ExpectWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) {
      Fail("expected " + std::string(word));
    }
    at_ += word.size();
  }

  std::string ReadString() {
    Expect('"');
    std::string value;
    while (!TakeIf('"')) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) {
        Fail("a control character in a string");
      }
      ++at_;
      if (c == '\\') {
        ReadEscape(value);
      } else {
        value += c;
      }
    }
    return value;
  }

  void ReadEscape(std::string& value) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kCharacters = "\"\\/\b\f\n\r\t";
    const char name = Front();
    ++at_;
    if (name == 'u') {
      AppendUtf8(ReadCodePoint(), value);
      return;
    }
    const std::size_t found = kNames.find(name);
    if (found == std::string_view::npos) {
      Fail("an escape that JSON does not have");
    }
    value += kCharacters[found];
  }

  std::uint32_t ReadCodePoint() {
    const std::uint32_t first = ReadHex4();
    if (first < kHighSurrogate || first >= kEndOfSurrogates) {
      return first;
    }
    if (first >= kLowSurrogate) {
      Fail("half of a surrogate pair");
    }
    ExpectWord("\\u");
    const std::uint32_t second = ReadHex4();
    if (second < kLowSurrogate || second >= kEndOfSurrogates) {
      Fail("half of a surrogate pair");
    }
    return 0x10000 + ((first - kHighSurrogate) << 10U) + (second - kLowSurrogate);
  }

  std::uint32_t ReadHex4() {
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + digits.size()) {
      Fail("expected four hex digits");
    }
    at_ += 4;
    return value;
  }

  // BSON.
  void Put(ByteView bytes) {
    if (out_.size() + bytes.size() > kMaxDocumentSize) {
      Fail("it becomes more BSON than a document may hold");
    }
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

  void PutByte(std::uint8_t byte) { Put({&byte, 1}); }

  void Put32(std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes{};
    StoreLe32(bytes.data(), value);
    Put(bytes);
  }

  void Put64(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    StoreLe64(bytes.data(), value);
    Put(bytes);
  }

  void PutText(std::string_view text) {
    Put32(static_cast<std::uint32_t>(text.size() + 1));
    Put(AsBytes(text));
    PutByte(0);
  }

  void PutName(std::string_view name) {
    if (name.find('\0') != std::string_view::npos) {
      Fail("a name or pattern holds NUL");
    }
    Put(AsBytes(name));
    PutByte(0);
  }

  std::size_t OpenDocument() {
    if (++depth_ > kMaxDepth) {
      Fail("more than " + std::to_string(kMaxDepth) + " levels");
    }
    const std::size_t start = out_.size();
    Put32(0);
    return start;
  }

  void CloseDocument(std::size_t start) {
    PutByte(0);
    StoreLe32(out_.data() + start, static_cast<std::uint32_t>(out_.size() - start));
    --depth_;
  }

  // Members of an object whose first name has been read, up to the closing brace.
  void WriteMembers(std::string name) {
    const std::size_t start = OpenDocument();
    while (true) {
      ExpectColon();
      WriteElement(name);
      SkipSpace();
      if (TakeIf('}')) {
        break;
      }
      Expect(',');
      SkipSpace();
      name = ReadString();
    }
    CloseDocument(start);
  }

  void ExpectColon() {
    SkipSpace();
    Expect(':');
    SkipSpace();
  }

  void WriteElement(std::string_view name) {
    const std::size_t type_at = out_.size();
    PutByte(0);
    PutName(name);
    const Type type = WriteValue();
    out_[type_at] = static_cast<std::uint8_t>(type);
  }

  Type WriteValue() {
    switch (Front()) {
      case '{':
        ++at_;
        return WriteObject();
      case '[':
        ++at_;
        WriteArray();
        return Type::kArray;
      case '"':
        PutText(ReadString());
        return Type::kString;
      case 't':
        ExpectWord("true");
        PutByte(1);
        return Type::kBoolean;
      case 'f':
        ExpectWord("false");
        PutByte(0);
        return Type::kBoolean;
      case 'n':
        ExpectWord("null");
        return Type::kNull;
      default:
        return WriteNumber();
    }
  }

  void WriteArray() {
    const std::size_t start = OpenDocument();
    SkipSpace();
    for (std::size_t index = 0; !TakeIf(']'); ++index) {
      if (index != 0) {
        Expect(',');
        SkipSpace();
      }
      WriteElement(std::to_string(index));
      SkipSpace();
    }
    CloseDocument(start);
  }

  // A number as JSON writes it.
  std::string_view ReadNumber(bool& whole) {
    const std::size_t start = at_;
    const auto digits = [this] {
      const std::size_t first = at_;
      while (at_ < text_.size() && IsDigit(text_[at_])) {
        ++at_;
      }
      if (at_ == first) {
        Fail("expected a value");
      }
      return at_ - first;
    };
    at_ += Front() == '-' ? 1 : 0;
    const bool zero = Front() == '0';
    if (digits() > 1 && zero) {
      Fail("a number begins with 0");
    }
    whole = true;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      digits();
      whole = false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      at_ += Front() == '+' || Front() == '-' ? 1 : 0;
      digits();
      whole = false;
    }
    return text_.substr(start, at_ - start);
  }

  Type WriteNumber() {
    bool whole = false;
    const std::string_view text = ReadNumber(whole);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!whole || error != std::errc() || text == "-0") {
      PutDouble(text);
      return Type::kDouble;
    }
    if (value >= std::numeric_limits<std::int32_t>::min() &&
        value <= std::numeric_limits<std::int32_t>::max()) {
      Put32(static_cast<std::uint32_t>(value));
      return Type::kInt32;
    }
    Put64(static_cast<std::uint64_t>(value));
    return Type::kInt64;
  }

  void PutDouble(std::string_view text) {
    double value = 0;
    if (text == "Infinity" || text == "-Infinity") {
      value = text[0] == '-' ? -std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::infinity();
    } else if (text == "NaN") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else {
      const bool number = !text.empty() && (IsDigit(text[0]) || text[0] == '-') &&
                          (IsDigit(text.back()) || text.back() == '.');
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (!number || error == std::errc::invalid_argument || end != text.data() + text.size()) {
        Fail("not a double");
      }
      if (error == std::errc::result_out_of_range) {
        Fail("a number that no double holds");
      }
    }
    Put64(std::bit_cast<std::uint64_t>(value));
  }

  // Objects that stand for a value of another type.
  Type WriteObject() {
    SkipSpace();
    if (TakeIf('}')) {
      CloseDocument(OpenDocument());
      return Type::kDocument;
    }
    std::string name = ReadString();
    if (name.starts_with('$')) {
      if (const Wrapper* wrapper = FindWrapper(name)) {
        ExpectColon();
        const Type type = (this->*wrapper->write)();
        SkipSpace();
        Expect('}');
        return type;
      }
      if (name == "$regex" && regex_ == RegexForm::kStrictMode && WriteStrictRegex()) {
        return Type::kRegex;
      }
    }
    WriteMembers(std::move(name));
    return Type::kDocument;
  }

  struct Wrapper {
    std::string_view name;
    Type (JsonReader::*write)();
  };

  static const Wrapper* FindWrapper(std::string_view name) {
    static constexpr std::array kWrappers{
        Wrapper{"$numberInt", &JsonReader::WriteInt32},
        Wrapper{"$numberLong", &JsonReader::WriteInt64},
        Wrapper{"$numberDouble", &JsonReader::WriteDouble},
        Wrapper{"$numberDecimal", &JsonReader::WriteDecimal},
        Wrapper{"$oid", &JsonReader::WriteObjectId},
        Wrapper{"$date", &JsonReader::WriteDate},
        Wrapper{"$timestamp", &JsonReader::WriteTimestamp},
        Wrapper{"$binary", &JsonReader::WriteBinary},
        Wrapper{"$uuid", &JsonReader::WriteUuid},
        Wrapper{"$regularExpression", &JsonReader::WriteRegex},
        Wrapper{"$code", &JsonReader::WriteCode},
        Wrapper{"$symbol", &JsonReader::WriteSymbol},
        Wrapper{"$dbPointer", &JsonReader::WriteDbPointer},
        Wrapper{"$minKey", &JsonReader::WriteMinKey},
        Wrapper{"$maxKey", &JsonReader::WriteMaxKey},
        Wrapper{"$undefined", &JsonReader::WriteUndefined},
    };
    for (const Wrapper& wrapper : kWrappers) {
      if (wrapper.name == name) {
        return &wrapper;
      }
    }
    return nullptr;
  }

  template <class Number>
  Number ParseWhole(std::string_view text, int base = 10) const {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) {
      Fail("not a number of that type");
    }
    return value;
  }

  template <class Number>
  Number ReadWhole() {
    bool whole = false;
    return ParseWhole<Number>(ReadNumber(whole));
  }

  void ExpectMember(std::string_view name) {
    SkipSpace();
    if (ReadString() != name) {
      Fail("expected the member " + std::string(name));
    }
    ExpectColon();
  }

  void ExpectNextMember(std::string_view name) {
    SkipSpace();
    Expect(',');
    ExpectMember(name);
  }

  void CloseObject() {
    SkipSpace();
    Expect('}');
  }

  Type WriteInt32() {
    Put32(static_cast<std::uint32_t>(ParseWhole<std::int32_t>(ReadString())));
    return Type::kInt32;
  }

  Type WriteInt64() {
    Put64(static_cast<std::uint64_t>(ParseWhole<std::int64_t>(ReadString())));
    return Type::kInt64;
  }

  Type WriteDouble() {
    PutDouble(ReadString());
    return Type::kDouble;
  }

  Type WriteDecimal() {
    const std::string text = ReadString();
    bson_decimal128_t decimal{};
    if (text.empty() || text.find('\0') != std::string::npos ||
        !bson_decimal128_from_string(text.c_str(), &decimal)) {
      Fail("not a decimal");
    }
    Put64(decimal.low);
    Put64(decimal.high);
    return Type::kDecimal128;
  }

  void PutObjectId() {
    const std::string text = ReadString();
    if (text.size() != kObjectIdDigits) {
      Fail("an ObjectId has 24 hex digits");
    }
    Put(HexDecode(text));
  }

  Type WriteObjectId() {
    PutObjectId();
    return Type::kObjectId;
  }

  Type WriteDate() {
    Put64(static_cast<std::uint64_t>(ReadMilliseconds()));
    return Type::kDateTime;
  }

  std::int64_t ReadMilliseconds() {
    if (Front() == '"') {
      const auto parsed = IsoDate(ReadString()).Parse();
      if (!parsed) {
        Fail("not a date");
      }
      return *parsed;
    }
    if (!TakeIf('{')) {
      return ReadWhole<std::int64_t>();
    }
    ExpectMember("$numberLong");
    const auto value = ParseWhole<std::int64_t>(ReadString());
    CloseObject();
    return value;
  }

  Type WriteTimestamp() {
    Expect('{');
    ExpectMember("t");
    const auto seconds = ReadWhole<std::uint32_t>();
    ExpectNextMember("i");
    Put32(ReadWhole<std::uint32_t>());
    Put32(seconds);
    CloseObject();
    return Type::kTimestamp;
  }

  void PutBinary(ByteView bytes, std::uint8_t subtype) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const bool old = subtype == kOldBinarySubtype;
    Put32(old ? size + 4 : size);
    PutByte(subtype);
    if (old) {
      Put32(size);
    }
    Put(bytes);
  }

  std::uint8_t ReadSubtype() {
    const std::string text = ReadString();
    if (text.size() > 2) {
      Fail("a binary's subtype has one or two hex digits");
    }
    return ParseWhole<std::uint8_t>(text, 16);
  }

  Type WriteBinary() {
    const bool strict_mode = Front() == '"';
    if (!strict_mode) {
      Expect('{');
      ExpectMember("base64");
    }
    const Bytes bytes = Base64Decode(ReadString());
    ExpectNextMember(strict_mode ? "$type" : "subType");
    PutBinary(bytes, ReadSubtype());
    if (!strict_mode) {
      CloseObject();
    }
    return Type::kBinary;
  }

  Type WriteUuid() {
    std::string digits = ReadString();
    std::erase(digits, '-');
    if (digits.size() != 2 * kUuidSize) {
      Fail("not a UUID");
    }
    PutBinary(HexDecode(digits), kUuidSubtype);
    return Type::kBinary;
  }

  Type WriteRegex() {
    Expect('{');
    ExpectMember("pattern");
    PutName(ReadString());
    ExpectNextMember("options");
    PutName(ReadString());
    CloseObject();
    return Type::kRegex;
  }

  // Leaves everything as it was when it is another document.
  bool WriteStrictRegex() {
    const std::size_t at = at_;
    const std::size_t size = out_.size();
    if (TakeStrictRegex()) {
      return true;
    }
    at_ = at;
    out_.resize(size);
    return false;
  }

  bool TakeStrictRegex() {
    ExpectColon();
    if (Front() != '"') {
      return false;
    }
    PutName(ReadString());
    SkipSpace();
    if (!TakeIf(',')) {
      return false;
    }
    SkipSpace();
    if (ReadString() != "$options") {
      return false;
    }
    ExpectColon();
    if (Front() != '"') {
      return false;
    }
    PutName(ReadString());
    SkipSpace();
    return TakeIf('}');
  }

  Type WriteCode() {
    const std::size_t start = out_.size();
    const std::string code = ReadString();
    SkipSpace();
    if (Front() == '}') {
      PutText(code);
      return Type::kCode;
    }
    Put32(0);
    PutText(code);
    ExpectNextMember("$scope");
    Expect('{');
    SkipSpace();
    if (TakeIf('}')) {
      CloseDocument(OpenDocument());
    } else {
      WriteMembers(ReadString());
    }
    StoreLe32(out_.data() + start, static_cast<std::uint32_t>(out_.size() - start));
    return Type::kCodeWithScope;
  }

  Type WriteSymbol() {
    PutText(ReadString());
    return Type::kSymbol;
  }

  Type WriteDbPointer() {
    Expect('{');
    ExpectMember("$ref");
    PutText(ReadString());
    ExpectNextMember("$id");
    Expect('{');
    ExpectMember("$oid");
    PutObjectId();
    CloseObject();
    CloseObject();
    return Type::kDbPointer;
  }

  Type WriteMinKey() {
    ExpectWord("1");
    return Type::kMinKey;
  }

  Type WriteMaxKey() {
    ExpectWord("1");
    return Type::kMaxKey;
  }

  Type WriteUndefined() {
    ExpectWord("true");
    return Type::kUndefined;
  }

  const std::string_view text_;
  const RegexForm regex_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Bytes out_;
};

}  // namespace

Bytes ParseJson(std::string_view json, RegexForm regex) {
  try {
    return JsonReader(json, regex).Read();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInvalidArgument) {  // from hex and base64
      throw Error(ErrorCode::kCorrupt, "reading extended JSON: " + std::string(error.message()));
    }
    throw;
  }
}

}  // namespace tidemark::bson
