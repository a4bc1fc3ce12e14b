#pragma once

#include <optional>
#include <string>
#include <string_view>

// How mongodump names its files.
namespace tidemark::dump {

// kCorrupt with what is wrong: a database's name may not be empty, longer than 63 bytes or hold one
// of / \ . space " $ and NUL, which also keeps it below the dump's folder. A collection's may not
// be empty, begin with a dot, or hold $ or NUL; both together at most 255 bytes.
void CheckDatabaseName(std::string_view database);
void CheckCollectionName(std::string_view database, std::string_view collection);

enum class DumpFileKind { kDocuments, kMetadata, kPrelude, kOplog };

struct DumpFileName {
  DumpFileKind kind = DumpFileKind::kDocuments;
  std::string collection;  // as codec::EscapeCollection gives it; of documents and metadata
  bool packed = false;     // gzip
};

// What a file is by its name: in a database's folder, or beside these. nullopt when it is nothing
// that mongodump writes.
std::optional<DumpFileName> ParseFileInDatabase(std::string_view name);
std::optional<DumpFileName> ParseFileBesideDatabases(std::string_view name);

// For messages: control characters and what is not UTF-8 as \xNN, at most 200 bytes of the name.
std::string Printable(std::string_view name);

}  // namespace tidemark::dump
