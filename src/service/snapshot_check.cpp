#include "service/internal/snapshot_check.h"

#include <chrono>

namespace tidemark::service {
namespace {

constexpr std::chrono::hours kDeletedRemembered{24 * 90};  // contract.md 8, step 4

[[noreturn]] void RefuseUnknown(const SnapshotId& id, const std::string& cluster) {
  throw Refusal(Reason::kTenantSnapshotNotFound,
                ErrorCode::kNotFound,
                "finding snapshot " + id.ToString() + ": cluster " + cluster + " has none such",
                {id.ToString(), cluster});
}

}  // namespace

void RefuseSharded(domain::Topology topology, const std::string& name) {
  if (topology == domain::Topology::kSharded) {
    throw Refusal(Reason::kIncompatibleTopology,
                  ErrorCode::kInvalidArgument,
                  "restoring with cluster " + name + ": it is sharded",
                  {name});
  }
}

domain::Snapshot FindUsable(Environment& environment,
                            const domain::Cluster& source,
                            const SnapshotId& id,
                            Reason incomplete) {
  const auto snapshot = environment.store.FindSnapshot(id);
  if (!snapshot || snapshot->cluster != source.id) {
    RefuseUnknown(id, source.name);
  }
  if (snapshot->deleted && environment.clock.Now() - *snapshot->deleted > kDeletedRemembered) {
    RefuseUnknown(id, source.name);
  }
  if (snapshot->deleted) {
    throw Refusal(Reason::kDeletedSnapshot,
                  ErrorCode::kConflict,
                  "restoring snapshot " + id.ToString() + ": it has been deleted");
  }
  if (snapshot->state != domain::SnapshotState::kCompleted) {
    throw Refusal(incomplete,
                  ErrorCode::kConflict,
                  "restoring snapshot " + id.ToString() + ": it is not completed");
  }
  return *snapshot;
}

domain::RestoreJob NewDelivery(Environment& environment,
                               const Caller& caller,
                               const domain::Cluster& source,
                               const domain::Snapshot& snapshot,
                               domain::DeliveryMethod method) {
  const Instant now = environment.clock.Now();
  domain::RestoreJob job;
  job.id = RestoreJobId::Generate(now, environment.random);
  job.project = source.project;
  job.cluster = source.id;
  job.cluster_name = source.name;
  job.snapshot = snapshot.id;
  job.snapshot_finished = snapshot.finished.value_or(now);
  job.position = snapshot.position;
  job.delivery = method;
  job.target_project = source.project;
  job.target_name = source.name;
  job.created = now;
  job.requested_by = caller.key.id;
  return job;
}

}  // namespace tidemark::service
