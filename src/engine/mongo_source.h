#pragma once

#include <memory>

#include "engine/source.h"
#include "mongo/cluster.h"

namespace tidemark::engine {

// Reads a registered cluster over the MongoDB wire protocol. `connection` must outlive the source.
std::unique_ptr<SnapshotSource> MakeMongoSource(mongo::Connection& connection);

}  // namespace tidemark::engine
