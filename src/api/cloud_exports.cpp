// Export jobs: snapshots on their way into an export bucket.
#include <array>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/internal/exports.h"
#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// DiskBackupExportJobRequest of openapi.json.
constexpr std::array kExportFields{
    Field{"snapshotId", FieldType::kObjectId, kRequired},
    Field{"exportBucketId", FieldType::kObjectId, kRequired},
    Field{"customData", FieldType::kArray, kOptional},
    Field{"links", FieldType::kAny, kReadOnly},
};

constexpr std::array kLabelFields{Field{"key", FieldType::kString, kOptional},
                                  Field{"value", FieldType::kString, kOptional}};

constexpr std::size_t kMaxCustomData = 64U << 10;  // bytes of JSON; it stays in the catalog

json::object RenderStatus(const Call& call, const domain::ExportJob& job) {
  const ExportedCollections collections = CollectionsOf(call, job);
  return {{"exportedCollections", collections.done}, {"totalCollections", collections.total}};
}

// DiskBackupExportJob of openapi.json; its `prefix` looks as Atlas writes it, not as the pattern
// there says.
json::object RenderExport(const Call& call, const domain::ExportJob& job) {
  json::object body;
  body["createdAt"] = FormatInstant(job.created);
  if (!job.custom_data.empty()) {
    body["customData"] = json::parse(job.custom_data);
  }
  body["exportBucketId"] = job.bucket.ToString();
  body["exportStatus"] = RenderStatus(call, job);
  if (job.finished) {
    body["finishedAt"] = FormatInstant(*job.finished);
  }
  body["id"] = job.id.ToString();
  body["prefix"] = job.prefix;
  body["snapshotId"] = job.snapshot.ToString();
  body["state"] = ExportStateName(job.state);
  if (!job.failure.empty()) {
    body["stateReason"] = {{"errorCode", "EXPORT_FAILED"}, {"message", job.failure}};
  }
  return body;
}

// What is kept of customData: a JSON array, or nothing.
std::string CustomDataOf(const json::object& body) {
  const json::value* found = body.if_contains("customData");
  if (found == nullptr || found->get_array().empty()) {
    return {};
  }
  json::array labels;
  for (const json::value& label : found->get_array()) {
    if (!label.is_object()) {
      throw InvalidJsonAttribute("customData", "an array of objects");
    }
    labels.push_back(CheckFields(label.get_object(), kLabelFields));
  }
  std::string text = json::serialize(labels);
  if (text.size() > kMaxCustomData) {
    throw InvalidValue("customData", "has more than 64 KiB");
  }
  return text;
}

Reply ListExports(const Call& call) {
  const auto listing = call.parts.exports.List(FindCloudCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::ExportJob& job) {
    return RenderExport(call, job);
  });
}

Reply CreateExport(const Call& call) {
  const json::object body = ReadBody(call.request, kExportFields);
  service::ExportBucketRequest request;
  request.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  request.bucket = IdOf<domain::ExportBucketId>(body, "exportBucketId");
  request.custom_data = CustomDataOf(body);
  const domain::Cluster cluster = FindCloudCluster(call);
  return {200,
          Shape::kObject,
          RenderExport(call, call.parts.exports.Start(call.caller, cluster, request))};
}

Reply GetExport(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  const std::string& text = call.path.Get("exportId");
  const auto id = domain::ExportId::Parse(text);
  const auto job = id ? call.parts.exports.Find(cluster, *id) : std::nullopt;
  if (!job) {
    RefuseAbsent(service::Reason::kExportNotFound, text, cluster);
  }
  return {200, Shape::kObject, RenderExport(call, *job)};
}

}  // namespace

std::string_view ExportStateName(domain::ExportState state) {
  switch (state) {
    case domain::ExportState::kQueued:
      return "Queued";
    case domain::ExportState::kInProgress:
      return "InProgress";
    case domain::ExportState::kSuccessful:
      return "Successful";
    case domain::ExportState::kFailed:
      return "Failed";
    case domain::ExportState::kCancelled:
      return "Cancelled";
  }
  CheckFailed("every state has a name", __FILE__, __LINE__);
}

ExportedCollections CollectionsOf(const Call& call, const domain::ExportJob& job) {
  const auto work = call.parts.exports.FindJob(job.id);
  const domain::JobProgress progress = work ? work->progress : domain::JobProgress();
  const bool known = progress.collections_total > 0;
  const std::uint64_t total =
      known ? progress.collections_total : static_cast<std::uint64_t>(job.collections);
  const bool all = job.state == domain::ExportState::kSuccessful;
  return {.done = all ? total : progress.collections_done, .total = total};
}

std::span<const Route> CloudExportRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/exports",
            kAtlas,
            kProjectOwner,
            "listGroupClusterBackupExports",
            ListExports,
            kFirstVersion},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/backup/exports",
            kAtlas,
            kExportCreate,
            "createGroupClusterBackupExport",
            CreateExport,
            kFirstVersion},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/exports/{exportId}",
            kAtlas,
            kProjectOwner,
            "getGroupClusterBackupExport",
            GetExport,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
