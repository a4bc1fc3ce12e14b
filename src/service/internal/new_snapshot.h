#pragma once

#include "catalog/store.h"
#include "service/environment.h"

namespace tidemark::service {

// A snapshot of the cluster that begins its life at `now`, and the job that takes it. Still to be
// added to the catalog.
catalog::Store::QueuedSnapshot NewSnapshot(Environment& environment,
                                           const domain::Cluster& cluster,
                                           Instant now);

}  // namespace tidemark::service
