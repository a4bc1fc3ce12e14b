#pragma once

#include <memory>

#include "base/units.h"
#include "engine/source.h"
#include "mongo/cluster.h"

namespace tidemark::engine {

// Reads a registered cluster over the MongoDB wire protocol. `connection` must outlive the source.
// Collections of at least `by_id_from` BSON bytes are read along the index on _id where the server
// has one in our order, and where documents lie in about that order: else every document would cost
// a read at random.
std::unique_ptr<SnapshotSource> MakeMongoSource(mongo::Connection& connection,
                                                ByteCount by_id_from = MiB(32));

}  // namespace tidemark::engine
