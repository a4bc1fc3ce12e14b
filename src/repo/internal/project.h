#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/mutex.h"
#include "blob/blob_store.h"
#include "repo/internal/chunk_index.h"
#include "repo/internal/index_segment.h"
#include "repo/internal/key_ring.h"
#include "repo/internal/quarantine.h"

namespace tidemark::repo {

// A chunk that was found: its pack by id, so that it stays valid when the index is loaded anew.
struct ChunkPlace {
  PackId pack;
  ChunkSlot slot;
};

// Counts a project's refreshes in this process.
using Epoch = std::uint64_t;

// One project's keys and chunk index. Synchronized. `store` and `random` must outlive it.
//
// Packs that a collection has condemned stay readable until they go, so lookups come in two kinds:
// any place for whoever reads, a lasting one for whoever is about to rely on it
// (docs/format.md, "Collection"). Places in quarantine are the last that a reader is given, and no
// writer is.
class Project {
 public:
  Project(blob::BlobStore& store, const ProjectKeys& keys, RandomSource& random)
      : store_(store), keys_(keys), random_(random) {}

  blob::BlobStore& store() const { return store_; }

  const ProjectKeys& keys() const { return keys_; }

  RandomSource& random() const { return random_; }

  // Makes the index what the store holds now. Reads only segments it has not read yet; when a
  // segment or pack has gone, or other packs are condemned, everything is read again. Chunks of
  // packs that are not there are left out: the next snapshot stores them anew.
  Epoch Refresh() TIDEMARK_EXCLUDES(refresh_mutex_, mutex_);
  // Any place; one in a condemned pack only when there is no other, one in quarantine last.
  std::optional<ChunkPlace> Find(const ChunkId& id) const TIDEMARK_EXCLUDES(mutex_);
  // A place that outlives the session of whoever put that session before the refresh `since`: in no
  // pack that was condemned by then (I11), and not in quarantine (I19). Once there is one, there
  // always is, unless a repair finds it bad.
  std::optional<ChunkPlace> FindLasting(const ChunkId& id, Epoch since) const
      TIDEMARK_EXCLUDES(mutex_);

  // Sessions that have ended but could not be removed; the next collection tries again.
  void RememberEndedSession(const SessionId& session) TIDEMARK_EXCLUDES(mutex_);
  // Throws what the store throws.
  void RemoveEndedSessions() TIDEMARK_EXCLUDES(mutex_);

  // Held by a collection from its first look to its last delete.
  Mutex& collection_mutex() TIDEMARK_RETURN_CAPABILITY(collection_mutex_) {
    return collection_mutex_;
  }

 private:
  struct Chunks {
    ChunkIndex lasting;
    ChunkIndex condemned;    // in packs that a collection is about to delete
    ChunkIndex quarantined;  // found bad by a repair
  };

  struct Generation {
    std::vector<PackId> packs;
    Epoch since = 0;  // the refresh that first saw it
  };

  // False when a pack that the segment names is not among `packs`; its chunks are left out.
  bool AddSegment(Chunks& chunks, const IndexSegment& segment, const std::set<PackId>& packs) const
      TIDEMARK_REQUIRES(refresh_mutex_);
  // nullopt when a collection has deleted it since it was listed.
  std::optional<IndexSegment> ReadSegment(const SegmentId& id) const;
  // Reads condemned lists that were not there at the last refresh. True when other packs are
  // condemned than before.
  bool ReadCondemned() TIDEMARK_REQUIRES(refresh_mutex_);
  // Reads quarantine lists that were not there at the last refresh. True when other places are in
  // quarantine than before.
  bool ReadQuarantine() TIDEMARK_REQUIRES(refresh_mutex_);
  void NoteCondemned() TIDEMARK_REQUIRES(refresh_mutex_) TIDEMARK_EXCLUDES(mutex_);
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
  // Other packs are condemned, or other places in quarantine, than when the index was read.
  bool outdated_ TIDEMARK_GUARDED_BY(refresh_mutex_) = false;
  bool packs_missing_ TIDEMARK_GUARDED_BY(refresh_mutex_) = false;  // a loaded segment names one
  Epoch epoch_ TIDEMARK_GUARDED_BY(refresh_mutex_) = 0;
  std::map<GenerationId, Generation> generations_ TIDEMARK_GUARDED_BY(refresh_mutex_);
  std::set<PackId> condemned_ TIDEMARK_GUARDED_BY(refresh_mutex_);  // of all generations
  std::set<QuarantineId> quarantine_lists_ TIDEMARK_GUARDED_BY(refresh_mutex_);
  Quarantine quarantine_ TIDEMARK_GUARDED_BY(refresh_mutex_);  // of these lists

  mutable Mutex mutex_;
  Chunks chunks_ TIDEMARK_GUARDED_BY(mutex_);
  // The refresh that first saw the pack condemned by a generation that is still there.
  std::map<PackId, Epoch> condemned_since_ TIDEMARK_GUARDED_BY(mutex_);
  std::vector<SessionId> ended_sessions_ TIDEMARK_GUARDED_BY(mutex_);

  Mutex collection_mutex_;
};

// The ids among the names below `prefix`; other names are ignored.
template <class Id>
std::set<Id> ListIds(blob::BlobStore& store, const std::string& prefix) {
  std::set<Id> ids;
  store.List(prefix, [&ids](const std::string& name, ByteCount) {
    if (const auto id = ParseRandomId(name)) {
      ids.insert(Id{*id});
    }
  });
  return ids;
}

// Finds and reads a chunk. When it is not where the index says, a collection may have moved it: the
// index is refreshed once. kNotFound when it is in no pack; otherwise as LoadStoredChunk.
Bytes FindAndLoadChunk(Project& project, ObjectKind kind, const ChunkRef& ref);
// The same for a data chunk, with the hashes that its check has made.
HashedChunk FindAndLoadDocuments(Project& project, const ChunkRef& ref);

// Reads one chunk from its pack. kCorrupt naming chunk and pack; kNotFound when the pack has gone.
Bytes LoadStoredChunk(const Project& project,
                      ObjectKind kind,
                      const ChunkRef& ref,
                      const ChunkPlace& place);

// What Load throws for a chunk that is in no pack.
[[noreturn]] void ThrowNoSuchChunk(ObjectKind kind, const ChunkId& id);

}  // namespace tidemark::repo
