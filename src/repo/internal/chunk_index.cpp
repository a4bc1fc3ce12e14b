#include "repo/internal/chunk_index.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::repo {

std::uint32_t ChunkIndex::AddPack(const PackId& pack) {
  packs_.push_back(pack);
  return static_cast<std::uint32_t>(packs_.size() - 1);
}

// Ids are HMACs, as good as random: their first bytes are the hash, and nobody without the key can
// choose them.
std::size_t ChunkIndex::CellOf(const ChunkId& id) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t cell = LoadLe64(id.data()) & mask;
  while (table_[cell] != 0 && entries_[table_[cell] - 1].id != id) {
    cell = (cell + 1) & mask;
  }
  return cell;
}

void ChunkIndex::Grow() {
  table_.assign(std::max<std::size_t>(16, table_.size() * 2), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    table_[CellOf(entries_[i].id)] = static_cast<std::uint32_t>(i + 1);
  }
}

bool ChunkIndex::Insert(const ChunkId& id, const ChunkSlot& slot) {
  TIDEMARK_CHECK(slot.pack < packs_.size());
  if (entries_.size() * 3 >= table_.size() * 2) {
    Grow();
  }
  const std::size_t cell = CellOf(id);
  if (table_[cell] != 0) {
    return false;
  }
  entries_.push_back({id, slot});
  table_[cell] = static_cast<std::uint32_t>(entries_.size());
  return true;
}

std::optional<ChunkSlot> ChunkIndex::Find(const ChunkId& id) const {
  const std::optional<std::uint32_t> number = FindNumber(id);
  return number ? std::optional(entries_[*number].slot) : std::nullopt;
}

std::optional<std::uint32_t> ChunkIndex::FindNumber(const ChunkId& id) const {
  if (table_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t number = table_[CellOf(id)];
  return number == 0 ? std::nullopt : std::optional(number - 1);
}

}  // namespace tidemark::repo
