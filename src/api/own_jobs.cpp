#include <array>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/internal/downloads.h"
#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kSnapshotFields{Field{"description", FieldType::kString, kOptional}};

constexpr std::array kImportFields{Field{"path", FieldType::kString, kRequired},
                                   Field{"description", FieldType::kString, kOptional}};

constexpr std::array kRestoreFields{
    Field{"snapshotId", FieldType::kObjectId, kRequired},
    Field{"targetClusterName", FieldType::kDeploymentItemName, kRequired},
    Field{"targetProjectId", FieldType::kObjectId, kOptional},
    Field{"dryRun", FieldType::kBoolean, kNotNull},
    Field{"include", FieldType::kArray, kNotNull},
    Field{"filter", FieldType::kObject, kNotNull},
    Field{"delta", FieldType::kBoolean, kNotNull},
};

// The members of a request that say what is restored; they are stored and shown as they came.
constexpr std::array<std::string_view, 3> kScopeMembers{"include", "filter", "delta"};

// Empty when the request is for all of the snapshot.
std::string ScopeOf(const json::object& body) {
  json::object scope;
  for (const std::string_view name : kScopeMembers) {
    if (const json::value* value = body.if_contains(name)) {
      scope[name] = *value;
    }
  }
  return scope.empty() ? "" : json::serialize(scope);
}

void AddTimes(json::object& body, const domain::Snapshot& snapshot) {
  body["scheduled"] = FormatInstant(snapshot.scheduled);
  AddInstant(body, "started", snapshot.started);
  AddInstant(body, "finished", snapshot.finished);
  AddInstant(body, "due", snapshot.due);
  body["expires"] = FormatInstant(snapshot.expires);
  body["doNotDelete"] = snapshot.do_not_delete;
}

// What only a finished run knows.
void AddOutcome(json::object& body, const domain::Snapshot& snapshot) {
  AddText(body, "mongoDBVersion", snapshot.mongodb_version);
  body["consistent"] = snapshot.consistent;
  AddText(body, "inconsistentReason", snapshot.inconsistent_reason);
  AddText(body, "failure", snapshot.failure);
  body["collections"] = snapshot.collections;
  body["documents"] = snapshot.documents;
  body["logicalBytes"] = snapshot.logical_bytes;
  body["storedBytes"] = snapshot.stored_bytes;
}

json::array TextArray(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::array LineArray(const std::string& text) {
  json::array array;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    array.emplace_back(line);
  }
  return array;
}

void AddImport(json::object& body, const std::optional<domain::Import>& import) {
  if (!import) {
    return;
  }
  json::object from{{"path", import->path}};
  AddText(from, "format", import->format);
  if (!import->notes.empty()) {
    from["notes"] = LineArray(import->notes);
  }
  body["imported"] = std::move(from);
}

json::object RenderSnapshot(const Call& call, const domain::Snapshot& snapshot) {
  json::object body;
  body["id"] = snapshot.id.ToString();
  body["projectId"] = snapshot.project.ToString();
  body["clusterId"] = snapshot.cluster.ToString();
  body["clusterName"] = snapshot.cluster_name;
  body["state"] = domain::SnapshotStateName(snapshot.state);
  body["description"] = snapshot.description;
  AddTimes(body, snapshot);
  AddOutcome(body, snapshot);
  AddImport(body, call.parts.imports.Find(snapshot.id));
  AddLastVerified(body, call.parts.drills.FindLastOf(snapshot.id));
  AddProgress(body, call.parts.snapshots.FindJob(snapshot.id));
  return body;
}

// What was asked for beyond a whole restore, and what came of it.
void AddScope(json::object& body, const domain::RestoreJob& job) {
  if (!job.scope.empty()) {
    const json::value scope = json::parse(job.scope);
    for (const auto& member : scope.as_object()) {
      body[member.key()] = member.value();
    }
  }
  if (job.changes) {
    body["changes"] = json::object{{"leftAlone", job.changes->left_alone},
                                   {"replaced", job.changes->replaced},
                                   {"inserted", job.changes->inserted},
                                   {"deleted", job.changes->deleted}};
  }
  if (!job.notes.empty()) {
    body["notes"] = LineArray(job.notes);
  }
}

// No key and no link: those of the Atlas families are the ones to fetch with.
json::object RenderDownload(const Call& call, const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  const domain::Download& download = *job.download;
  json::object body{{"state", DownloadStateName(call.parts.downloads.StateOf(job))},
                    {"fileName", download.file_name},
                    {"expirationHours", download.expiration_hours},
                    {"maxDownloads", download.max_downloads},
                    {"complete", download.complete}};
  if (download.size) {
    body["size"] = *download.size;
  }
  AddText(body, "sha1", download.sha1);
  return body;
}

void AddPush(json::object& body, const std::optional<domain::Push>& push) {
  if (!push) {
    return;
  }
  json::object shown{{"method", push->method}, {"fileName", push->file_name}};
  if (!push->sha1.empty()) {
    shown["size"] = push->size;
    shown["sha1"] = push->sha1;
  }
  body["push"] = std::move(shown);
}

json::object RenderRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body;
  body["id"] = job.id.ToString();
  body["projectId"] = job.project.ToString();
  body["clusterName"] = job.cluster_name;
  body["snapshotId"] = job.snapshot.ToString();
  body["targetProjectId"] = job.target_project.ToString();
  body["targetClusterName"] = job.target_name;
  body["state"] = domain::RestoreStateName(job.state);
  body["created"] = FormatInstant(job.created);
  AddInstant(body, "finished", job.finished);
  body["expires"] = FormatInstant(job.expires);
  AddText(body, "failure", job.failure);
  AddInstant(body, "cancelled", job.cancelled);
  if (job.download) {
    body["download"] = RenderDownload(call, job);
  }
  if (job.delivery == domain::DeliveryMethod::kPush) {
    AddPush(body, call.parts.pushes.Find(job.id));
  }
  AddScope(body, job);
  AddProgress(body, call.parts.restores.FindJob(job.id));
  return body;
}

json::object RenderWrite(const delivery::RestorePlan::Write& write) {
  json::object body{{"database", write.database},
                    {"collection", write.collection},
                    {"kind", write.kind},
                    {"documents", write.documents},
                    {"bytes", write.bytes},
                    {"indexes", write.indexes}};
  AddText(body, "source", write.source);
  return body;
}

json::object RenderPlan(const delivery::RestorePlan& plan) {
  json::array writes;
  for (const delivery::RestorePlan::Write& write : plan.writes) {
    writes.push_back(RenderWrite(write));
  }
  json::object body;
  body["plan"] = json::object{{"dropDatabases", TextArray(plan.drop_databases)},
                              {"dropCollections", TextArray(plan.drop_collections)},
                              {"writes", std::move(writes)},
                              {"losses", TextArray(plan.losses)},
                              {"notes", TextArray(plan.notes)}};
  body["text"] = delivery::FormatPlan(plan);
  return body;
}

service::RestoreRequest MakeRequest(const Call& call, const json::object& body) {
  service::RestoreRequest request;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  request.target_project = ProjectId::Parse(StringOf(body, "targetProjectId"));
  request.target_cluster = StringOf(body, "targetClusterName");
  request.scope = ScopeOf(body);
  return request;
}

}  // namespace

void AddProgress(json::object& body, const std::optional<domain::Job>& job) {
  // What is stored of the progress is up to a second old: beside a final state it would be wrong.
  if (!job || job->state == domain::JobState::kDone) {
    return;
  }
  const domain::JobProgress& progress = job->progress;
  body["progress"] = json::object{{"phase", progress.phase},
                                  {"documentsDone", progress.documents_done},
                                  {"documentsTotal", progress.documents_total},
                                  {"bytesDone", progress.bytes_done},
                                  {"bytesTotal", progress.bytes_total},
                                  {"collectionsDone", progress.collections_done},
                                  {"collectionsTotal", progress.collections_total}};
}

namespace {

Reply ListSnapshots(const Call& call) {
  const auto listing = call.parts.snapshots.List(FindOwnCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::Snapshot& snapshot) {
    return RenderSnapshot(call, snapshot);
  });
}

Reply CreateSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kSnapshotFields);
  const domain::Snapshot snapshot = call.parts.snapshots.Take(
      ProjectOf(call).id, FindCluster(call).name, StringOf(body, "description"));
  return {201, Shape::kObject, RenderSnapshot(call, snapshot)};
}

Reply ImportSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kImportFields);
  const domain::Snapshot snapshot = call.parts.imports.Start(ProjectOf(call).id,
                                                             FindCluster(call).name,
                                                             StringOf(body, "path"),
                                                             StringOf(body, "description"));
  return {201, Shape::kObject, RenderSnapshot(call, snapshot)};
}

Reply GetSnapshot(const Call& call) {
  return {200,
          Shape::kObject,
          RenderSnapshot(
              call, FindSnapshot(call, FindOwnCluster(call), service::Reason::kSnapshotNotFound))};
}

Reply DeleteSnapshot(const Call& call) {
  const domain::Cluster cluster = FindOwnCluster(call);
  const std::string& text = call.path.Get("snapshotId");
  const auto id = SnapshotId::Parse(text);
  if (!id) {
    RefuseAbsent(service::Reason::kSnapshotNotFound, text, cluster);
  }
  call.parts.snapshots.Delete(cluster, *id);
  return {204, Shape::kNone, {}};
}

Reply ListRestores(const Call& call) {
  const auto listing = call.parts.restores.List(FindOwnCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderRestore(call, job);
  });
}

Reply CreateRestore(const Call& call) {
  const json::object body = ReadBody(call.request, kRestoreFields);
  const service::RestoreRequest request = MakeRequest(call, body);
  if (FlagOf(body, "dryRun")) {
    return {200, Shape::kObject, RenderPlan(call.parts.restores.Plan(call.caller, request))};
  }
  return {
      201, Shape::kObject, RenderRestore(call, call.parts.restores.Start(call.caller, request))};
}

Reply GetRestore(const Call& call) {
  const domain::RestoreJob job = FindRestoreJob(
      call, FindOwnCluster(call), call.path.Get("jobId"), service::Reason::kRestoreJobNotFound);
  return {200, Shape::kObject, RenderRestore(call, job)};
}

}  // namespace

std::span<const Route> OwnJobRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/snapshots",
            kOwn,
            kProjectRead,
            "listSnapshots",
            ListSnapshots},
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/snapshots",
            kOwn,
            kSnapshotCreate,
            "createSnapshot",
            CreateSnapshot},
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/snapshots/import",
            kOwn,
            kBackupManage,
            "importSnapshot",
            ImportSnapshot},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}",
            kOwn,
            kProjectRead,
            "getSnapshot",
            GetSnapshot},
      Route{kDelete,
            "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}",
            kOwn,
            kProjectOwner,
            "deleteSnapshot",
            DeleteSnapshot},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/restoreJobs",
            kOwn,
            kProjectRead,
            "listRestores",
            ListRestores},
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/restoreJobs",
            kOwn,
            kProjectOwner,
            "createRestore",
            CreateRestore},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}",
            kOwn,
            kProjectRead,
            "getRestore",
            GetRestore},
  };
  return kRoutes;
}

}  // namespace tidemark::api
