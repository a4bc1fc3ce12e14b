#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/document_reader.h"
#include "engine/internal/document_key.h"
#include "repo/repository.h"

namespace tidemark::engine {

// Where chunks are read from: a finished repository, or the snapshot being written.
struct ChunkLoader {
  std::function<repo::HashedChunk(const repo::ChunkRef&)> load;  // its hashes may be left out
  std::function<std::vector<repo::SnapshotWriter::ListedChunk>(const repo::ChunkRef&)> load_list;
  std::function<repo::KeyBlock(const repo::ChunkRef&)> load_keys;
};

ChunkLoader LoaderOf(repo::SnapshotReader& reader);
// With the hashes of documents: 32 bytes for each of a chunk that is open.
ChunkLoader HashedLoaderOf(repo::SnapshotReader& reader);
ChunkLoader LoaderOf(repo::SnapshotWriter& writer);

// How to read and what to call it.
struct MergeSource {
  ChunkLoader loader;
  std::string what;  // "db.collection", for errors
  std::stop_token stop;
};

using DocumentVisitor = std::function<void(ByteView document, const DocumentKey& key)>;

// Each document once, by _id, the later run winning; what a later run deletes not at all. A run is
// opened when its first _id is reached and closed at its end; an open run holds one chunk and one
// list of references.
void MergeRuns(const MergeSource& source,
               std::span<const repo::Run* const> runs,
               const DocumentVisitor& visit);

// The same, with the deletions that are left: those of documents that an older run may hold.
void MergeRuns(const MergeSource& source,
               std::span<const repo::Run* const> runs,
               const DocumentVisitor& visit,
               const DocumentVisitor& visit_deletion);

// As the first. REQUIRES: here and below, where hashes are told, a loader that gives them.
void MergeHashed(const MergeSource& source,
                 std::span<const repo::Run* const> runs,
                 const HashedVisitor& visit);

// The same, from the first document on whose _id is not before `from`. Chunks that end before it
// are not read, so that the documents of a run are not counted.
void MergeRunsFrom(const MergeSource& source,
                   std::span<const repo::Run* const> runs,
                   const DocumentKey& from,
                   const HashedVisitor& visit);

// Run after run, as stored, without the first `skip` documents. Chunks that hold only such are not
// read.
void ReadInOrder(const MergeSource& source,
                 std::span<const repo::Run* const> runs,
                 std::uint64_t skip,
                 const HashedVisitor& visit);

}  // namespace tidemark::engine
