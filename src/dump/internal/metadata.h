#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "repo/repository.h"

namespace tidemark::dump {

// What a metadata.json says of a collection.
struct Metadata {
  Bytes options;                          // BSON; the empty document when it has none
  std::vector<Bytes> indexes;             // BSON, as listIndexes gave them
  std::optional<std::string> collection;  // its unescaped name; old tools do not write it
  repo::NamespaceKind kind = repo::NamespaceKind::kCollection;
  std::vector<std::string> unknown_members;  // that no mongodump known to us writes
};

// Reads the text of a metadata.json: Extended JSON v2, or the strict mode of tools before 100.
// kCorrupt when it is anything else, names a member twice, or one has another type;
// kResourceExhausted when it is larger than kMaxMetadata.
Metadata ReadMetadata(std::string_view text);

// The server's version of a prelude.json; empty when it is not known. kCorrupt.
std::string ReadPrelude(std::string_view text);

}  // namespace tidemark::dump
