#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/mutex.h"
#include "blob/blob_store.h"
#include "repo/internal/chunk_index.h"
#include "repo/internal/index_segment.h"
#include "repo/internal/key_ring.h"

namespace tidemark::repo {

// A chunk that was found: its pack by id, so that it stays valid when the index is loaded anew.
struct ChunkPlace {
  PackId pack;
  ChunkSlot slot;
};

// One project's keys and chunk index. Synchronized. `store` and `random` must outlive it.
class Project {
 public:
  Project(blob::BlobStore& store, const ProjectKeys& keys, RandomSource& random)
      : store_(store), keys_(keys), random_(random) {}

  blob::BlobStore& store() const { return store_; }

  const ProjectKeys& keys() const { return keys_; }

  RandomSource& random() const { return random_; }

  // Makes the index what the store holds now. Reads only segments it has not read yet; when a
  // segment or pack has gone, everything is read again. Chunks of packs that are not there are left
  // out: the next snapshot stores them anew.
  void Refresh() TIDEMARK_EXCLUDES(refresh_mutex_, mutex_);
  std::optional<ChunkPlace> Find(const ChunkId& id) const TIDEMARK_EXCLUDES(mutex_);

 private:
  template <class Id>
  std::set<Id> ListIds(const std::string& prefix) const;
  IndexSegment ReadSegment(const SegmentId& id) const;
  bool IsCurrent(const std::set<SegmentId>& segments, const std::set<PackId>& packs) const
      TIDEMARK_REQUIRES(refresh_mutex_) TIDEMARK_EXCLUDES(mutex_);
  void ReadNew(const std::set<SegmentId>& segments, const std::set<PackId>& packs)
      TIDEMARK_REQUIRES(refresh_mutex_) TIDEMARK_EXCLUDES(mutex_);
  void ReadAll(const std::set<SegmentId>& segments, const std::set<PackId>& packs)
      TIDEMARK_REQUIRES(refresh_mutex_) TIDEMARK_EXCLUDES(mutex_);

  blob::BlobStore& store_;
  const ProjectKeys keys_;
  RandomSource& random_;

  // Taken before mutex_; held while segments are read, so that lookups do not wait for storage.
  mutable Mutex refresh_mutex_;
  std::set<SegmentId> loaded_ TIDEMARK_GUARDED_BY(refresh_mutex_);
  bool packs_missing_ TIDEMARK_GUARDED_BY(refresh_mutex_) = false;  // a loaded segment names one
  mutable Mutex mutex_;
  ChunkIndex index_ TIDEMARK_GUARDED_BY(mutex_);
};

// Reads one chunk from its pack. kCorrupt naming chunk and pack; kNotFound when the pack has gone.
Bytes LoadStoredChunk(const Project& project,
                      ObjectKind kind,
                      const ChunkRef& ref,
                      const ChunkPlace& place);

// What Load throws for a chunk that is in no pack.
[[noreturn]] void ThrowNoSuchChunk(ObjectKind kind, const ChunkId& id);

}  // namespace tidemark::repo
