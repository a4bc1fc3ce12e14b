#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "repo/internal/names.h"
#include "repo/repository.h"

namespace tidemark::repo {

// Where a chunk lies. `pack` is a number that the index in question gave out.
struct ChunkSlot {
  std::uint32_t pack = 0;
  std::uint32_t offset = 0;
  std::uint32_t stored_size = 0;
  std::uint32_t plain_size = 0;

  bool operator==(const ChunkSlot&) const = default;
};

struct IndexEntry {
  ChunkId id{};
  ChunkSlot slot;

  bool operator==(const IndexEntry&) const = default;
};

// Chunk id -> place, in memory. Confined.
// 48 bytes per entry in a deque that never copies, and 4 bytes per cell of an open-addressing table
// that is between 1/3 and 2/3 full: 54 to 60 bytes per chunk, so 1 TiB in chunks of 1 MiB takes 60
// MiB.
class ChunkIndex {
 public:
  std::uint32_t AddPack(const PackId& pack);
  // False, and nothing changes, when the id is there already. REQUIRES: slot.pack came from
  // AddPack.
  bool Insert(const ChunkId& id, const ChunkSlot& slot);
  std::optional<ChunkSlot> Find(const ChunkId& id) const;
  // Its place in entries().
  std::optional<std::uint32_t> FindNumber(const ChunkId& id) const;

  const PackId& pack(std::uint32_t number) const { return packs_[number]; }

  const std::vector<PackId>& packs() const { return packs_; }

  // In order of insertion.
  const std::deque<IndexEntry>& entries() const { return entries_; }

 private:
  // The cell that holds `id`, or the free one where it belongs.
  std::size_t CellOf(const ChunkId& id) const;
  void Grow();

  std::vector<PackId> packs_;
  std::deque<IndexEntry> entries_;
  std::vector<std::uint32_t> table_;  // entry number + 1; 0 = free
};

}  // namespace tidemark::repo
