#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/repository.h"

namespace tidemark::engine {

// How one namespace differs between two snapshots.
struct NamespaceDiff {
  std::string database;
  std::string collection;
  bool in_before = false;
  bool in_after = false;
  bool options_differ = false;
  bool indexes_differ = false;
  // Documents are compared by _id. A capped collection has an order instead, so of it is only told
  // that it differs; the counts are 0 then.
  bool by_document = true;
  bool documents_differ = false;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;

  bool Differs() const {
    return in_before != in_after || options_differ || indexes_differ || documents_differ;
  }
};

// One document that differs. Views are valid during the call only; empty: not there.
struct DocumentDiff {
  const NamespaceDiff& ns;
  ByteView before;
  ByteView after;
};

struct DiffOptions {
  // Empty: all. "db" or "db.collection".
  std::string only;
  // Called for each document that differs, in order of _id within a namespace. Without it documents
  // are counted by their keys alone and not read.
  std::function<void(const DocumentDiff&)> visit;
  // Behind so many calls documents are only counted.
  std::uint64_t max_visits = std::numeric_limits<std::uint64_t>::max();
};

// Compares two snapshots of one project. Runs that both have are not read, but for the keys of
// documents that other runs touch: the cost is proportional to the changes between the two. Gives
// the namespaces that differ, in order of name. kCorrupt, kCancelled.
std::vector<NamespaceDiff> DiffSnapshots(repo::SnapshotReader& reader,
                                         const repo::Manifest& before,
                                         const repo::Manifest& after,
                                         const DiffOptions& options,
                                         const std::stop_token& stop);

}  // namespace tidemark::engine
