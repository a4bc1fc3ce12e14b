#include "api/internal/failure.h"
#include "api/internal/routes.h"
#include "api/internal/tenant.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

// BackupTenantSnapshot of openapi.json.
json::object RenderSnapshot(const Call& call, const domain::Snapshot& snapshot) {
  json::object body = RenderTenantSnapshot(snapshot);
  body["links"] = SelfLink(HrefOf(call,
                                  ClusterPath(snapshot.project, snapshot.cluster_name) +
                                      "/backup/tenant/snapshots/" + snapshot.id.ToString()));
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
  return ListReply(call.request, call.query, listing, [&](const domain::Snapshot& snapshot) {
    return RenderSnapshot(call, snapshot);
  });
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
  return {200, Shape::kObject, RenderSnapshot(call, FindSnapshot(call, cluster, kReason))};
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
