#pragma once

#include <optional>

#include "base/units.h"
#include "domain/snapshot.h"
#include "engine/run_context.h"
#include "engine/source.h"
#include "repo/repository.h"

namespace tidemark::engine {

struct SnapshotOptions {
  SnapshotId snapshot;
  ProjectId project;
  ClusterId cluster;
  std::string cluster_name;
  // A snapshot of the same cluster in the same project: only what has changed since is stored. One
  // that is gone or damaged is passed over with a warning, wholly or for a namespace.
  std::optional<SnapshotId> base;
  // BSON bytes of finished namespaces after which they are made durable: an interrupted snapshot of
  // the same id goes on behind them.
  ByteCount save_every = MiB(256);
  int parallel_namespaces = 4;
  int encode_threads = 2;  // compress and encrypt; sized to cores
  ByteCount sort_memory =
      MiB(192);  // all sort buffers together (documented arithmetic in snapshot.cpp)
  ByteCount chunk_size = KiB(256);  // plaintext bytes at which a chunk is closed
  int compression_level = 1;
};

struct SnapshotSummary {
  std::string mongodb_version;
  bool consistent = false;
  std::string inconsistent_reason;
  domain::OplogPosition position;
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t logical_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t stored_documents = 0;     // new or changed since the base; all without one
  std::uint64_t removed_documents = 0;    // since the base
  std::uint64_t resumed_collections = 0;  // that an interrupted run had finished
};

// Takes one snapshot: catalog, documents into sorted runs, manifest last. With a base the documents
// are read again, but only those that differ from the base by their fingerprints are stored; the
// base's chunks are not read, only its keys. Memory stays within the
// options' bounds whatever the collections' sizes. Blocks until done. On any error nothing of the
// snapshot is visible. Never consistent yet: the oplog is not applied (a smear between begin and
// end), and the summary says so. A snapshot that was cut goes on, under the same id, behind the
// namespaces that had been made durable.
SnapshotSummary TakeSnapshot(SnapshotSource& source,
                             repo::Repository& repository,
                             const SnapshotOptions& options,
                             const RunContext& run);

}  // namespace tidemark::engine
