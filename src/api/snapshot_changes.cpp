#include "api/internal/snapshot_changes.h"

#include "api/internal/failure.h"
#include "service/refusal.h"

namespace tidemark::api {

void RefuseUnfinishedRetention(const domain::Snapshot& snapshot) {
  if (!domain::IsFinal(snapshot.state)) {
    throw Refused(400,
                  "CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION",
                  "Cannot modify the retention of a snapshot that is in progress.");
  }
}

void DeleteSnapshot(const Call& call,
                    const domain::Cluster& cluster,
                    const domain::Snapshot& snapshot) {
  if (!domain::IsFinal(snapshot.state)) {
    throw Refused(400,
                  "CANNOT_DELETE_IN_PROGRESS_SNAPSHOT",
                  "Cannot delete snapshot {0} that is in progress.",
                  {snapshot.id.ToString()});
  }
  try {
    call.parts.snapshots.Delete(cluster, snapshot.id);
  } catch (const service::Refusal& refusal) {
    if (refusal.reason() != service::Reason::kSnapshotInUse) {
      throw;
    }
    throw service::Refusal(service::Reason::kSnapshotProtected,  // Atlas has no code for "in use"
                           refusal.code(),
                           std::string(refusal.message()),
                           refusal.parameters());
  }
}

}  // namespace tidemark::api
