#include "api/internal/call.h"
#include "api/internal/failure.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

struct LegacyStatus {
  std::string_view job;
  std::string_view delivery;
};

// The pairs of contract.md 7.3.
LegacyStatus StatusOf(domain::RestoreState state) {
  switch (state) {
    case domain::RestoreState::kPending:
      return {"IN_PROGRESS", "NOT_STARTED"};
    case domain::RestoreState::kQueued:
      return {"IN_PROGRESS", "PENDING"};
    case domain::RestoreState::kRunning:
      return {"IN_PROGRESS", "IN_PROGRESS"};
    case domain::RestoreState::kCompleted:
      return {"FINISHED", "READY"};
    case domain::RestoreState::kFailed:
      return {"BROKEN", "FAILED"};
  }
  CheckFailed("every state has a status", __FILE__, __LINE__);
}

// AUTOMATED_RESTORE is asked for and HTTP is answered (contract.md 11, row 10).
json::object RenderDelivery(const domain::RestoreJob& job) {
  json::object delivery;
  delivery["methodName"] = "HTTP";
  delivery["statusName"] = StatusOf(job.state).delivery;
  if (job.delivery == domain::DeliveryMethod::kCluster) {
    delivery["targetClusterId"] = job.target_cluster.ToString();
    delivery["targetClusterName"] = job.target_name;
    delivery["targetGroupId"] = job.target_project.ToString();
  }
  return delivery;
}

// A source without an oplog has no position: the moment the snapshot was finished stands in.
json::object RenderTimestamp(const domain::RestoreJob& job) {
  const bool known = job.position != domain::OplogPosition{};
  const Instant moment =
      known ? Instant(std::chrono::seconds(job.position.seconds)) : job.snapshot_finished;
  return {{"date", FormatInstant(moment)}, {"increment", known ? job.position.increment : 0U}};
}

// BackupRestoreJob of openapi.json.
json::object RenderLegacyRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body;
  body["clusterId"] = job.cluster.ToString();
  body["clusterName"] = job.cluster_name;
  body["created"] = FormatInstant(job.created);
  body["delivery"] = RenderDelivery(job);
  body["encryptionEnabled"] = false;
  body["groupId"] = job.project.ToString();
  body["id"] = job.id.ToString();
  body["links"] = SelfLink(HrefOf(
      call, ClusterPath(job.project, job.cluster_name) + "/restoreJobs/" + job.id.ToString()));
  if (call.family != Family::kV2) {
    body["pointInTime"] = false;
  }
  body["snapshotId"] = job.snapshot.ToString();
  body["statusName"] = StatusOf(job.state).job;
  body["timestamp"] = RenderTimestamp(job);
  return body;
}

}  // namespace

Reply GetLegacyRestore(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  const std::string& text = call.path.Get("jobId");
  if (!RestoreJobId::Parse(text)) {
    throw InvalidPathId("INVALID_JOB_ID", text);
  }
  const domain::RestoreJob job =
      FindRestoreJob(call, cluster, text, service::Reason::kRestoreJobNotFound);
  return {200, Shape::kObject, RenderLegacyRestore(call, job)};
}

}  // namespace tidemark::api
