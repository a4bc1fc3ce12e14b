#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <vector>

#include "repo/internal/chunk_codec.h"
#include "repo/internal/condemned.h"
#include "repo/internal/project.h"
#include "repo/internal/quarantine.h"

namespace tidemark::repo {

struct StoredPack {
  ByteCount size;                 // of the blob
  std::uint32_t payload_end = 0;  // where the last chunk ends that a segment names; 0: none does
  std::uint64_t live_bytes = 0;   // stored
  bool listed_early = false;      // it was there before sessions were counted
};

struct StoredSegment {
  ByteCount size;
  std::vector<PackId> packs;
  bool says_something = false;  // it gave the index an entry that no other segment had given
};

// What is stored of a project at one time, and what of it is live.
struct Inventory {
  std::map<PackId, StoredPack> packs;
  std::map<SegmentId, StoredSegment> segments;
  std::size_t sessions = 0;
  std::size_t roots = 0;
  ChunkIndex index;        // one place for each chunk, in a pack that is there
  std::vector<bool> live;  // by number of index entry
  Quarantine quarantine;
  // Of what is condemned, what must stay: the only place of a live chunk.
  std::set<PackId> needed_packs;
  std::set<SegmentId> needed_segments;
};

// Blocks; reads every segment, manifest and list chunk. A chunk is looked for outside of what is
// `condemned` first, in quarantine last. kCorrupt when something of these is damaged, or when a
// live chunk is in no pack.
Inventory TakeInventory(const Project& project,
                        const Condemned& condemned,
                        const std::stop_token& stop);
// The same without finding out what is live: reads segments only.
Inventory TakeStock(const Project& project, const std::stop_token& stop);

// Where an entry of the inventory's index lies.
ChunkPlace PlaceOf(const ChunkIndex& index, std::uint32_t number);

// What a list chunk lists, read where the index says it is; nullopt when the index does not know
// it. Blocks. kCorrupt; kNotFound when its pack has gone.
std::optional<ListedChunks> LoadList(const Project& project,
                                     const ChunkIndex& index,
                                     const ChunkRef& list);

}  // namespace tidemark::repo
