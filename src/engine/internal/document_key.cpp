#include "engine/internal/document_key.h"

#include "bson/builder.h"

namespace tidemark::engine {

DocumentKey KeyOf(const bson::Document& document) {
  const std::optional<bson::Element> id = document.Find("_id");
  return id ? DocumentKey{.present = true, .value = *id} : DocumentKey{};
}

std::weak_ordering CompareKeys(const DocumentKey& a, const DocumentKey& b) {
  const std::weak_ordering order = bson::CompareValues(a.value, b.value);
  return order != std::weak_ordering::equivalent ? order : a.present <=> b.present;
}

bool SameDocument(const DocumentKey& a, const DocumentKey& b) {
  return a.present && b.present &&
         bson::CompareValues(a.value, b.value) == std::weak_ordering::equivalent;
}

Bytes EncodeKey(const DocumentKey& key) {
  bson::Builder builder;
  if (key.present) {
    builder.AppendElement("", key.value);
  }
  return builder.Finish();
}

DocumentKey DecodeKey(ByteView bytes) {
  const bson::Document document(bytes);
  return document.empty() ? DocumentKey{}
                          : DocumentKey{.present = true, .value = *document.begin()};
}

void KeyCopy::Assign(const DocumentKey& key) {
  present_ = key.present;
  type_ = key.value.type;
  value_.assign(key.value.value.begin(), key.value.value.end());
}

DocumentKey KeyCopy::Get() const {
  return {.present = present_, .value = {.type = type_, .name = {}, .value = value_}};
}

}  // namespace tidemark::engine
