#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "blob/blob_store.h"
#include "repo/repository.h"

// The keys of a repository in one file, for the day when the disk with the master key is lost.
namespace tidemark::repo {

struct KeyExport {
  MasterKey master_key{};
  std::string repository;  // its id, 32 hex digits

  struct Blob {
    std::string name;  // of a master key probe or of a project's key
    Bytes bytes;
  };

  std::vector<Blob> blobs;  // by name
};

// All keys of the store's repository. Blocks. kUnauthenticated for another master key.
KeyExport CollectKeys(blob::BlobStore& store, const MasterKey& master_key);

// scrypt's cost: 128 MiB of memory and some tenths of a second for each guess at the passphrase.
inline constexpr int kExportLogCost = 17;
inline constexpr int kMaxExportLogCost = 18;
inline constexpr std::size_t kMaxExportSize = 64U << 20;  // bytes; 400,000 projects

// The export file (docs/format.md, "Key export"). kResourceExhausted when it would be too large.
Bytes SealKeyExport(const KeyExport& keys,
                    const Secret& passphrase,
                    RandomSource& random,
                    int log_cost = kExportLogCost);
// kInvalidArgument when the file is none, kUnsupported for another version, kCorrupt when one bit
// is not as it was, kUnauthenticated for another passphrase.
KeyExport OpenKeyExport(ByteView file, const Secret& passphrase);

// How many key blobs ...
struct KeyImport {
  std::size_t written = 0;
  std::size_t present = 0;  // were there already; they are left as they are
  std::size_t skipped = 0;  // are of projects of which nothing is stored: deleted ones
};

// Writes the format blob, the probes and the project keys that the store lacks. Blocks; may be
// repeated. kNotFound when the store holds nothing to read with the keys. kConflict when it is
// another repository, or one whose master key was changed after the export.
KeyImport ImportKeys(blob::BlobStore& store, const KeyExport& keys);

}  // namespace tidemark::repo
