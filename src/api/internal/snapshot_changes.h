#pragma once

#include "api/internal/call.h"

// What the legacy and the cloud family have in common when a person changes a snapshot.
namespace tidemark::api {

// CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION.
void RefuseUnfinishedRetention(const domain::Snapshot& snapshot);

// CANNOT_DELETE_IN_PROGRESS_SNAPSHOT, CANNOT_MODIFY_SNAPSHOT: it is not to be deleted, or in use.
void DeleteSnapshot(const Call& call,
                    const domain::Cluster& cluster,
                    const domain::Snapshot& snapshot);

}  // namespace tidemark::api
