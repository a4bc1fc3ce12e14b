#pragma once

#include <cstdint>

#include "base/random.h"
#include "catalog/store.h"
#include "repo/repository.h"

namespace tidemark::service {

// Seals every secret of the catalog under `next`, in one transaction; those that are already stay.
// Returns how many there are. Blocks; may be repeated. kCorrupt, naming the secret, when neither
// key opens one: then nothing has changed. REQUIRES: nobody else uses the catalog.
std::int64_t ResealSecrets(catalog::Store& store,
                           const repo::MasterKey& current,
                           const repo::MasterKey& next,
                           RandomSource& random);

}  // namespace tidemark::service
