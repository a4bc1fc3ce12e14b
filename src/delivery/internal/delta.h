#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "delivery/cluster_restore.h"

namespace tidemark::delivery {

// Makes the documents of a namespace on the target equal to the snapshot's by comparing both in
// order of _id. Memory: 7 batches (internal/batch.h).
struct DeltaLoad {
  repo::SnapshotReader& reader;
  RestoreTarget& target;
  const repo::NamespaceEntry& entry;  // sorted by _id
  // Called with what was compared, before it is written.
  std::function<void(std::uint64_t documents, std::uint64_t bytes)> compared;

  // kUnsupported when the target does not deliver in order of _id; kConflict, kInvalidArgument when
  // it refuses a change. Some changes may have been made then.
  domain::RestoreChanges Run(const std::stop_token& stop) const;
};

// Writes the documents that a filter picks and reads them back; those that are equal already are
// left alone. Of the snapshot it reads the chunks that may hold such documents. Memory: 1 batch and
// the target's documents of the same _ids.
struct FilteredLoad {
  repo::SnapshotReader& reader;
  RestoreTarget& target;
  const repo::NamespaceEntry& entry;
  const IdFilter& ids;
  std::function<void(std::uint64_t documents, std::uint64_t bytes)> seen;

  // kConflict when what is read back differs.
  domain::RestoreChanges Run(const std::stop_token& stop) const;
};

// Whether a collection that is there can be changed in place, and what that takes.
struct InPlace {
  std::string obstacle;                   // why not; empty when it can
  std::optional<Bytes> options;           // to collMod first
  std::vector<std::string> drop_indexes;  // before the documents; missing ones are built after them
};

InPlace PlanInPlace(const mongo::ServerFacts& facts,
                    const repo::NamespaceEntry& entry,
                    const FoundNamespace& found);

}  // namespace tidemark::delivery
