#include "engine/internal/sort_buffer.h"

#include <algorithm>

namespace tidemark::engine {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

// The first eight bytes as a number that orders like them; missing bytes count as zero.
std::uint64_t LeadingBytes(ByteView bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = number << 8 | (i < bytes.size() ? bytes[i] : 0U);
  }
  return number;
}

std::uint64_t SignedPrefix(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ kSignBit;
}

// Binary orders by length, subtype, bytes.
std::uint64_t BinaryPrefix(ByteView value) {
  constexpr std::size_t kMaxLength = 0xffff;
  const std::size_t length = value.size() - 4;
  if (length >= kMaxLength) {
    return std::uint64_t{kMaxLength} << 48;
  }
  return std::uint64_t{length} << 48 | LeadingBytes(value.subspan(4)) >> 16;
}

}  // namespace

SortBuffer::Prefix SortBuffer::PrefixOf(const DocumentKey& key) {
  const bson::Element& value = key.value;
  if (value.type == bson::Type::kObjectId) {
    return {PrefixKind::kObjectId, LeadingBytes(value.value)};
  }
  if (const auto text = value.AsString()) {
    return {PrefixKind::kString, LeadingBytes(AsBytes(*text))};
  }
  if (value.type == bson::Type::kInt32 || value.type == bson::Type::kInt64) {
    return {PrefixKind::kInteger, SignedPrefix(*value.AsInteger())};
  }
  if (value.type == bson::Type::kDateTime) {
    return {PrefixKind::kDate, LoadLe64(value.value.data()) ^ kSignBit};
  }
  if (value.type == bson::Type::kBinary) {
    return {PrefixKind::kBinary, BinaryPrefix(value.value)};
  }
  return {};
}

bool SortBuffer::Fits(std::size_t size) const {
  return entries_.empty() || used().value + size + 2 * sizeof(Entry) <= budget_;
}

void SortBuffer::Add(ByteView document, const DocumentKey& key) {
  if (arena_.capacity() < budget_) {
    arena_.reserve(budget_);  // untouched pages cost nothing, a growing arena would be copied
  }
  const Prefix prefix = PrefixOf(key);
  NotePrefixKind(prefix.kind);
  const std::size_t key_offset =
      key.value.value.empty() ? 0
                              : static_cast<std::size_t>(key.value.value.data() - document.data());
  entries_.push_back({.prefix = prefix.value,
                      .offset = arena_.size(),
                      .size = static_cast<std::uint32_t>(document.size()),
                      .key_offset = static_cast<std::uint32_t>(key_offset),
                      .key_size = static_cast<std::uint32_t>(key.value.value.size()),
                      .key_type = key.value.type,
                      .key_present = key.present});
  arena_.insert(arena_.end(), document.begin(), document.end());
}

void SortBuffer::NotePrefixKind(PrefixKind kind) {
  kind_ = entries_.empty() || kind_ == kind ? kind : PrefixKind::kNone;
}

ByteView SortBuffer::DocumentOf(const Entry& entry) const {
  return ByteView(arena_).subspan(entry.offset, entry.size);
}

DocumentKey SortBuffer::KeyAt(const Entry& entry) const {
  return {.present = entry.key_present,
          .value = {.type = entry.key_type,
                    .name = {},
                    .value = DocumentOf(entry).subspan(entry.key_offset, entry.key_size)}};
}

// Equal keys stay in the order they came in: the offset decides.
bool SortBuffer::Less(const Entry& a, const Entry& b) const {
  if (kind_ != PrefixKind::kNone && a.prefix != b.prefix) {
    return a.prefix < b.prefix;
  }
  const std::weak_ordering order = CompareKeys(KeyAt(a), KeyAt(b));
  return order != std::weak_ordering::equivalent ? order < 0 : a.offset < b.offset;
}

void SortBuffer::Sort() {
  const auto less = [this](const Entry& a, const Entry& b) { return Less(a, b); };
  if (!std::ranges::is_sorted(entries_, less)) {
    std::ranges::sort(entries_, less);
  }
}

void SortBuffer::ForEachSorted(
    const std::function<void(ByteView document, const DocumentKey& key)>& visit) {
  Sort();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const DocumentKey key = KeyAt(entries_[i]);
    const bool replaced = i + 1 < entries_.size() && SameDocument(key, KeyAt(entries_[i + 1]));
    if (!replaced) {
      visit(DocumentOf(entries_[i]), key);
    }
  }
}

void SortBuffer::Release() {
  Bytes().swap(arena_);  // what is assigned to keeps its room
  std::vector<Entry>().swap(entries_);
}

ByteCount SortBuffer::room() const {
  return {arena_.capacity() + sizeof(Entry) * entries_.capacity()};
}

void SortBuffer::Clear() {
  entries_.clear();
  arena_.clear();
  if (arena_.capacity() > budget_) {
    arena_.shrink_to_fit();  // one document above the budget
  }
}

}  // namespace tidemark::engine
