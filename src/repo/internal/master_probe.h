#pragma once

#include <string_view>
#include <vector>

#include "base/random.h"
#include "blob/blob_store.h"
#include "repo/internal/names.h"
#include "repo/repository.h"

namespace tidemark::repo {

// A master key that opens the repository, and which of its generations it is.
struct HeldMaster {
  MasterKey key{};
  Generation generation = 0;
};

// Layout: header "TMRKMKEY", the sealed probe (36), SHA-256 of all before (32).
Bytes EncodeProbe(const HeldMaster& master, std::string_view repository, RandomSource& random);

enum class ProbeAnswer { kOpens, kOtherKey, kDamaged };

// `master.generation` is the one in the blob's name. kUnsupported for another version.
ProbeAnswer TryProbe(const HeldMaster& master, std::string_view repository, ByteView blob);

// The generations whose probes are there, newest first.
std::vector<Generation> ListGenerations(blob::BlobStore& store);
// The newest generation that `key` opens; nullopt when it opens none. kCorrupt when it opens none
// and one is damaged.
std::optional<HeldMaster> FindMaster(blob::BlobStore& store,
                                     const MasterKey& key,
                                     std::string_view repository);
// As FindMaster, but throws kUnauthenticated when the key opens none.
HeldMaster RequireMaster(blob::BlobStore& store, const MasterKey& key, std::string_view repository);

// The id of the store's repository. kNotFound when it holds none, kCorrupt, kUnsupported.
std::string ReadRepositoryId(blob::BlobStore& store);

}  // namespace tidemark::repo
