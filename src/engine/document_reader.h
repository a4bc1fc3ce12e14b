#pragma once

#include <functional>
#include <stop_token>

#include "repo/repository.h"

namespace tidemark::engine {

// Calls `visit` with each document of the namespace exactly once: runs merged by _id, the later run
// winning; natural order for capped collections. The view is valid during the call only. Holds one
// chunk per overlapping run in memory, and 32 bytes for each of its documents. Throws kCorrupt with
// database, collection and place when a chunk fails its check; kCancelled when stopped.
void ReadDocuments(repo::SnapshotReader& reader,
                   const repo::NamespaceEntry& entry,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit);

// Gets the document's SHA-256 as well: of these very bytes, and authenticated by the chunk's name.
using HashedVisitor = std::function<void(ByteView document, const codec::Digest& hash)>;

// As ReadDocuments, for whoever holds the documents against a digest.
void ReadHashedDocuments(repo::SnapshotReader& reader,
                         const repo::NamespaceEntry& entry,
                         const std::stop_token& stop,
                         const HashedVisitor& visit);

// Whether ReadDocuments keeps the natural order.
bool IsInNaturalOrder(const repo::NamespaceEntry& entry);

// Where a document stands among those that ReadDocuments visits.
struct DocumentPlace {
  std::uint64_t documents = 0;  // visited before it
  Bytes id;                     // {"": _id}; unused in natural order
};

// The rest of what ReadHashedDocuments visits: after the first `from.documents` in natural order,
// from `from.id` on by _id. Reads no chunk that ends before. REQUIRES: a document without _id is no
// place in an order by _id, because several may look alike.
void ReadDocumentsFrom(repo::SnapshotReader& reader,
                       const repo::NamespaceEntry& entry,
                       const DocumentPlace& from,
                       const std::stop_token& stop,
                       const HashedVisitor& visit);

}  // namespace tidemark::engine
