#pragma once

#include <span>

#include "mongo/internal/insert.h"

namespace tidemark::mongo {

// {_id: {$in: [..]}} of documents {"": _id}.
Bytes FilterOfIds(std::span<const Bytes> ids);

enum class ReplaceBy {
  kReplacing,   // one upsert per document
  kRecreating,  // one delete for all, then inserts
};

// Unordered; each document takes the place of the one with its _id, or is inserted. Documents that
// no replacement can carry (above 16 MiB, or with names that read as update operators or paths) are
// always deleted and inserted. Throws unless every one was taken.
void ReplaceDocuments(mongoc_client_t* client,
                      const InsertPlace& place,
                      const std::vector<ByteView>& documents,
                      ReplaceBy by);

// Unordered; an _id that is not there is no error.
void DeleteDocuments(mongoc_client_t* client,
                     const InsertPlace& place,
                     const std::vector<Bytes>& ids);

}  // namespace tidemark::mongo
