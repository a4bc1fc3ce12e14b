#include "api/internal/restore_refusals.h"

#include "api/internal/failure.h"

namespace tidemark::api {

void ThrowOutsideTenant(const service::Refusal& refusal) {
  switch (refusal.reason()) {
    case service::Reason::kTenantSnapshotNotFound:
      throw service::Refusal(service::Reason::kSnapshotNotFound,
                             refusal.code(),
                             std::string(refusal.message()),
                             refusal.parameters());
    case service::Reason::kDestinationEncryption:
      throw Refused(400,
                    "INVALID_SNAPSHOT_RESTORE_ENCRYPTION",
                    "Cannot restore to cluster {0} because it has encryption at rest enabled.",
                    refusal.parameters());
    case service::Reason::kIncompatibleTopology:
    case service::Reason::kVersionMismatch:
    case service::Reason::kDestinationUnavailable: {
      const std::string why = FailureOf(refusal, "").detail;
      throw Refused(409, "RESTORE_INITIATION_FAILED", "The restore cannot be started: {0}", {why});
    }
    default:
      throw refusal;
  }
}

void RefusePointInTime(const Call& call, const domain::Cluster& cluster, Instant asked) {
  constexpr std::int64_t kLookedAt = 500;
  for (const auto& snapshot : call.parts.snapshots.List(cluster, {.size = kLookedAt}).rows) {
    if (snapshot.state == domain::SnapshotState::kCompleted && snapshot.finished <= asked) {
      throw Refused(
          400, "INVALID_PIT_RESTORE_TIME", "The point in time is not one that can be restored.");
    }
  }
  throw Refused(404,
                "UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME",
                "No snapshot before the point in time was found.");
}

}  // namespace tidemark::api
