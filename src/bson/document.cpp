#include "bson/document.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tidemark::bson {
namespace {

constexpr std::size_t kLengthSize = 4;       // bytes of a length field
constexpr std::size_t kMinDocumentSize = 5;  // length and terminating zero
constexpr std::size_t kObjectIdSize = 12;    // bytes
constexpr std::size_t kMaxShownName = 64;    // bytes of a name that an error message repeats
constexpr std::array<std::uint8_t, kMinDocumentSize> kEmptyDocument{kMinDocumentSize, 0, 0, 0, 0};

// How the size of a value follows from its first bytes.
enum class Form : std::uint8_t {
  kUnknown,
  kFixed,     // `extra` bytes
  kPrefixed,  // int32 n >= `least`, `extra` bytes more than n in all
  kText,      // as kPrefixed, and the n bytes after the length end with a zero
  kFrame,     // as kPrefixed with n for the whole value, which ends with a zero
  kRegex,     // two zero-terminated strings
};

struct Shape {
  Form form = Form::kUnknown;
  std::uint8_t extra = 0;
  std::uint8_t least = 0;
};

using ShapeTable = std::array<Shape, 256>;

constexpr ShapeTable MakeShapes() {
  ShapeTable shapes{};
  const auto set = [&shapes](Type type, Shape shape) {
    shapes[static_cast<std::uint8_t>(type)] = shape;
  };
  set(Type::kDouble, {.form = Form::kFixed, .extra = 8});
  set(Type::kString, {.form = Form::kText, .extra = kLengthSize, .least = 1});
  set(Type::kDocument, {.form = Form::kFrame, .least = kMinDocumentSize});
  set(Type::kArray, {.form = Form::kFrame, .least = kMinDocumentSize});
  set(Type::kBinary, {.form = Form::kPrefixed, .extra = kLengthSize + 1});
  set(Type::kUndefined, {.form = Form::kFixed});
  set(Type::kObjectId, {.form = Form::kFixed, .extra = kObjectIdSize});
  set(Type::kBoolean, {.form = Form::kFixed, .extra = 1});
  set(Type::kDateTime, {.form = Form::kFixed, .extra = 8});
  set(Type::kNull, {.form = Form::kFixed});
  set(Type::kRegex, {.form = Form::kRegex});
  set(Type::kDbPointer, {.form = Form::kText, .extra = kLengthSize + kObjectIdSize, .least = 1});
  set(Type::kCode, {.form = Form::kText, .extra = kLengthSize, .least = 1});
  set(Type::kSymbol, {.form = Form::kText, .extra = kLengthSize, .least = 1});
  set(Type::kCodeWithScope,
      {.form = Form::kFrame, .least = 2 * kLengthSize + 1 + kMinDocumentSize});
  set(Type::kInt32, {.form = Form::kFixed, .extra = 4});
  set(Type::kTimestamp, {.form = Form::kFixed, .extra = 8});
  set(Type::kInt64, {.form = Form::kFixed, .extra = 8});
  set(Type::kDecimal128, {.form = Form::kFixed, .extra = 16});
  set(Type::kMaxKey, {.form = Form::kFixed});
  set(Type::kMinKey, {.form = Form::kFixed});
  return shapes;
}

constexpr ShapeTable kShapes = MakeShapes();

[[noreturn]] void ThrowMalformed(std::string_view why) {
  throw Error(ErrorCode::kCorrupt, "reading BSON: " + std::string(why));
}

[[noreturn]] void ThrowMalformed(const Element& element, std::string_view why) {
  throw Error(ErrorCode::kCorrupt,
              "reading BSON field \"" + std::string(element.name.substr(0, kMaxShownName)) +
                  "\": " + std::string(why));
}

[[noreturn]] void ThrowTruncated(const Element& element) {
  ThrowMalformed(element, "value runs past the end of the document");
}

// Length with its zero of the string at the front of `bytes`; nullopt when no zero is there.
std::optional<std::size_t> TerminatedSize(ByteView bytes) {
  const void* zero = bytes.empty() ? nullptr : std::memchr(bytes.data(), 0, bytes.size());
  if (zero == nullptr) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(static_cast<const std::uint8_t*>(zero) - bytes.data()) + 1;
}

std::size_t RegexSize(const Element& element, ByteView from) {
  const std::optional<std::size_t> pattern = TerminatedSize(from);
  const std::optional<std::size_t> options =
      pattern ? TerminatedSize(from.subspan(*pattern)) : std::nullopt;
  if (!options) {
    ThrowTruncated(element);
  }
  return *pattern + *options;
}

std::size_t PrefixedSize(const Element& element, ByteView from, Shape shape) {
  if (from.size() < kLengthSize) {
    ThrowTruncated(element);
  }
  const std::size_t length = LoadLe32(from.data());
  const std::size_t size = length + shape.extra;
  if (length < shape.least) {
    ThrowMalformed(element, "length " + std::to_string(length) + " is too small for the type");
  }
  if (size > from.size()) {
    ThrowTruncated(element);
  }
  const std::size_t text_end = shape.form == Form::kText ? kLengthSize + length : length;
  if (shape.form != Form::kPrefixed && from[text_end - 1] != 0) {
    ThrowMalformed(element, "value does not end with zero");
  }
  return size;
}

// Size of the value at the front of `from`, which ends before the document's terminating zero.
std::size_t ValueSize(const Element& element, ByteView from) {
  const Shape shape = kShapes[static_cast<std::uint8_t>(element.type)];
  switch (shape.form) {
    case Form::kFixed:
      if (shape.extra > from.size()) {
        ThrowTruncated(element);
      }
      return shape.extra;
    case Form::kPrefixed:
    case Form::kText:
    case Form::kFrame:
      return PrefixedSize(element, from, shape);
    case Form::kRegex:
      return RegexSize(element, from);
    case Form::kUnknown:
      break;
  }
  ThrowMalformed(element, "unknown type " + std::to_string(static_cast<unsigned>(element.type)));
}

// Checks what iteration leaves out, at every depth, and knows where it is.
class Validator {
 public:
  void Walk(const Document& document) {
    if (path_.size() >= static_cast<std::size_t>(kMaxDepth)) {
      ThrowMalformed("documents are nested more than " + std::to_string(kMaxDepth) + " deep");
    }
    for (const Element& element : document) {
      Check(element);
    }
  }

  // "a.b.c" of the document being walked; empty at the top.
  std::string Where() const {
    std::string where;
    for (const std::string_view name : path_) {
      where.append(where.empty() ? "" : ".").append(name.substr(0, kMaxShownName));
    }
    return where;
  }

 private:
  void Check(const Element& element) {
    if (element.type == Type::kBoolean && element.value[0] > 1) {
      ThrowMalformed(element, "boolean is neither 0 nor 1");
    }
    if (element.type == Type::kCodeWithScope) {
      Descend(element, ScopeBytes(element));
    }
    if (element.type == Type::kDocument || element.type == Type::kArray) {
      Descend(element, element.value);
    }
  }

  static ByteView ScopeBytes(const Element& element) {
    const std::size_t code = LoadLe32(element.value.data() + kLengthSize);
    const std::size_t room = element.value.size() - 2 * kLengthSize - kMinDocumentSize;
    if (code < 1 || code > room || element.value[2 * kLengthSize + code - 1] != 0) {
      ThrowMalformed(element, "code does not fit its value");
    }
    return element.value.subspan(2 * kLengthSize + code);
  }

  void Descend(const Element& element, ByteView nested) {
    path_.push_back(element.name);
    Walk(Document(nested));
    path_.pop_back();
  }

  std::vector<std::string_view> path_;
};

}  // namespace

std::optional<std::string_view> Element::AsString() const {
  if (type != Type::kString) {
    return std::nullopt;
  }
  return AsText(value.subspan(kLengthSize, value.size() - kLengthSize - 1));
}

std::optional<bool> Element::AsBool() const {
  return type == Type::kBoolean ? std::optional(value[0] != 0) : std::nullopt;
}

std::optional<std::int64_t> Element::AsInteger() const {
  if (type == Type::kInt32) {
    return static_cast<std::int32_t>(LoadLe32(value.data()));
  }
  if (type == Type::kInt64) {
    return static_cast<std::int64_t>(LoadLe64(value.data()));
  }
  if (type != Type::kDouble) {
    return std::nullopt;
  }
  const auto number = std::bit_cast<double>(LoadLe64(value.data()));
  const bool in_range = number >= -0x1p63 && number < 0x1p63;  // false for NaN as well
  if (!in_range || static_cast<double>(static_cast<std::int64_t>(number)) != number) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

std::optional<Document> Element::AsDocument() const {
  if (type != Type::kDocument && type != Type::kArray) {
    return std::nullopt;
  }
  return Document(value);
}

Document::Document() : bytes_(kEmptyDocument) {}

Document::Document(ByteView bytes) : bytes_(bytes) {
  const std::size_t size = FrontDocumentSize(bytes);
  if (size != bytes.size()) {
    ThrowMalformed("document says " + std::to_string(size) + " bytes, has " +
                   std::to_string(bytes.size()));
  }
  if (bytes.back() != 0) {
    ThrowMalformed("document does not end with zero");
  }
}

Document::Iterator::Iterator(ByteView rest) : rest_(rest) {
  Parse();
}

Document::Iterator& Document::Iterator::operator++() {
  rest_ = rest_.subspan(length_);
  Parse();
  return *this;
}

void Document::Iterator::Parse() {
  if (rest_.size() == 1) {
    return;  // the terminating zero: the end
  }
  element_.type = static_cast<Type>(rest_[0]);
  const std::optional<std::size_t> name = TerminatedSize(rest_.subspan(1, rest_.size() - 2));
  if (!name) {
    ThrowMalformed("field name runs past the end of the document");
  }
  element_.name = AsText(rest_.subspan(1, *name - 1));
  const ByteView from = rest_.subspan(1 + *name, rest_.size() - 2 - *name);
  const std::size_t size = ValueSize(element_, from);
  element_.value = from.first(size);
  length_ = 1 + *name + size;
}

Document::Iterator Document::begin() const {
  return Iterator(bytes_.subspan(kLengthSize));
}

Document::Iterator Document::end() const {
  return Iterator(bytes_.last(1));
}

std::optional<Element> Document::Find(std::string_view name) const {
  for (const Element& element : *this) {
    if (element.name == name) {
      return element;
    }
  }
  return std::nullopt;
}

std::size_t FrontDocumentSize(ByteView bytes) {
  if (bytes.size() < kMinDocumentSize) {
    ThrowMalformed(std::to_string(bytes.size()) + " bytes are too few for a document");
  }
  const std::size_t size = LoadLe32(bytes.data());
  if (size < kMinDocumentSize || size > kMaxDocumentSize) {
    ThrowMalformed("document size " + std::to_string(size) + " is out of range");
  }
  if (size > bytes.size()) {
    ThrowMalformed("document says " + std::to_string(size) + " bytes, has " +
                   std::to_string(bytes.size()));
  }
  return size;
}

void Validate(ByteView document) {
  Validator validator;
  try {
    validator.Walk(Document(document));
  } catch (const Error& error) {
    const std::string where = validator.Where();
    if (where.empty()) {
      throw;
    }
    throw error.WithContext("checking BSON at \"" + where + "\"");
  }
}

}  // namespace tidemark::bson
