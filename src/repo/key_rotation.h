#pragma once

#include <cstddef>

#include "base/random.h"
#include "blob/blob_store.h"
#include "repo/repository.h"

// Changing the master key of a repository. Only the projects' keys are sealed anew; nothing else is
// read or written. Every call blocks. REQUIRES: nobody has the repository open.
namespace tidemark::repo {

// The repository opens with `next` too from here on; `current` keeps working. Seals every project's
// key under `next`, then writes its probe. Returns the number of projects. Repeating it finishes
// one that was cut; when only `next` opens the repository there is nothing left to do.
// kUnauthenticated when neither does.
std::size_t AddMasterKey(blob::BlobStore& store,
                         const MasterKey& current,
                         const MasterKey& next,
                         RandomSource& random);

// The repository opens with `keep` alone from here on. Repeating it finishes one that was cut.
// kUnauthenticated when `keep` does not open it, kCorrupt when a project's key would be lost.
void RetireOtherMasterKeys(blob::BlobStore& store, const MasterKey& keep);

}  // namespace tidemark::repo
