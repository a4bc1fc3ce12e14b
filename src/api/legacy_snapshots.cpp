#include <array>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"
#include "api/internal/snapshot_changes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kSnapshotFields{
    Field{"doNotDelete", FieldType::kBoolean, kOptional},
    Field{"expires", FieldType::kString, kOptional},
    Field{"clusterId", FieldType::kAny, kReadOnly},
    Field{"clusterName", FieldType::kAny, kReadOnly},
    Field{"complete", FieldType::kAny, kReadOnly},
    Field{"created", FieldType::kAny, kReadOnly},
    Field{"groupId", FieldType::kAny, kReadOnly},
    Field{"id", FieldType::kAny, kReadOnly},
    Field{"incremental", FieldType::kAny, kReadOnly},
    Field{"lastOplogAppliedTimestamp", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
    Field{"parts", FieldType::kAny, kReadOnly},
};

// The family has no word for a snapshot that failed: it is none here.
catalog::Store::SnapshotStates StatesOf(std::string_view completed) {
  using enum domain::SnapshotState;
  if (completed == "true") {
    return {kCompleted, kCompleted};
  }
  return completed == "false" ? catalog::Store::SnapshotStates{kPending, kRunning}
                              : catalog::Store::SnapshotStates{kPending, kCompleted};
}

json::object RenderTimestamp(Instant moment, std::uint32_t increment) {
  return {{"date", FormatInstant(moment)}, {"increment", increment}};
}

// One for a replica set or a standalone.
json::object RenderPart(const domain::Snapshot& snapshot, const domain::Cluster& cluster) {
  json::object part;
  part["clusterId"] = snapshot.cluster.ToString();
  part["completedTime"] = FormatInstant(snapshot.finished.value_or(snapshot.scheduled));
  part["compressionSetting"] = "GZIP";
  part["dataSizeBytes"] = snapshot.logical_bytes;
  part["encryptionEnabled"] = false;
  part["fcv"] = domain::MajorVersion(snapshot.mongodb_version);
  part["fileSizeBytes"] = snapshot.logical_bytes;
  part["mongodVersion"] = snapshot.mongodb_version;
  if (!cluster.replica_set_name.empty()) {
    part["replicaSetName"] = cluster.replica_set_name;
  }
  part["storageSizeBytes"] = snapshot.stored_bytes;
  part["typeName"] = "REPLICA_SET";
  return part;
}

// BackupSnapshot of openapi.json.
json::object RenderLegacySnapshot(const Call& call,
                                  const domain::Cluster& cluster,
                                  const domain::Snapshot& snapshot) {
  const bool complete = snapshot.state == domain::SnapshotState::kCompleted;
  json::object body;
  body["clusterId"] = snapshot.cluster.ToString();
  body["clusterName"] = snapshot.cluster_name;
  body["complete"] = complete;
  body["created"] = RenderTimestamp(snapshot.started.value_or(snapshot.scheduled), 1);
  body["doNotDelete"] = snapshot.do_not_delete;
  if (!snapshot.do_not_delete) {
    body["expires"] = FormatInstant(snapshot.expires);
  }
  body["groupId"] = snapshot.project.ToString();
  body["id"] = snapshot.id.ToString();
  if (complete && snapshot.position != domain::OplogPosition{}) {
    body["lastOplogAppliedTimestamp"] = RenderTimestamp(
        Instant(std::chrono::seconds(snapshot.position.seconds)), snapshot.position.increment);
  }
  body["links"] = SelfLink(HrefOf(call,
                                  ClusterPath(snapshot.project, snapshot.cluster_name) +
                                      "/snapshots/" + snapshot.id.ToString()));
  body["parts"] = complete ? json::array{RenderPart(snapshot, cluster)} : json::array{};
  return body;
}

domain::Snapshot FindLegacySnapshot(const Call& call, const domain::Cluster& cluster) {
  const std::string& text = call.path.Get("snapshotId");
  if (!SnapshotId::Parse(text)) {
    throw InvalidPathId("INVALID_SNAPSHOT_ID", text);
  }
  constexpr auto kReason = service::Reason::kSnapshotNotFound;
  domain::Snapshot snapshot = FindSnapshot(call, cluster, kReason);
  if (snapshot.state == domain::SnapshotState::kFailed) {
    RefuseAbsent(kReason, text, cluster);
  }
  return snapshot;
}

// contract.md 7.3: `expires` or `doNotDelete: true`, not both.
service::RetentionChange ReadChange(const Call& call) {
  const json::object body = ReadBody(call.request, kSnapshotFields);
  service::RetentionChange change;
  if (body.contains("doNotDelete")) {
    change.do_not_delete = FlagOf(body, "doNotDelete");
  }
  if (body.contains("expires")) {
    const std::string text = StringOf(body, "expires");
    change.expires = ParseDate(text);
    if (!change.expires) {
      throw MakeFailure(400, "INVALID_DATE_FORMAT", "The date {0} has an invalid format.", {text});
    }
  }
  if (!change.do_not_delete && !change.expires) {
    throw MakeFailure(400,
                      "MISSING_ONE_OF_MANY_ATTRIBUTES",
                      "One of the attributes {0} or {1} must be specified.",
                      {"expires", "doNotDelete"});
  }
  if (change.do_not_delete == true && change.expires) {
    throw InvalidAttribute("expires");
  }
  if (change.expires && *change.expires <= call.parts.clock.Now()) {
    throw InvalidValue("expires", "must be in the future");
  }
  return change;
}

Reply ListLegacySnapshots(const Call& call) {
  ListQuery query = call.query;
  const std::string completed =
      ParseChoice(call.request.query, "completed", {"true", "false", "all"});
  query.filter = "&completed=" + completed;
  const domain::Cluster cluster = FindCluster(call);
  const auto listing = call.parts.snapshots.List(cluster, StatesOf(completed), query.page);
  return ListReply(call.request, query, listing, [&](const domain::Snapshot& snapshot) {
    return RenderLegacySnapshot(call, cluster, snapshot);
  });
}

Reply GetLegacySnapshot(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  return {
      200, Shape::kObject, RenderLegacySnapshot(call, cluster, FindLegacySnapshot(call, cluster))};
}

Reply UpdateLegacySnapshot(const Call& call) {
  const service::RetentionChange change = ReadChange(call);
  const domain::Cluster cluster = FindCluster(call);
  const domain::Snapshot snapshot = FindLegacySnapshot(call, cluster);
  RefuseUnfinishedRetention(snapshot);
  return {
      200,
      Shape::kObject,
      RenderLegacySnapshot(call, cluster, call.parts.snapshots.Keep(cluster, snapshot.id, change))};
}

Reply DeleteLegacySnapshot(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  DeleteSnapshot(call, cluster, FindLegacySnapshot(call, cluster));
  return {204, Shape::kNone, {}};
}

// Checkpoints belong to sharded clusters, of which no snapshots are taken yet.
Reply ListCheckpoints(const Call& call) {
  FindCluster(call);
  return ListReply(call.request, call.query, {}, 0);
}

Reply GetCheckpoint(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  const std::string& text = call.path.Get("checkpointId");
  if (!ObjectId::Parse(text)) {
    throw InvalidPathId("INVALID_CHECKPOINT_ID", text);
  }
  throw MakeFailure(404,
                    "CHECKPOINT_NOT_FOUND",
                    "No checkpoint with ID {0} exists for cluster {1}.",
                    {text, cluster.name});
}

}  // namespace

std::span<const Route> LegacySnapshotRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/snapshots",
            kAtlas,
            kProjectRead,
            "listGroupClusterSnapshots",
            ListLegacySnapshots,
            kLegacyVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterSnapshot",
            GetLegacySnapshot,
            kLegacyVersions},
      Route{kPatch,
            "/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}",
            kAtlas,
            kProjectOwner,
            "updateGroupClusterSnapshot",
            UpdateLegacySnapshot,
            kLegacyVersions},
      Route{kDelete,
            "/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}",
            kAtlas,
            kProjectOwner,
            "deleteGroupClusterSnapshot",
            DeleteLegacySnapshot,
            kLegacyVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backupCheckpoints",
            kAtlas,
            kProjectRead,
            "listGroupClusterBackupCheckpoints",
            ListCheckpoints,
            kLegacyVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backupCheckpoints/{checkpointId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupCheckpoint",
            GetCheckpoint,
            kLegacyVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
