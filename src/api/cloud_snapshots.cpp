#include <algorithm>
#include <array>

#include "api/internal/cloud.h"
#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"
#include "api/internal/snapshot_changes.h"
#include "domain/schedule.h"
#include "service/refusal.h"

// Cloud backup snapshots: contract.md 7.4.
namespace tidemark::api {

namespace json = boost::json;

json::array CloudLinks(const Call& call, std::initializer_list<CloudLink> links) {
  json::array array;
  for (const CloudLink& link : links) {
    array.push_back(json::object{{"href", HrefOf(call, link.path)}, {"rel", link.rel}});
  }
  return array;
}

std::string CloudSnapshotPath(const ProjectId& project,
                              const std::string& cluster,
                              const SnapshotId& id) {
  return ClusterPath(project, cluster) + "/backup/snapshots/" + id.ToString();
}

SnapshotId CloudSnapshotId(const Call& call) {
  const std::string& text = call.path.Get("snapshotId");
  const auto id = SnapshotId::Parse(text);
  if (!id) {
    throw InvalidPathId("INVALID_SNAPSHOT_ID", text);
  }
  return *id;
}

namespace {

using domain::RetentionUnit;
using domain::SnapshotState;
using enum FieldUse;

// DiskBackupOnDemandSnapshotRequest and BackupSnapshotRetention of openapi.json.
constexpr std::array kTakeFields{
    Field{"description", FieldType::kString, kOptional},
    Field{"retentionInDays", FieldType::kAny, kOptional},
    Field{"links", FieldType::kAny, kReadOnly},
};

constexpr std::array kRetentionFields{
    Field{"retentionUnit", FieldType::kString, kRequired},
    Field{"retentionValue", FieldType::kAny, kRequired},
    Field{"links", FieldType::kAny, kReadOnly},
};

// A unit, and how many of it are a century: more is a slip of the keyboard.
struct Unit {
  std::string_view name;
  RetentionUnit unit;
  std::int64_t most;
};

constexpr std::array kUnits{
    Unit{"DAYS", RetentionUnit::kDays, 36500},
    Unit{"WEEKS", RetentionUnit::kWeeks, 5200},
    Unit{"MONTHS", RetentionUnit::kMonths, 1200},
    Unit{"YEARS", RetentionUnit::kYears, 100},
};

std::string_view StatusOf(SnapshotState state) {
  switch (state) {
    case SnapshotState::kPending:
    case SnapshotState::kQueued:
      return "queued";
    case SnapshotState::kRunning:
      return "inProgress";
    case SnapshotState::kCompleted:
      return "completed";
    case SnapshotState::kFailed:
      return "failed";
  }
  CheckFailed("every state has a status", __FILE__, __LINE__);
}

// What is known only of a completed one.
void AddOutcome(json::object& body, const domain::Snapshot& snapshot) {
  if (snapshot.state == SnapshotState::kCompleted) {
    body["createdAt"] = FormatInstant(snapshot.finished.value_or(snapshot.scheduled));
  }
  if (!snapshot.mongodb_version.empty()) {
    body["mongodVersion"] = snapshot.mongodb_version;
  }
  body["storageSizeBytes"] = snapshot.stored_bytes;
}

// A scheduled one that is older than the catalog's column for it has no frequency.
void AddFrequency(json::object& body, const domain::Snapshot& snapshot) {
  if (!snapshot.due) {
    body["frequencyType"] = "ondemand";
  } else if (snapshot.frequency) {
    body["frequencyType"] = domain::FrequencyName(*snapshot.frequency);
  }
}

json::array PolicyItemsOf(const domain::Snapshot& snapshot) {
  json::array items;
  for (const domain::PolicyItemId& item : snapshot.policy_items) {
    items.emplace_back(item.ToString());
  }
  return items;
}

// DiskBackupReplicaSet of openapi.json. A standalone has no replica set's name.
json::object RenderCloudSnapshot(const Call& call,
                                 const domain::Cluster& cluster,
                                 const domain::Snapshot& snapshot) {
  json::object body;
  body["copyRegions"] = json::array();
  if (!snapshot.description.empty()) {
    body["description"] = snapshot.description;
  }
  if (!snapshot.do_not_delete) {
    body["expiresAt"] = FormatInstant(snapshot.expires);
  }
  AddFrequency(body, snapshot);
  body["id"] = snapshot.id.ToString();
  body["links"] =
      CloudLinks(call,
                 {{"self", CloudSnapshotPath(snapshot.project, snapshot.cluster_name, snapshot.id)},
                  {kClusterRel, ClusterPath(snapshot.project, snapshot.cluster_name)}});
  body["policyItems"] = PolicyItemsOf(snapshot);
  if (!cluster.replica_set_name.empty()) {
    body["replicaSetName"] = cluster.replica_set_name;
  }
  body["snapshotType"] = snapshot.due ? "scheduled" : "onDemand";
  body["status"] = StatusOf(snapshot.state);
  body["type"] = "replicaSet";
  AddOutcome(body, snapshot);
  return body;
}

domain::Snapshot FindCloudSnapshot(const Call& call, const domain::Cluster& cluster) {
  CloudSnapshotId(call);
  constexpr auto kReason = service::Reason::kSnapshotNotFound;
  if (cluster.topology == domain::Topology::kSharded) {
    RefuseAbsent(kReason, call.path.Get("snapshotId"), cluster);
  }
  return FindSnapshot(call, cluster, kReason);
}

std::int64_t CheckRetention(std::int64_t value, std::int64_t most) {
  if (value < 1 || value > most) {
    throw Refused(400,
                  "BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID",
                  "The retention value {0} is not valid.",
                  {std::to_string(value)});
  }
  return value;
}

struct TakeRequest {
  std::string description;
  std::optional<std::int64_t> retention_days;
};

TakeRequest ReadTake(const Call& call) {
  const json::object body = ReadBody(call.request, kTakeFields);
  TakeRequest request{StringOf(body, "description"), IntegerOf(call, body, "retentionInDays")};
  if (request.retention_days) {
    CheckRetention(*request.retention_days, kUnits.front().most);
  }
  return request;
}

struct Retention {
  RetentionUnit unit = RetentionUnit::kDays;
  std::int64_t value = 1;
};

Retention ReadRetention(const Call& call) {
  const json::object body = ReadBody(call.request, kRetentionFields);
  const std::string name = StringOf(body, "retentionUnit");
  const auto unit = std::ranges::find(kUnits, std::string_view(name), &Unit::name);
  if (unit == kUnits.end()) {
    throw Refused(
        400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {name});
  }
  return {unit->unit,
          CheckRetention(IntegerOf(call, body, "retentionValue").value_or(0), unit->most)};
}

// Counted from the completion, as at the beginning. What would be over already is refused: nobody
// is to lose a snapshot by a number that was meant from now on.
Instant ExpiryOf(const Call& call, const domain::Snapshot& snapshot, const Retention& retention) {
  const Instant expires = domain::AddRetention(snapshot.finished.value_or(snapshot.scheduled),
                                               retention.unit,
                                               static_cast<int>(retention.value));
  if (expires <= call.parts.clock.Now()) {
    throw Refused(400,
                  "BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID",
                  "With the retention value {0} the snapshot would have expired already.",
                  {std::to_string(retention.value)});
  }
  return expires;
}

Reply ListCloudSnapshots(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  domain::Listing<domain::Snapshot> listing;
  if (cluster.topology != domain::Topology::kSharded) {
    listing = call.parts.snapshots.List(cluster, call.query.page);
  }
  return ListReply(call.request, call.query, listing, [&](const domain::Snapshot& snapshot) {
    return RenderCloudSnapshot(call, cluster, snapshot);
  });
}

Reply GetCloudSnapshot(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  return {
      200, Shape::kObject, RenderCloudSnapshot(call, cluster, FindCloudSnapshot(call, cluster))};
}

Reply TakeCloudSnapshot(const Call& call) {
  const TakeRequest request = ReadTake(call);
  const domain::Cluster cluster = FindCloudCluster(call);
  if (cluster.topology == domain::Topology::kSharded) {
    throw Refused(403,
                  "FEATURE_UNSUPPORTED",
                  "Snapshots of the sharded cluster {0} are not supported.",
                  {cluster.name});
  }
  // One at a time, as Atlas has it: a POST that is repeated after a lost answer takes no second.
  const domain::Snapshot snapshot = call.parts.snapshots.TakeAlone(
      cluster.project, cluster.name, request.description, request.retention_days);
  return {200, Shape::kObject, RenderCloudSnapshot(call, cluster, snapshot)};
}

Reply UpdateCloudSnapshot(const Call& call) {
  const Retention retention = ReadRetention(call);
  const domain::Cluster cluster = FindCloudCluster(call);
  const domain::Snapshot snapshot = FindCloudSnapshot(call, cluster);
  RefuseUnfinishedRetention(snapshot);
  const auto changed = call.parts.snapshots.Keep(
      cluster, snapshot.id, {.expires = ExpiryOf(call, snapshot, retention)});
  return {200, Shape::kObject, RenderCloudSnapshot(call, cluster, changed)};
}

Reply DeleteCloudSnapshot(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  DeleteSnapshot(call, cluster, FindCloudSnapshot(call, cluster));
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> CloudSnapshotRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots",
            kAtlas,
            kProjectRead,
            "listGroupClusterBackupSnapshots",
            ListCloudSnapshots,
            kFirstVersion},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots",
            kAtlas,
            kSnapshotCreate,
            "takeGroupClusterBackupSnapshots",
            TakeCloudSnapshot,
            kFirstVersion},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupSnapshot",
            GetCloudSnapshot,
            kFirstVersion},
      Route{kPatch,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}",
            kAtlas,
            kBackupManage,
            "updateGroupClusterBackupSnapshot",
            UpdateCloudSnapshot,
            kFirstVersion},
      Route{kDelete,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}",
            kAtlas,
            kBackupManage,
            "deleteGroupClusterBackupSnapshot",
            DeleteCloudSnapshot,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
