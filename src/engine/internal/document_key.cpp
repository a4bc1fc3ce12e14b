#include "engine/internal/document_key.h"

#include <array>

namespace tidemark::engine {
namespace {

constexpr std::size_t kEmptyDocument = 5;  // bytes

}  // namespace

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

// By hand: it is done for every document.
void AppendKey(const DocumentKey& key, Bytes& out) {
  const ByteView value = key.value.value;
  // Size, type, the end of the empty name, value, end.
  const std::size_t size = key.present ? kEmptyDocument + 2 + value.size() : kEmptyDocument;
  std::array<std::uint8_t, 6> head{};
  StoreLe32(head.data(), static_cast<std::uint32_t>(size));
  head[4] = static_cast<std::uint8_t>(key.value.type);
  out.insert(out.end(), head.begin(), head.begin() + (key.present ? 6 : 4));
  if (key.present) {
    out.insert(out.end(), value.begin(), value.end());
  }
  out.push_back(0);
}

Bytes EncodeKey(const DocumentKey& key) {
  Bytes bytes;
  AppendKey(key, bytes);
  return bytes;
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
