#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "bson/document.h"

namespace tidemark::bson {

// Appends elements in order to a new document. Confined. Names must not hold NUL (checked:
// kInvalidArgument).
class Builder {
 public:
  Builder();

  Builder& Append(std::string_view name, std::string_view text);

  Builder& Append(std::string_view name, const char* text) {
    return Append(name, std::string_view(text));
  }

  Builder& Append(std::string_view name, bool value);
  Builder& Append(std::string_view name, std::int32_t value);
  Builder& Append(std::string_view name, std::int64_t value);
  Builder& Append(std::string_view name, double value);
  Builder& Append(std::string_view name, const Document& value);
  Builder& AppendArray(std::string_view name, const Document& array);
  Builder& AppendBinary(std::string_view name, ByteView bytes);  // subtype 0
  Builder& AppendTimestamp(std::string_view name, std::uint32_t seconds, std::uint32_t increment);
  Builder& AppendDateTime(std::string_view name, std::int64_t milliseconds);
  // The element's type and value under another name.
  Builder& AppendElement(std::string_view name, const Element& element);

  // The finished document. Only destruction is legal afterwards.
  Bytes Finish();

 private:
  void Start(Type type, std::string_view name);
  void AppendLe(std::uint64_t value, int size);
  void AppendRaw(ByteView bytes);

  Bytes bytes_;
};

// Builds an array: names "0", "1", ...
class ArrayBuilder {
 public:
  ArrayBuilder& Append(const Document& value);
  ArrayBuilder& Append(std::string_view text);
  Bytes Finish();

 private:
  Builder builder_;
  std::uint32_t next_ = 0;
};

// A document from Extended JSON (either form). Throws kInvalidArgument. For tests and tools.
Bytes FromJson(std::string_view json);

}  // namespace tidemark::bson
