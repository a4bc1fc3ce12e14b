#pragma once

#include <functional>
#include <vector>

#include "repo/internal/chunk_index.h"
#include "repo/internal/key_ring.h"

namespace tidemark::repo {

// A durable piece of the chunk index. `slot.pack` counts in `packs`.
struct IndexSegment {
  std::vector<PackId> packs;
  std::vector<IndexEntry> entries;

  bool operator==(const IndexSegment&) const = default;
};

// So that no segment is larger than 12.5 MiB.
inline constexpr std::size_t kMaxSegmentEntries = 256U << 10;

// The index as segments of at most kMaxSegmentEntries entries; of packs that `wanted` does not want
// nothing.
std::vector<IndexSegment> SplitIntoSegments(
    const ChunkIndex& index,
    const std::function<bool(std::uint32_t pack)>& wanted = [](std::uint32_t) { return true; });

// The whole blob: header, sealed body.
Bytes SealIndexSegment(const ProjectKeys& keys,
                       const SegmentId& id,
                       const IndexSegment& segment,
                       RandomSource& random);
// Throws kCorrupt, kUnsupported.
IndexSegment OpenIndexSegment(const ProjectKeys& keys, const SegmentId& id, ByteView blob);

// The plaintext body.
Bytes EncodeIndexSegment(const IndexSegment& segment);
IndexSegment DecodeIndexSegment(ByteView plain);

}  // namespace tidemark::repo
