#include "tests/support/memory/values.h"

#include <algorithm>

namespace tidemark::memory {

std::string_view TextAt(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsString().value_or("") : std::string_view();
}

bson::Document DocumentAt(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsDocument().value_or(bson::Document()) : bson::Document();
}

std::int64_t IntegerAt(const bson::Document& document, std::string_view name, std::int64_t absent) {
  const auto element = document.Find(name);
  return element ? element->AsInteger().value_or(absent) : absent;
}

bool IsSet(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element && (element->AsBool().value_or(false) || element->AsInteger().value_or(0) != 0);
}

bool SameValue(const bson::Element& a, const bson::Element& b) {
  return a.type == b.type && std::ranges::equal(a.value, b.value);
}

bson::Builder& AppendNull(bson::Builder& builder, std::string_view name) {
  return builder.AppendElement(name, {.type = bson::Type::kNull, .name = name, .value = {}});
}

bson::Builder& AppendObjectId(bson::Builder& builder, std::string_view name, ByteView id) {
  return builder.AppendElement(name, {.type = bson::Type::kObjectId, .name = name, .value = id});
}

bson::Builder& AppendUuid(bson::Builder& builder, std::string_view name, ByteView uuid) {
  constexpr std::uint8_t kUuidSubtype = 4;
  Bytes value{static_cast<std::uint8_t>(uuid.size()), 0, 0, 0, kUuidSubtype};
  value.insert(value.end(), uuid.begin(), uuid.end());
  return builder.AppendElement(name, {.type = bson::Type::kBinary, .name = name, .value = value});
}

Bytes Without(const bson::Document& document, const std::vector<std::string_view>& names) {
  bson::Builder kept;
  for (const bson::Element& element : document) {
    if (std::ranges::find(names, element.name) == names.end()) {
      kept.AppendElement(element.name, element);
    }
  }
  return kept.Finish();
}

Uuid NewUuid(RandomSource& random) {
  Uuid uuid;
  random.Fill(uuid);
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x40);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace tidemark::memory
