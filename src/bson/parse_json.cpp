#include "bson/parse_json.h"

#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include <bson/bson.h>

#include "base/error.h"
#include "bson/document.h"
#include "bson/internal/iso_date.h"
#include "bson/internal/json_text.h"

namespace tidemark::bson {
namespace {

constexpr std::size_t kObjectIdDigits = 24;
constexpr std::size_t kUuidSize = 16;  // bytes
constexpr std::uint8_t kUuidSubtype = 4;
constexpr std::uint8_t kOldBinarySubtype = 2;  // its bytes have a length of their own in front

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Writes as it reads: a length or a type is put in when it is known.
class JsonReader {
 public:
  JsonReader(std::string_view json, RegexForm regex) : text_(json), regex_(regex) {}

  Bytes Read() {
    text_.SkipSpace();
    text_.Expect('{');
    text_.SkipSpace();
    if (!text_.TakeIf('}')) {
      WriteMembers(text_.ReadString());
    } else {
      CloseDocument(OpenDocument());
    }
    text_.SkipSpace();
    if (!text_.AtEnd()) {
      text_.Fail("there is more behind the document");
    }
    return std::move(out_);
  }

 private:
  void Put(ByteView bytes) {
    if (out_.size() + bytes.size() > kMaxDocumentSize) {
      text_.Fail("it becomes more BSON than a document may hold");
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
      text_.Fail("a name or pattern holds NUL");
    }
    Put(AsBytes(name));
    PutByte(0);
  }

  std::size_t OpenDocument() {
    if (++depth_ > kMaxDepth) {
      text_.Fail("more than " + std::to_string(kMaxDepth) + " levels");
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
      text_.ExpectColon();
      WriteElement(name);
      text_.SkipSpace();
      if (text_.TakeIf('}')) {
        break;
      }
      text_.Expect(',');
      text_.SkipSpace();
      name = text_.ReadString();
    }
    CloseDocument(start);
  }

  void WriteElement(std::string_view name) {
    const std::size_t type_at = out_.size();
    PutByte(0);
    PutName(name);
    const Type type = WriteValue();
    out_[type_at] = static_cast<std::uint8_t>(type);
  }

  Type WriteValue() {
    switch (text_.Front()) {
      case '{':
        text_.Skip();
        return WriteObject();
      case '[':
        text_.Skip();
        WriteArray();
        return Type::kArray;
      case '"':
        PutText(text_.ReadString());
        return Type::kString;
      case 't':
        text_.ExpectWord("true");
        PutByte(1);
        return Type::kBoolean;
      case 'f':
        text_.ExpectWord("false");
        PutByte(0);
        return Type::kBoolean;
      case 'n':
        text_.ExpectWord("null");
        return Type::kNull;
      default:
        return WriteNumber();
    }
  }

  void WriteArray() {
    const std::size_t start = OpenDocument();
    text_.SkipSpace();
    for (std::size_t index = 0; !text_.TakeIf(']'); ++index) {
      if (index != 0) {
        text_.Expect(',');
        text_.SkipSpace();
      }
      WriteElement(std::to_string(index));
      text_.SkipSpace();
    }
    CloseDocument(start);
  }

  Type WriteNumber() {
    bool whole = false;
    const std::string_view text = text_.ReadNumber(whole);
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
        text_.Fail("not a double");
      }
      if (error == std::errc::result_out_of_range) {
        text_.Fail("a number that no double holds");
      }
    }
    Put64(std::bit_cast<std::uint64_t>(value));
  }

  // Objects that stand for a value of another type.
  Type WriteObject() {
    text_.SkipSpace();
    if (text_.TakeIf('}')) {
      CloseDocument(OpenDocument());
      return Type::kDocument;
    }
    std::string name = text_.ReadString();
    if (name.starts_with('$')) {
      if (const Wrapper* wrapper = FindWrapper(name)) {
        text_.ExpectColon();
        const Type type = (this->*wrapper->write)();
        text_.SkipSpace();
        text_.Expect('}');
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
      text_.Fail("not a number of that type");
    }
    return value;
  }

  template <class Number>
  Number ReadWhole() {
    bool whole = false;
    return ParseWhole<Number>(text_.ReadNumber(whole));
  }

  Type WriteInt32() {
    Put32(static_cast<std::uint32_t>(ParseWhole<std::int32_t>(text_.ReadString())));
    return Type::kInt32;
  }

  Type WriteInt64() {
    Put64(static_cast<std::uint64_t>(ParseWhole<std::int64_t>(text_.ReadString())));
    return Type::kInt64;
  }

  Type WriteDouble() {
    PutDouble(text_.ReadString());
    return Type::kDouble;
  }

  Type WriteDecimal() {
    const std::string text = text_.ReadString();
    bson_decimal128_t decimal{};
    if (text.empty() || text.find('\0') != std::string::npos ||
        !bson_decimal128_from_string(text.c_str(), &decimal)) {
      text_.Fail("not a decimal");
    }
    Put64(decimal.low);
    Put64(decimal.high);
    return Type::kDecimal128;
  }

  void PutObjectId() {
    const std::string text = text_.ReadString();
    if (text.size() != kObjectIdDigits) {
      text_.Fail("an ObjectId has 24 hex digits");
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
    if (text_.Front() == '"') {
      const auto parsed = ParseIsoDate(text_.ReadString());
      if (!parsed) {
        text_.Fail("not a date");
      }
      return *parsed;
    }
    if (!text_.TakeIf('{')) {
      return ReadWhole<std::int64_t>();
    }
    text_.ExpectMember("$numberLong");
    const auto value = ParseWhole<std::int64_t>(text_.ReadString());
    text_.CloseObject();
    return value;
  }

  Type WriteTimestamp() {
    text_.Expect('{');
    text_.ExpectMember("t");
    const auto seconds = ReadWhole<std::uint32_t>();
    text_.ExpectNextMember("i");
    Put32(ReadWhole<std::uint32_t>());
    Put32(seconds);
    text_.CloseObject();
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
    const std::string text = text_.ReadString();
    if (text.size() > 2) {
      text_.Fail("a binary's subtype has one or two hex digits");
    }
    return ParseWhole<std::uint8_t>(text, 16);
  }

  Type WriteBinary() {
    const bool strict_mode = text_.Front() == '"';
    if (!strict_mode) {
      text_.Expect('{');
      text_.ExpectMember("base64");
    }
    const Bytes bytes = Base64Decode(text_.ReadString());
    text_.ExpectNextMember(strict_mode ? "$type" : "subType");
    PutBinary(bytes, ReadSubtype());
    if (!strict_mode) {
      text_.CloseObject();
    }
    return Type::kBinary;
  }

  Type WriteUuid() {
    std::string digits = text_.ReadString();
    std::erase(digits, '-');
    if (digits.size() != 2 * kUuidSize) {
      text_.Fail("not a UUID");
    }
    PutBinary(HexDecode(digits), kUuidSubtype);
    return Type::kBinary;
  }

  Type WriteRegex() {
    text_.Expect('{');
    text_.ExpectMember("pattern");
    PutName(text_.ReadString());
    text_.ExpectNextMember("options");
    PutName(text_.ReadString());
    text_.CloseObject();
    return Type::kRegex;
  }

  // Leaves everything as it was when it is another document.
  bool WriteStrictRegex() {
    const std::size_t at = text_.position();
    const std::size_t size = out_.size();
    if (TakeStrictRegex()) {
      return true;
    }
    text_.GoBack(at);
    out_.resize(size);
    return false;
  }

  bool TakeStrictRegex() {
    text_.ExpectColon();
    if (text_.Front() != '"') {
      return false;
    }
    PutName(text_.ReadString());
    text_.SkipSpace();
    if (!text_.TakeIf(',')) {
      return false;
    }
    text_.SkipSpace();
    if (text_.ReadString() != "$options") {
      return false;
    }
    text_.ExpectColon();
    if (text_.Front() != '"') {
      return false;
    }
    PutName(text_.ReadString());
    text_.SkipSpace();
    return text_.TakeIf('}');
  }

  Type WriteCode() {
    const std::size_t start = out_.size();
    const std::string code = text_.ReadString();
    text_.SkipSpace();
    if (text_.Front() == '}') {
      PutText(code);
      return Type::kCode;
    }
    Put32(0);
    PutText(code);
    text_.ExpectNextMember("$scope");
    text_.Expect('{');
    text_.SkipSpace();
    if (text_.TakeIf('}')) {
      CloseDocument(OpenDocument());
    } else {
      WriteMembers(text_.ReadString());
    }
    StoreLe32(out_.data() + start, static_cast<std::uint32_t>(out_.size() - start));
    return Type::kCodeWithScope;
  }

  Type WriteSymbol() {
    PutText(text_.ReadString());
    return Type::kSymbol;
  }

  Type WriteDbPointer() {
    text_.Expect('{');
    text_.ExpectMember("$ref");
    PutText(text_.ReadString());
    text_.ExpectNextMember("$id");
    text_.Expect('{');
    text_.ExpectMember("$oid");
    PutObjectId();
    text_.CloseObject();
    text_.CloseObject();
    return Type::kDbPointer;
  }

  Type WriteMinKey() {
    text_.ExpectWord("1");
    return Type::kMinKey;
  }

  Type WriteMaxKey() {
    text_.ExpectWord("1");
    return Type::kMaxKey;
  }

  Type WriteUndefined() {
    text_.ExpectWord("true");
    return Type::kUndefined;
  }

  JsonText text_;
  const RegexForm regex_;
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
