#include <array>

#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "api/internal/tenant.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// TenantRestore of openapi.json.
constexpr std::array kTenantRestoreFields{
    Field{"snapshotId", FieldType::kObjectId, kRequired},
    Field{"targetDeploymentItemName", FieldType::kDeploymentItemName, kRequired},
    Field{"targetProjectId", FieldType::kObjectId, kOptional},
    Field{"clusterName", FieldType::kString, kReadOnly},
    Field{"deliveryType", FieldType::kString, kReadOnly},
    Field{"expirationDate", FieldType::kString, kReadOnly},
    Field{"id", FieldType::kString, kReadOnly},
    Field{"links", FieldType::kArray, kReadOnly},
    Field{"projectId", FieldType::kString, kReadOnly},
    Field{"restoreFinishedDate", FieldType::kString, kReadOnly},
    Field{"restoreScheduledDate", FieldType::kString, kReadOnly},
    Field{"snapshotFinishedDate", FieldType::kString, kReadOnly},
    Field{"snapshotUrl", FieldType::kString, kReadOnly},
    Field{"status", FieldType::kString, kReadOnly},
};

// The same schema; a download has no target, whatever a client sends (contract.md 7.1).
constexpr auto kTenantDownloadFields = [] {
  auto fields = kTenantRestoreFields;
  for (Field& field : fields) {
    field.use = field.name == "snapshotId" ? kRequired : kReadOnly;
  }
  return fields;
}();

json::object RenderRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body = RenderTenantRestore(call, job, domain::Permission::kProjectOwner);
  body["clusterName"] = job.cluster_name;
  body["links"] = SelfLink(HrefOf(
      call,
      ClusterPath(job.project, job.cluster_name) + "/backup/tenant/restores/" + job.id.ToString()));
  return body;
}

service::RestoreRequest ReadRestoreRequest(const Call& call) {
  const json::object body = ReadBody(call.request, kTenantRestoreFields);
  service::RestoreRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  request.target_project = ProjectId::Parse(StringOf(body, "targetProjectId"));
  request.target_cluster = StringOf(body, "targetDeploymentItemName");
  return request;
}

Reply ListTenantRestores(const Call& call) {
  const auto listing = call.parts.restores.ListButPushes(FindCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderRestore(call, job);
  });
}

Reply GetTenantRestore(const Call& call) {
  const domain::RestoreJob job =
      FindTenantRestore(call, FindCluster(call), call.path.Get("restoreId"));
  return {200, Shape::kObject, RenderRestore(call, job)};
}

Reply DownloadTenantSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kTenantDownloadFields);
  service::DownloadRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  const domain::RestoreJob job = call.parts.downloads.Start(call.caller, request);
  return {200, Shape::kObject, RenderRestore(call, job)};
}

Reply CreateTenantRestore(const Call& call) {
  const domain::RestoreJob job = call.parts.restores.Start(call.caller, ReadRestoreRequest(call));
  return {200, Shape::kObject, RenderRestore(call, job)};
}

}  // namespace

std::span<const Route> TenantRestoreRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores",
            kAtlas,
            kProjectRead,
            "listGroupClusterBackupTenantRestores",
            ListTenantRestores,
            kTenantVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores/{restoreId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupTenantRestore",
            GetTenantRestore,
            kTenantVersions},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restore",
            kAtlas,
            kProjectOwner,
            "createGroupClusterBackupTenantRestore",
            CreateTenantRestore,
            kTenantVersions},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/backup/tenant/download",
            kAtlas,
            kProjectOwner,
            "downloadGroupClusterBackupTenant",
            DownloadTenantSnapshot,
            kTenantVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
