#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "bson/document.h"

// What FerretDB 1.x keeps of a collection's and an index's options; everything else it refuses or
// forgets.
namespace tidemark::delivery {

inline bool FerretKeepsCollectionOption(std::string_view name) {
  constexpr std::array<std::string_view, 3> kKept{"capped", "size", "max"};
  return std::ranges::find(kKept, name) != kKept.end();
}

inline bool FerretKeepsIndexOption(std::string_view name) {
  constexpr std::array<std::string_view, 6> kKept{"v", "key", "name", "ns", "unique", "background"};
  return std::ranges::find(kKept, name) != kKept.end();
}

// False for text, 2dsphere, hashed: the kinds that are told by a string instead of a direction.
inline bool FerretKeepsIndexKind(const bson::Document& spec) {
  const auto key = spec.Find("key");
  const auto fields = key ? key->AsDocument() : std::nullopt;
  for (const bson::Element& field : fields.value_or(bson::Document())) {
    if (field.AsString()) {
      return false;
    }
  }
  return true;
}

}  // namespace tidemark::delivery
