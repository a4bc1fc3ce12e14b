#include "api/internal/downloads.h"
#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

// ?format=tar.gz|archive|archive.gz|json and, of json, ?relaxed=true.
service::ExportRequest ReadExportRequest(const Call& call) {
  service::ExportRequest request;
  for (const auto& [name, value] : http::ParseQuery(call.request.query)) {
    if (name == "format") {
      request.format = value;
    }
    if (name == "relaxed" && value != "true" && value != "false") {
      throw InvalidQueryParameter(name);
    }
    if (name == "relaxed" && value == "true") {
      request.relaxed = true;
    }
  }
  return request;
}

Reply ExportSnapshot(const Call& call) {
  const domain::Cluster cluster = FindOwnCluster(call);
  const std::string& text = call.path.Get("snapshotId");
  const auto id = SnapshotId::Parse(text);
  if (!id) {
    RefuseAbsent(service::Reason::kSnapshotNotFound, text, cluster);
  }
  service::ExportedArchive exported =
      call.parts.downloads.Export(cluster, *id, ReadExportRequest(call));
  Reply reply;
  reply.file = FileReply{std::move(exported.file_name),
                         std::move(exported.media_type),
                         {MakeBodySource(std::move(exported.stream)), std::nullopt}};
  return reply;
}

Reply EndDownload(const Call& call) {
  const domain::Cluster cluster = FindOwnCluster(call);
  const std::string& text = call.path.Get("jobId");
  const auto id = RestoreJobId::Parse(text);
  if (!id) {
    RefuseAbsent(service::Reason::kRestoreJobNotFound, text, cluster);
  }
  call.parts.downloads.End(cluster, *id);
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> OwnExportRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/export",
            kOwn,
            kProjectOwner,
            "exportSnapshot",
            ExportSnapshot,
            {},
            Gives::kData},
      Route{kDelete,
            "/projects/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}",
            kOwn,
            kProjectOwner,
            "endDownload",
            EndDownload},
  };
  return kRoutes;
}

}  // namespace tidemark::api
