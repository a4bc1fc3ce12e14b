#pragma once

#include <string>

#include "domain/cluster.h"
#include "domain/restore_job.h"
#include "domain/snapshot.h"
#include "service/caller.h"
#include "service/environment.h"
#include "service/refusal.h"

namespace tidemark::service {

// Step 3 of contract.md 8: kIncompatibleTopology.
void RefuseSharded(domain::Topology topology, const std::string& name);

// Step 4 of contract.md 8: the snapshot, of that cluster and with its data.
// kTenantSnapshotNotFound, `incomplete` when it is not completed, kDeletedSnapshot.
domain::Snapshot FindUsable(Environment& environment,
                            const domain::Cluster& source,
                            const SnapshotId& id,
                            Reason incomplete);

// A new job that takes the snapshot away from its cluster: its target members name the source.
domain::RestoreJob NewDelivery(Environment& environment,
                               const Caller& caller,
                               const domain::Cluster& source,
                               const domain::Snapshot& snapshot,
                               domain::DeliveryMethod method);

}  // namespace tidemark::service
