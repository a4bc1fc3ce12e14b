#pragma once

#include "delivery/restore_scope.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// Reads of a namespace only the chunks that may hold an _id of the filter: a few documents of a
// large collection cost a few chunks and its lists of chunks. Synchronized; borrows its arguments.
class NarrowReader final : public repo::SnapshotReader {
 public:
  NarrowReader(repo::SnapshotReader& reader, const IdFilter& ids) : reader_(reader), ids_(ids) {}

  // `entry` with only such chunks; to be read through this reader. REQUIRES: its runs are sorted by
  // _id. Reads the lists of chunks.
  repo::NamespaceEntry Narrow(const repo::NamespaceEntry& entry);

  Bytes Load(const repo::ChunkRef& ref) override { return reader_.Load(ref); }

  repo::HashedChunk LoadHashed(const repo::ChunkRef& ref) override {
    return reader_.LoadHashed(ref);
  }

  // The list without the other chunks.
  std::vector<repo::SnapshotWriter::ListedChunk> LoadList(const repo::ChunkRef& ref) override;

  repo::KeyBlock LoadKeys(const repo::ChunkRef& ref) override { return reader_.LoadKeys(ref); }

 private:
  repo::Run NarrowRun(const repo::Run& run);

  repo::SnapshotReader& reader_;
  const IdFilter& ids_;
};

}  // namespace tidemark::delivery
