#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/pause.h"
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
  // What was read is made durable so often that an interrupted snapshot of the same id reads at
  // most so many BSON bytes again, or 1/64 of what it had read (savepoints.h). Namespaces that are
  // not read in order of _id count when they are finished.
  ByteCount save_every = MiB(64);
  // A source that is out of reach is asked again: so often in all without a document in between,
  // after pauses that double up to 16 times the first one. 31 s with these values, more than an
  // election takes.
  int attempts = 6;
  std::chrono::milliseconds retry_pause{1000};
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> pause = PauseFor;
  int parallel_namespaces = 4;
  int encode_threads = 2;            // compress and encrypt; sized to cores
  ByteCount sort_memory = MiB(192);  // all sort buffers together (arithmetic: snapshot.cpp)
  ByteCount merge_memory = MiB(64);  // of a reader: runs that are read at once
  ByteCount pack_size = MiB(16);     // stored bytes at which a pack is closed
  ByteCount chunk_size = KiB(256);   // plaintext bytes at which a chunk is closed
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
  std::uint64_t resumed_bytes = 0;        // of unfinished ones, that it had read
};

// Takes one snapshot: catalog, documents into sorted runs, manifest last. With a base the documents
// are read again, but only those that differ from the base by their fingerprints are stored; the
// base's chunks are not read, only its keys. Memory stays within the
// options' bounds whatever the collections' sizes. Blocks until done. On any error nothing of the
// snapshot is visible. Never consistent yet: the oplog is not applied (a smear between begin and
// end), and the summary says so. A snapshot that was cut goes on, under the same id, behind what
// had been made durable: finished namespaces, and in those that the source reads in order of _id
// the last _id. A source that is lost for a while is outlasted in the same way: behind the last
// _id, or from the namespace's beginning where it has another order.
SnapshotSummary TakeSnapshot(SnapshotSource& source,
                             repo::Repository& repository,
                             const SnapshotOptions& options,
                             const RunContext& run);

}  // namespace tidemark::engine
