#pragma once

#include <optional>
#include <string>
#include <string_view>

// How mongodump names its files.
namespace tidemark::dump {

// A collection's name as mongodump writes it into a file name: URL query escaping; beyond 238 bytes
// the first 208 and a hash.
std::string EscapeCollection(std::string_view collection);
// Back. nullopt when it is no escaping, and for a name with a hash, which does not tell.
std::optional<std::string> UnescapeCollection(std::string_view escaped);
// Whether that escaping ends in a hash: the name is in the metadata.
bool IsHashedName(std::string_view escaped);

// kCorrupt with what is wrong: a database's name may not be empty, longer than 63 bytes or hold one
// of / \ . space " $ and NUL, which also keeps it below the dump's folder. A collection's may not
// be empty, begin with a dot, or hold $ or NUL; both together at most 255 bytes.
void CheckDatabaseName(std::string_view database);
void CheckCollectionName(std::string_view database, std::string_view collection);

enum class DumpFileKind { kDocuments, kMetadata, kPrelude, kOplog };

struct DumpFileName {
  DumpFileKind kind = DumpFileKind::kDocuments;
  std::string collection;  // escaped; of documents and metadata
  bool packed = false;     // gzip
};

// What a file is by its name: in a database's folder, or beside these. nullopt when it is nothing
// that mongodump writes.
std::optional<DumpFileName> ParseFileInDatabase(std::string_view name);
std::optional<DumpFileName> ParseFileBesideDatabases(std::string_view name);

// For messages: control characters and what is not UTF-8 as \xNN, at most 200 bytes of the name.
std::string Printable(std::string_view name);

}  // namespace tidemark::dump
