#include <array>
#include <chrono>

#include "api/internal/flex.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "api/internal/tenant.h"
#include "service/refusal.h"

// Snapshots and restore jobs of flex clusters: the shared tier's with other names (contract.md
// 7.2). Their objects have no links.
namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::chrono::hours kRestoreLife{6};  // contract.md 7.1

// FlexBackupRestoreJobCreate20241113 of openapi.json.
constexpr std::array kRestoreFields{
    Field{"snapshotId", FieldType::kObjectId, kRequired},
    Field{"targetDeploymentItemName", FieldType::kDeploymentItemName, kRequired},
    Field{"targetProjectId", FieldType::kObjectId, kOptional},
    Field{"deliveryType", FieldType::kString, kReadOnly},
    Field{"expirationDate", FieldType::kString, kReadOnly},
    Field{"id", FieldType::kString, kReadOnly},
    Field{"instanceName", FieldType::kString, kReadOnly},
    Field{"links", FieldType::kArray, kReadOnly},
    Field{"projectId", FieldType::kString, kReadOnly},
    Field{"restoreFinishedDate", FieldType::kString, kReadOnly},
    Field{"restoreScheduledDate", FieldType::kString, kReadOnly},
    Field{"snapshotFinishedDate", FieldType::kString, kReadOnly},
    Field{"snapshotUrl", FieldType::kString, kReadOnly},
    Field{"status", FieldType::kString, kReadOnly},
};

// FlexBackupSnapshotDownloadCreate20241113.
constexpr std::array kDownloadFields{
    Field{"snapshotId", FieldType::kObjectId, kRequired},
    Field{"links", FieldType::kArray, kReadOnly},
};

// FlexBackupRestoreJob20241113.
json::object RenderRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body = RenderTenantRestore(call, job, domain::Permission::kFlexDownload);
  body["instanceName"] = job.cluster_name;
  return body;
}

Reply ListSnapshots(const Call& call) {
  const auto listing = call.parts.snapshots.ListOldestFirst(FindFlexCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, RenderTenantSnapshot);
}

Reply GetSnapshot(const Call& call) {
  const domain::Cluster cluster = FindFlexCluster(call);
  const std::string& text = call.path.Get("snapshotId");
  if (!SnapshotId::Parse(text)) {
    throw InvalidPathId("INVALID_SNAPSHOT_ID", text);
  }
  return {
      200,
      Shape::kObject,
      RenderTenantSnapshot(FindSnapshot(call, cluster, service::Reason::kTenantSnapshotNotFound))};
}

Reply ListRestores(const Call& call) {
  const auto listing = call.parts.restores.ListButPushes(FindFlexCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderRestore(call, job);
  });
}

Reply GetRestore(const Call& call) {
  const domain::RestoreJob job =
      FindTenantRestore(call, FindFlexCluster(call), call.path.Get("restoreJobId"));
  return {200, Shape::kObject, RenderRestore(call, job)};
}

Reply CreateRestore(const Call& call) {
  const json::object body = ReadBody(call.request, kRestoreFields);
  service::RestoreRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = FindFlexCluster(call).name;
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  request.target_project = ProjectId::Parse(StringOf(body, "targetProjectId"));
  request.target_cluster = StringOf(body, "targetDeploymentItemName");
  request.right = domain::Permission::kFlexRestore;
  request.life = kRestoreLife;
  const domain::RestoreJob job = call.parts.restores.Start(call.caller, request);
  return {200, Shape::kObject, RenderRestore(call, job)};
}

// COMPLETED at once, with a link that needs no credentials: the Atlas CLI fetches it in the same
// breath (contract.md 7.2).
Reply DownloadSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kDownloadFields);
  service::DownloadRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = FindFlexCluster(call).name;
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  const domain::RestoreJob job = call.parts.downloads.Start(call.caller, request);
  return {200, Shape::kObject, RenderRestore(call, job)};
}

}  // namespace

std::span<const Route> FlexBackupRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/flexClusters/{name}/backup/snapshots",
            kV2Only,
            kProjectRead,
            "listGroupFlexClusterBackupSnapshots",
            ListSnapshots,
            kFlexVersions},
      Route{kGet,
            "/groups/{groupId}/flexClusters/{name}/backup/snapshots/{snapshotId}",
            kV2Only,
            kProjectRead,
            "getGroupFlexClusterBackupSnapshot",
            GetSnapshot,
            kFlexVersions},
      Route{kGet,
            "/groups/{groupId}/flexClusters/{name}/backup/restoreJobs",
            kV2Only,
            kProjectRead,
            "listGroupFlexClusterBackupRestoreJobs",
            ListRestores,
            kFlexVersions},
      Route{kGet,
            "/groups/{groupId}/flexClusters/{name}/backup/restoreJobs/{restoreJobId}",
            kV2Only,
            kProjectRead,
            "getGroupFlexClusterBackupRestoreJob",
            GetRestore,
            kFlexVersions},
      Route{kPost,
            "/groups/{groupId}/flexClusters/{name}/backup/restoreJobs",
            kV2Only,
            kFlexRestore,
            "createGroupFlexClusterBackupRestoreJob",
            CreateRestore,
            kFlexVersions},
      Route{kPost,
            "/groups/{groupId}/flexClusters/{name}/backup/download",
            kV2Only,
            kFlexDownload,
            "downloadGroupFlexClusterBackup",
            DownloadSnapshot,
            kFlexVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
