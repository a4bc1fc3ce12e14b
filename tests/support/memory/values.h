#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "bson/builder.h"
#include "bson/document.h"

// Shorthand over bson for the memory server.
namespace tidemark::memory {

inline Bytes CopyOf(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

// Empty when there is no such string.
std::string_view TextAt(const bson::Document& document, std::string_view name);
// The empty document when there is none of that name; also arrays.
bson::Document DocumentAt(const bson::Document& document, std::string_view name);
std::int64_t IntegerAt(const bson::Document& document, std::string_view name, std::int64_t absent);
// As the server reads flags: true, and numbers other than 0.
bool IsSet(const bson::Document& document, std::string_view name);

// Equal bytes: 1 and 1.0 differ.
bool SameValue(const bson::Element& a, const bson::Element& b);

bson::Builder& AppendNull(bson::Builder& builder, std::string_view name);
bson::Builder& AppendObjectId(bson::Builder& builder, std::string_view name, ByteView id);
bson::Builder& AppendUuid(bson::Builder& builder, std::string_view name, ByteView uuid);

// Elements of `document` but those named.
Bytes Without(const bson::Document& document, const std::vector<std::string_view>& names);

template <class Predicate>
bool AnyElement(const bson::Document& document, const Predicate& predicate) {
  for (const bson::Element& element : document) {
    if (predicate(element)) {
      return true;
    }
  }
  return false;
}

using Uuid = std::array<std::uint8_t, 16>;
Uuid NewUuid(RandomSource& random);  // version 4

}  // namespace tidemark::memory
