#include <array>

#include "api/internal/cloud.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

// Cloud backup snapshots of sharded clusters: there are none yet. Clients ask all the same, as
// Terraform does after every read of a snapshot (contract.md 10).
namespace tidemark::api {
namespace {

// The document's operation has no paging parameters and a paged answer: they are taken.
Reply ListShardedSnapshots(const Call& call) {
  FindCloudCluster(call);
  return ListReply(call.request, call.query, {}, 0);
}

Reply RefuseShardedSnapshot(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  RefuseAbsent(service::Reason::kSnapshotNotFound, CloudSnapshotId(call).ToString(), cluster);
}

}  // namespace

std::span<const Route> CloudShardedRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/shardedClusters",
            kAtlas,
            kProjectRead,
            "listGroupClusterBackupSnapshotShardedClusters",
            ListShardedSnapshots,
            kFirstVersion},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/shardedCluster/{snapshotId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupSnapshotShardedCluster",
            RefuseShardedSnapshot,
            kFirstVersion},
      Route{kDelete,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/shardedCluster/{snapshotId}",
            kAtlas,
            kBackupManage,
            "deleteGroupClusterBackupSnapshotShardedCluster",
            RefuseShardedSnapshot,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
