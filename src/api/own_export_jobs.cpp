// Export jobs in our own API: those of flex clusters, too, and a way to end one, for which Atlas
// has no operation.
#include <array>

#include "api/internal/exports.h"
#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

json::object RenderJob(const Call& call, const domain::ExportJob& job) {
  const ExportedCollections collections = CollectionsOf(call, job);
  json::object body;
  body["id"] = job.id.ToString();
  body["snapshotId"] = job.snapshot.ToString();
  body["exportBucketId"] = job.bucket.ToString();
  body["state"] = ExportStateName(job.state);
  body["scheduled"] = job.IsScheduled();
  body["prefix"] = job.prefix;
  body["exportedCollections"] = collections.done;
  body["totalCollections"] = collections.total;
  body["created"] = FormatInstant(job.created);
  AddInstant(body, "finished", job.finished);
  AddText(body, "failure", job.failure);
  return body;
}

Reply ListJobs(const Call& call) {
  const auto listing = call.parts.exports.List(FindOwnCluster(call), call.query.page);
  json::array results;
  for (const domain::ExportJob& job : listing.rows) {
    results.push_back(RenderJob(call, job));
  }
  return ListReply(call.request, call.query, std::move(results), listing.total);
}

Reply CancelJob(const Call& call) {
  call.parts.exports.Cancel(FindOwnCluster(call), call.path.Get("exportId"));
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> OwnExportJobRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  constexpr std::string_view kPath = "/projects/{groupId}/clusters/{clusterName}/exports";
  static constexpr std::array kRoutes{
      Route{kGet, kPath, kOwn, kProjectRead, "listExports", ListJobs},
      Route{kDelete,
            "/projects/{groupId}/clusters/{clusterName}/exports/{exportId}",
            kOwn,
            kExportCreate,
            "cancelExport",
            CancelJob},
  };
  return kRoutes;
}

}  // namespace tidemark::api
