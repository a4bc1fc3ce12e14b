#include <array>

#include "api/internal/downloads.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
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

json::object RenderTenantRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body;
  body["clusterName"] = job.cluster_name;
  body["deliveryType"] = job.delivery == domain::DeliveryMethod::kDownload ? "DOWNLOAD" : "RESTORE";
  body["expirationDate"] = FormatInstant(job.expires);
  body["id"] = job.id.ToString();
  body["links"] = SelfLink(HrefOf(
      call,
      ClusterPath(job.project, job.cluster_name) + "/backup/tenant/restores/" + job.id.ToString()));
  body["projectId"] = job.project.ToString();
  if (job.finished) {
    body["restoreFinishedDate"] = FormatInstant(*job.finished);
  }
  body["restoreScheduledDate"] = FormatInstant(job.created);
  body["snapshotFinishedDate"] = FormatInstant(job.snapshot_finished);
  body["snapshotId"] = job.snapshot.ToString();
  if (job.download && call.parts.downloads.StateOf(job) != domain::DownloadState::kExpired &&
      MaySeeLinks(call, job)) {
    body["snapshotUrl"] = LinksOf(call, job).with_key;
  }
  body["status"] = domain::RestoreStateName(domain::ShownState(job));
  body["targetDeploymentItemName"] = job.target_name;
  body["targetProjectId"] = job.target_project.ToString();
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
  json::array results;
  for (const domain::RestoreJob& job : listing.rows) {
    results.push_back(RenderTenantRestore(call, job));
  }
  return ListReply(call.request, call.query, std::move(results), listing.total);
}

Reply GetTenantRestore(const Call& call) {
  const domain::RestoreJob job =
      FindTenantRestore(call, FindCluster(call), call.path.Get("restoreId"));
  return {200, Shape::kObject, RenderTenantRestore(call, job)};
}

Reply DownloadTenantSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kTenantDownloadFields);
  service::DownloadRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  const domain::RestoreJob job = call.parts.downloads.Start(call.caller, request);
  return {200, Shape::kObject, RenderTenantRestore(call, job)};
}

Reply CreateTenantRestore(const Call& call) {
  const domain::RestoreJob job = call.parts.restores.Start(call.caller, ReadRestoreRequest(call));
  return {200, Shape::kObject, RenderTenantRestore(call, job)};
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
