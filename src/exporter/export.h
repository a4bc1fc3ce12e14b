#pragma once

#include <string>

#include "base/clock.h"
#include "base/units.h"
#include "engine/run_context.h"
#include "objectstore/bucket.h"
#include "repo/repository.h"

// A snapshot, written into a bucket as Atlas exports it (docs/exports.md).
namespace tidemark::exporter {

// What `.complete` tells beside the number of files.
struct ExportFacts {
  std::string organization_id;
  std::string organization_name;
  std::string project_id;
  std::string project_name;
  std::string cluster_id;
  std::string cluster_name;
  Instant snapshot_time;
  std::string custom_data;  // a JSON array; empty: none
};

struct ExportOptions {
  std::string prefix;      // of all keys, without a slash at its end
  std::string shard_name;  // that files of documents are named after
  ExportFacts facts;
  ByteCount object_size = MiB(256);  // of compressed lines, at which the next file begins
};

struct ExportSummary {
  std::uint64_t files = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // in the bucket
};

// Writes an empty object, as Atlas does, to see whether the bucket can be written. Throws what
// Bucket throws.
void CheckPermission(objectstore::Bucket& bucket, const std::stop_token& stop);

// Writes every namespace of the snapshot, one after the other, each object read back by the bucket
// before the next; `.complete` last. Goes on behind the last finished namespace of the checkpoint;
// what an interrupted run has left of the next one is replaced. kCorrupt when the snapshot cannot
// be read or the bucket does not hold what was written; then there is no `.complete`. What was
// written stays, as with Atlas, but uploads that were not finished are given up. Memory: what
// archive::PackLines holds, and one part of an upload.
ExportSummary RunExport(const repo::Manifest& manifest,
                        repo::SnapshotReader& reader,
                        objectstore::Bucket& bucket,
                        const ExportOptions& options,
                        const engine::RunContext& context);

}  // namespace tidemark::exporter
