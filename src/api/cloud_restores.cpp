#include <array>

#include "api/internal/cloud.h"
#include "api/internal/downloads.h"
#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/restore_refusals.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

// Cloud backup restore jobs: contract.md 7.4.
namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// DiskBackupSnapshotRestoreJob of openapi.json, and targetDeploymentItemName, which only answers
// have. Go clients send empty texts for what is not asked for: ReadText takes them as absent.
constexpr std::array kJobFields{
    Field{"deliveryType", FieldType::kString, kRequired},
    Field{"snapshotId", FieldType::kString, kOptional},
    Field{"targetClusterName", FieldType::kString, kOptional},
    Field{"targetGroupId", FieldType::kString, kOptional},
    Field{"oplogTs", FieldType::kAny, kOptional},
    Field{"oplogInc", FieldType::kAny, kOptional},
    Field{"pointInTimeUTCSeconds", FieldType::kAny, kOptional},
    Field{"cancelled", FieldType::kAny, kReadOnly},
    Field{"components", FieldType::kAny, kReadOnly},
    Field{"deliveryUrl", FieldType::kAny, kReadOnly},
    Field{"desiredTimestamp", FieldType::kAny, kReadOnly},
    Field{"expired", FieldType::kAny, kReadOnly},
    Field{"expiresAt", FieldType::kAny, kReadOnly},
    Field{"failed", FieldType::kAny, kReadOnly},
    Field{"finishedAt", FieldType::kAny, kReadOnly},
    Field{"id", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
    Field{"privateDownloadDeliveryUrls", FieldType::kAny, kReadOnly},
    Field{"targetDeploymentItemName", FieldType::kAny, kReadOnly},
    Field{"timestamp", FieldType::kAny, kReadOnly},
};

constexpr std::int64_t kDownloadHours = 1;
constexpr std::int64_t kFirstSecond = 1199145600;  // the schema's minimum: 2008

std::string JobPath(const domain::RestoreJob& job) {
  return ClusterPath(job.project, job.cluster_name) + "/backup/restoreJobs/" + job.id.ToString();
}

bool May(const Call& call, const ProjectId& project, domain::Permission permission) {
  return call.parts.access.MayOn(call.caller, project, permission);
}

// A download that was fetched as often as allowed has no link any more either.
void AddDownload(const Call& call, const domain::RestoreJob& job, json::object& body) {
  const bool ready = call.parts.downloads.StateOf(job) == domain::DownloadState::kReady;
  body["expired"] = !ready && !job.cancelled;
  body["expiresAt"] = FormatInstant(job.expires);
  if (ready && May(call, job.project, domain::Permission::kDownload)) {
    body["deliveryUrl"] = json::array{json::value(LinksOf(call, job).with_key)};
  }
}

void AddTarget(const domain::RestoreJob& job, json::object& body) {
  body["targetClusterName"] = job.target_name;
  body["targetDeploymentItemName"] = job.target_name;
  body["targetGroupId"] = job.target_project.ToString();
  if (job.finished) {
    body["finishedAt"] = FormatInstant(*job.finished);
  }
}

json::object RenderCloudRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body;
  body["cancelled"] = job.cancelled.has_value();
  body["deliveryType"] = job.download ? "download" : "automated";
  body["deliveryUrl"] = json::array();
  body["desiredTimestamp"] =
      json::object{{"date", nullptr}, {"increment", nullptr}, {"time", nullptr}};
  body["expired"] = false;
  body["failed"] = job.state == domain::RestoreState::kFailed;
  body["id"] = job.id.ToString();
  body["links"] =
      CloudLinks(call,
                 {{"self", JobPath(job)},
                  {kSnapshotRel, CloudSnapshotPath(job.project, job.cluster_name, job.snapshot)},
                  {kClusterRel, ClusterPath(job.project, job.cluster_name)},
                  {kGroupRel, "/groups/" + job.project.ToString()}});
  body["snapshotId"] = job.snapshot.ToString();
  body["timestamp"] = FormatInstant(job.snapshot_finished);
  if (job.download) {
    AddDownload(call, job, body);
  } else {
    AddTarget(job, body);
  }
  return body;
}

// What takes a part of its snapshot, or brings it elsewhere than into a cluster or a download, is
// no job of this family (docs/api-compatibility.md).
bool IsCloudJob(const domain::RestoreJob& job) {
  return job.scope.empty() &&
         (job.delivery == domain::DeliveryMethod::kCluster || job.download.has_value());
}

domain::RestoreJob FindCloudRestore(const Call& call, const domain::Cluster& cluster) {
  const std::string& text = call.path.Get("restoreJobId");
  if (!RestoreJobId::Parse(text)) {
    throw InvalidPathId("INVALID_JOB_ID", text);
  }
  constexpr auto kReason = service::Reason::kRestoreJobNotFound;
  domain::RestoreJob job = FindRestoreJob(call, cluster, text, kReason);
  if (!IsCloudJob(job)) {
    RefuseAbsent(kReason, text, cluster);
  }
  return job;
}

void RequireRight(const Call& call, domain::Permission permission) {
  if (!May(call, ProjectOf(call).id, permission)) {
    throw service::Refusal(service::Reason::kUserUnauthorized,
                           ErrorCode::kPermissionDenied,
                           "a cloud backup restore job: the key may not ask for this kind");
  }
}

// A member that has to be there, and not empty.
std::string ReadText(const json::object& body, std::string_view name) {
  std::string text = StringOf(body, name);
  if (text.empty()) {
    throw MissingAttribute(name);
  }
  return text;
}

template <class Id>
Id ReadId(const json::object& body, std::string_view name) {
  const auto id = Id::Parse(ReadText(body, name));
  if (!id) {
    throw InvalidValue(name, "must be 24 lower-case hexadecimal digits");
  }
  return *id;
}

bool IsAsked(const json::object& body, std::string_view name) {
  return body.contains(name);
}

void RefuseMoments(const json::object& body) {
  for (const std::string_view name : {"oplogTs", "oplogInc", "pointInTimeUTCSeconds"}) {
    if (IsAsked(body, name)) {
      throw InvalidAttribute(name);
    }
  }
}

service::RestoreRequest ReadTarget(const Call& call, const json::object& body) {
  service::RestoreRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.target_project = ReadId<ProjectId>(body, "targetGroupId");
  request.target_cluster = ReadText(body, "targetClusterName");
  if (!domain::IsClusterName(request.target_cluster)) {
    throw InvalidValue("targetClusterName", "must be the name of a cluster");
  }
  request.right = domain::Permission::kRestoreInto;
  return request;
}

std::int64_t ReadSeconds(const Call& call, const json::object& body, std::string_view name) {
  const std::int64_t seconds = IntegerOf(call, body, name).value_or(0);
  if (seconds < kFirstSecond || seconds > INT32_MAX) {
    throw InvalidValue(name, "must be seconds since 1970, at least 1199145600");
  }
  return seconds;
}

// Exactly one selector: seconds, or both halves of an oplog position.
Instant ReadMoment(const Call& call, const json::object& body) {
  constexpr std::string_view kPoint = "pointInTimeUTCSeconds";
  const bool oplog = IsAsked(body, "oplogTs") || IsAsked(body, "oplogInc");
  if (!oplog && !IsAsked(body, kPoint)) {
    throw Refused(400,
                  "MISSING_ONE_OF_MANY_ATTRIBUTES",
                  "One of the attributes {0} or {1} must be specified.",
                  {std::string(kPoint), "oplogTs"});
  }
  if (oplog && IsAsked(body, kPoint)) {
    throw InvalidAttribute(kPoint);
  }
  if (!oplog) {
    return Instant(std::chrono::seconds(ReadSeconds(call, body, kPoint)));
  }
  for (const std::string_view half : {"oplogTs", "oplogInc"}) {
    if (!IsAsked(body, half)) {
      throw MissingAttribute(half);
    }
  }
  const std::int64_t increment = IntegerOf(call, body, "oplogInc").value_or(0);
  if (increment < 1 || increment > INT32_MAX) {
    throw InvalidValue("oplogInc", "must be at least 1");
  }
  return Instant(std::chrono::seconds(ReadSeconds(call, body, "oplogTs")));
}

domain::RestoreJob StartAutomated(const Call& call, const json::object& body) {
  RequireRight(call, domain::Permission::kRestoreInto);
  RefuseMoments(body);
  const auto snapshot = ReadId<SnapshotId>(body, "snapshotId");
  service::RestoreRequest request = ReadTarget(call, body);
  request.snapshot = snapshot;
  FindCloudCluster(call);
  return call.parts.restores.Start(call.caller, request);
}

// A download has no target: what a client sends there means nothing.
domain::RestoreJob StartDownload(const Call& call, const json::object& body) {
  RequireRight(call, domain::Permission::kDownload);
  RefuseMoments(body);
  service::DownloadRequest request;
  request.snapshot = ReadId<SnapshotId>(body, "snapshotId");
  request.project = ProjectOf(call).id;
  request.cluster = FindCloudCluster(call).name;
  request.expiration_hours = kDownloadHours;
  return call.parts.downloads.Start(call.caller, request);
}

[[noreturn]] void RefuseMoment(const Call& call, const json::object& body) {
  RequireRight(call, domain::Permission::kRestoreInto);
  const Instant moment = ReadMoment(call, body);
  ReadTarget(call, body);
  RefusePointInTime(call, FindCloudCluster(call), moment);
}

domain::RestoreJob Start(const Call& call) {
  const json::object body = ReadBody(call.request, kJobFields);
  const std::string type = StringOf(body, "deliveryType");
  if (type == "automated") {
    return StartAutomated(call, body);
  }
  if (type == "download") {
    return StartDownload(call, body);
  }
  if (type == "pointInTime") {
    RefuseMoment(call, body);
  }
  throw Refused(
      400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {type});
}

Reply CreateCloudRestore(const Call& call) {
  try {
    return {200, Shape::kObject, RenderCloudRestore(call, Start(call))};
  } catch (const service::Refusal& refusal) {
    ThrowOutsideTenant(refusal);
  }
}

Reply ListCloudRestores(const Call& call) {
  const auto listing = call.parts.restores.ListWhole(FindCloudCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderCloudRestore(call, job);
  });
}

Reply GetCloudRestore(const Call& call) {
  return {200,
          Shape::kObject,
          RenderCloudRestore(call, FindCloudRestore(call, FindCloudCluster(call)))};
}

// Again, or when its links are good no longer: the same answer, nothing changes. Terraform cancels
// whatever download it forgets.
Reply CancelCloudRestore(const Call& call) {
  const domain::RestoreJob job = FindCloudRestore(call, FindCloudCluster(call));
  RequireRight(call,
               job.download ? domain::Permission::kDownload : domain::Permission::kRestoreInto);
  if (!job.download) {
    throw Refused(400,
                  "CANNOT_CANCEL_AUTOMATED_RESTORE",
                  "Cannot cancel restore job {0}: it restores into a cluster.",
                  {job.id.ToString()});
  }
  call.parts.downloads.Cancel(job);
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> CloudRestoreRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs",
            kAtlas,
            kBackupManage,
            "listGroupClusterBackupRestoreJobs",
            ListCloudRestores,
            kFirstVersion},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs",
            kAtlas,
            kRestoreOrDownload,
            "createGroupClusterBackupRestoreJob",
            CreateCloudRestore,
            kFirstVersion},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs/{restoreJobId}",
            kAtlas,
            kBackupManage,
            "getGroupClusterBackupRestoreJob",
            GetCloudRestore,
            kFirstVersion},
      Route{kDelete,
            "/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs/{restoreJobId}",
            kAtlas,
            kRestoreOrDownload,
            "cancelGroupClusterBackupRestoreJob",
            CancelCloudRestore,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
