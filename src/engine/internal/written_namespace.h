#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/internal/run_builder.h"
#include "engine/internal/run_merge.h"
#include "repo/repository.h"

namespace tidemark::engine {

// What a namespace has come to, for its repo::NamespaceEntry.
struct WrittenNamespace {
  std::vector<repo::Run> runs;
  std::size_t base_runs = 0;
  repo::NamespaceDigest digest;
  std::uint64_t logical_bytes = 0;
  std::uint64_t stored_documents = 0;   // new or changed since the base; all without one
  std::uint64_t removed_documents = 0;  // since the base
};

// As a run of deletions holds the document with that _id.
Bytes DeletionOf(const DocumentKey& key);

// Merges the newest runs when there are too many (PlanCompaction). kCorrupt when the runs do not
// hold what was counted.
void Compact(const RunSink& sink, const MergeSource& source, WrittenNamespace& written);

}  // namespace tidemark::engine
