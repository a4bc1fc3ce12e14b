#pragma once

#include <functional>
#include <stop_token>

#include "repo/repository.h"

namespace tidemark::engine {

// Calls `visit` with each document of the namespace exactly once: runs merged by _id, the later run
// winning; natural order for capped collections. The view is valid during the call only. Holds one
// chunk per overlapping run in memory. Throws kCorrupt with database, collection and place when a
// chunk fails its check; kCancelled when stopped.
void ReadDocuments(repo::SnapshotReader& reader,
                   const repo::NamespaceEntry& entry,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit);

}  // namespace tidemark::engine
