#pragma once

#include <functional>
#include <stop_token>

#include "delivery/cluster_restore.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// Copies a namespace's documents to the target: one thread reads, `writers` threads insert batches.
// `written` is called from the writers. Throws kCancelled when stopped; what was written stays.
struct NamespaceLoad {
  repo::SnapshotReader& reader;
  RestoreTarget& target;
  const repo::NamespaceEntry& entry;
  int writers;
  std::function<void(std::uint64_t documents, std::uint64_t bytes)> written;

  void Run(const std::stop_token& stop) const;
};

}  // namespace tidemark::delivery
