#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mongoc/mongoc.h>

#include "base/bytes.h"

namespace tidemark::mongo {

// Where an insert goes; `doing` names it in errors.
struct InsertPlace {
  std::string database;
  std::string collection;
  std::string doing;
};

// Inserts all documents unordered, in as many messages as the limits demand; throws unless every
// one was taken, with the number of refused ones and the first few reasons.
void InsertDocuments(mongoc_client_t* client,
                     const InsertPlace& place,
                     const std::vector<ByteView>& documents);

}  // namespace tidemark::mongo
