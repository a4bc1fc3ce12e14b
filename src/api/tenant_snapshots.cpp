#include "api/internal/failure.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

// BackupTenantSnapshot of openapi.json.
json::object RenderTenantSnapshot(const Call& call, const domain::Snapshot& snapshot) {
  json::object body;
  body["expiration"] = FormatInstant(snapshot.expires);
  if (snapshot.finished) {
    body["finishTime"] = FormatInstant(*snapshot.finished);
  }
  body["id"] = snapshot.id.ToString();
  body["links"] = SelfLink(HrefOf(call,
                                  ClusterPath(snapshot.project, snapshot.cluster_name) +
                                      "/backup/tenant/snapshots/" + snapshot.id.ToString()));
  if (!snapshot.mongodb_version.empty()) {
    body["mongoDBVersion"] = snapshot.mongodb_version;
  }
  body["scheduledTime"] = FormatInstant(snapshot.scheduled);
  if (snapshot.started) {
    body["startTime"] = FormatInstant(*snapshot.started);
  }
  body["status"] = domain::SnapshotStateName(snapshot.state);
  return body;
}

// This family tells of replica sets only; a standalone counts as one (contract.md 7.1).
bool HasTenantSnapshots(const domain::Cluster& cluster) {
  return cluster.topology != domain::Topology::kSharded;
}

Reply ListTenantSnapshots(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  domain::Listing<domain::Snapshot> listing;
  if (HasTenantSnapshots(cluster)) {
    listing = call.parts.snapshots.List(cluster, call.query.page);
  }
  json::array results;
  for (const domain::Snapshot& snapshot : listing.rows) {
    results.push_back(RenderTenantSnapshot(call, snapshot));
  }
  return ListReply(call.request, call.query, std::move(results), listing.total);
}

Reply GetTenantSnapshot(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  const std::string& text = call.path.Get("snapshotId");
  if (!SnapshotId::Parse(text)) {
    throw InvalidPathId("INVALID_SNAPSHOT_ID", text);
  }
  constexpr auto kReason = service::Reason::kTenantSnapshotNotFound;
  if (!HasTenantSnapshots(cluster)) {
    RefuseAbsent(kReason, text, cluster);
  }
  return {200, Shape::kObject, RenderTenantSnapshot(call, FindSnapshot(call, cluster, kReason))};
}

}  // namespace

std::span<const Route> TenantSnapshotRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/snapshots",
            kAtlas,
            kProjectRead,
            "listGroupClusterBackupTenantSnapshots",
            ListTenantSnapshots,
            kTenantVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/snapshots/{snapshotId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupTenantSnapshot",
            GetTenantSnapshot,
            kTenantVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
