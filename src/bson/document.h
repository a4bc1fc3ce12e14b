#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tidemark::bson {

// Element types, bsonspec.org 1.1. Persistent by nature.
enum class Type : std::uint8_t {
  kDouble = 0x01,
  kString = 0x02,
  kDocument = 0x03,
  kArray = 0x04,
  kBinary = 0x05,
  kUndefined = 0x06,
  kObjectId = 0x07,
  kBoolean = 0x08,
  kDateTime = 0x09,
  kNull = 0x0a,
  kRegex = 0x0b,
  kDbPointer = 0x0c,
  kCode = 0x0d,
  kSymbol = 0x0e,
  kCodeWithScope = 0x0f,
  kInt32 = 0x10,
  kTimestamp = 0x11,
  kInt64 = 0x12,
  kDecimal128 = 0x13,
  kMaxKey = 0x7f,
  kMinKey = 0xff,
};

// 16 MiB documents are the server's rule, but other servers accept larger ones (FerretDB: 47 MB).
inline constexpr std::size_t kMaxDocumentSize = 48U << 20;  // bytes
inline constexpr int kMaxDepth = 200;  // nested documents; the server allows 180

// One element. Borrows from the document it came from.
struct Element {
  Type type = Type::kNull;
  std::string_view name;
  ByteView value;  // the bytes after type and name

  // Each returns nullopt when the type is another one.
  std::optional<std::string_view> AsString() const;
  std::optional<bool> AsBool() const;
  // Int32, Int64 and a Double that is integral.
  std::optional<std::int64_t> AsInteger() const;
  std::optional<class Document> AsDocument() const;  // also arrays
};

// A view of one whole BSON document whose frame (length, terminating zero) has been checked.
// Immutable; borrows the bytes. Iteration throws kCorrupt at the first malformed element.
class Document {
 public:
  // The empty document.
  Document();
  // Throws kCorrupt unless `bytes` is exactly one document frame of at most kMaxDocumentSize.
  explicit Document(ByteView bytes);

  ByteView bytes() const { return bytes_; }

  std::size_t size() const { return bytes_.size(); }

  bool empty() const { return bytes_.size() == 5; }

  class Iterator {
   public:
    Iterator() = default;

    const Element& operator*() const { return element_; }

    const Element* operator->() const { return &element_; }

    Iterator& operator++();

    bool operator==(const Iterator& other) const { return rest_.data() == other.rest_.data(); }

   private:
    friend class Document;
    explicit Iterator(ByteView rest);
    void Parse();

    ByteView rest_;  // from the current element on, terminating zero included
    std::size_t length_ = 0;
    Element element_;
  };

  Iterator begin() const;
  Iterator end() const;

  // First element of that name; nullopt when there is none.
  std::optional<Element> Find(std::string_view name) const;

 private:
  ByteView bytes_;
};

// Length of the document at the front of `bytes`; throws kCorrupt when the bytes cannot hold one.
std::size_t FrontDocumentSize(ByteView bytes);

// Walks every element at every depth. Throws kCorrupt with what is wrong and where. For bytes from
// outside.
void Validate(ByteView document);

// MongoDB's cross-type order of values (manual, "Comparison/Sort Order"): MinKey, undefined, null,
// numbers by value whatever their type, symbol and string, object, array, binary, ObjectId,
// boolean, date, timestamp, regex, MaxKey. 1, 1.0 and NumberLong(1) are equal. Simple binary
// collation for strings.
std::weak_ordering CompareValues(const Element& a, const Element& b);

// Canonical Extended JSON v2 of a document, for people and logs.
std::string ToJson(const Document& document);

}  // namespace tidemark::bson
