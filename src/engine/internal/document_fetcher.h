#pragma once

#include <optional>

#include "engine/internal/key_join.h"

namespace tidemark::engine {

// Single documents of one run, by _id. Holds one chunk and one list. Confined.
class DocumentFetcher {
 public:
  // Both must outlive it. REQUIRES: a run by _id.
  DocumentFetcher(const MergeSource& source, const repo::Run& run)
      : chunks_(source, run, &repo::Run::lists) {}

  // Valid until the next call. kCorrupt when the run does not hold it: its keys have said so.
  ByteView Get(const DocumentKey& key);

 private:
  RunChunks chunks_;
  std::optional<repo::ChunkId> loaded_;
  Bytes chunk_;
};

}  // namespace tidemark::engine
