#pragma once

#include <optional>

#include "repo/internal/pack.h"
#include "repo/internal/project.h"

namespace tidemark::repo {

// Puts chunks into new packs, and index entries into new segments, whatever the index knows of
// them already. Packs are durable before a segment names them (I2). Holds one pack and the entries
// of at most one segment, beside the entries of copied chunks. Confined. `project` must outlive it.
// After an exception only destruction is legal; what was written is unreferenced.
class Copier {
 public:
  Copier(const Project& project, ByteCount pack_size) : project_(project), pack_size_(pack_size) {}

  // A chunk that was copied before is passed over.
  void CopyChunk(const PackEntry& entry, ByteView sealed);

  // Keeps an entry of the index; `slot.pack` does not matter. A chunk that has one already may be
  // passed over.
  void KeepEntry(const ChunkId& id, ChunkSlot slot, const PackId& pack);
  // Makes everything durable. More may be copied afterwards.
  void Finish();

 private:
  void PutPack();
  void PutSegments(const ChunkIndex& entries);

  const Project& project_;
  const ByteCount pack_size_;
  std::optional<PackBuilder> open_;
  std::uint32_t number_ = 0;  // of the open pack in copied_
  ChunkIndex copied_;
  ChunkIndex kept_;
};

}  // namespace tidemark::repo
