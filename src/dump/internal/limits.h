#pragma once

#include <cstddef>
#include <cstdint>

// What one dump may hold: far beyond what mongodump writes, so that a hostile one ends in an error
// and not in a full memory.
namespace tidemark::dump {

// mongodump reads documents of 16 MiB and, in oplogs, 16 KiB more.
inline constexpr std::size_t kMaxDumpDocument = (16U << 20) + (16U << 10);  // bytes
inline constexpr std::size_t kMaxNamespaces = 200'000;
inline constexpr std::size_t kMaxDatabases = 20'000;
inline constexpr std::size_t kMaxMetadata = 16U << 20;      // bytes of one metadata.json
inline constexpr std::size_t kMaxAllMetadata = 128U << 20;  // bytes of all of them
inline constexpr std::size_t kMaxDatabaseName = 63;         // bytes, MongoDB's
inline constexpr std::size_t kMaxNamespaceName = 255;       // bytes of db.collection, MongoDB's
inline constexpr std::size_t kMaxVersion = 64;              // bytes of the server's version
inline constexpr std::size_t kMaxNotes = 100;

}  // namespace tidemark::dump
