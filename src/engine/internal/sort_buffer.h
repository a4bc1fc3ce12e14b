#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/units.h"
#include "engine/internal/document_key.h"

namespace tidemark::engine {

// Documents waiting to be sorted by _id: one arena of bytes and one entry per document. Confined.
// Memory: documents + 2 x 40 bytes per document (a growing vector may hold twice what it uses);
// sorting is in place.
class SortBuffer {
 public:
  explicit SortBuffer(ByteCount budget) : budget_(budget.value) {}

  bool empty() const { return entries_.empty(); }

  ByteCount used() const { return {arena_.size() + 2 * sizeof(Entry) * entries_.size()}; }

  // Whether `size` more bytes stay within the budget. An empty buffer takes any document.
  bool Fits(std::size_t size) const;
  void Add(ByteView document, const DocumentKey& key);
  // In order of _id. Of equal _ids only the document added last.
  void ForEachSorted(const std::function<void(ByteView document, const DocumentKey& key)>& visit);
  void Clear();
  // The same, and gives the memory back.
  void Release();
  // What is allocated, used or not.
  ByteCount room() const;

 private:
  // What the prefixes of all entries mean. Prefixes of different kinds do not compare.
  enum class PrefixKind : std::uint8_t { kNone, kObjectId, kString, kInteger, kDate, kBinary };

  struct Entry {
    std::uint64_t prefix;  // orders like the key as far as it goes, when all kinds are equal
    std::uint64_t offset;  // of the document; grows with every Add
    std::uint32_t size;
    std::uint32_t key_offset;  // of the _id's value in the document
    std::uint32_t key_size;
    bson::Type key_type;
    bool key_present;
  };

  struct Prefix {
    PrefixKind kind = PrefixKind::kNone;
    std::uint64_t value = 0;
  };

  static Prefix PrefixOf(const DocumentKey& key);
  void NotePrefixKind(PrefixKind kind);
  void Sort();
  bool Less(const Entry& a, const Entry& b) const;
  ByteView DocumentOf(const Entry& entry) const;
  DocumentKey KeyAt(const Entry& entry) const;

  const std::size_t budget_;  // bytes
  Bytes arena_;
  std::vector<Entry> entries_;
  PrefixKind kind_ = PrefixKind::kNone;
};

}  // namespace tidemark::engine
