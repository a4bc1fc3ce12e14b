#include "api/internal/downloads.h"
#include "api/internal/failure.h"
#include "api/internal/legacy.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

struct LegacyStatus {
  std::string_view job;
  std::string_view delivery;
};

// The pairs of contract.md 7.3.
LegacyStatus StatusOf(const domain::RestoreJob& job) {
  if (job.cancelled) {
    return {"KILLED", "INTERRUPTED"};
  }
  switch (job.state) {
    case domain::RestoreState::kPending:
      return {"IN_PROGRESS", "NOT_STARTED"};
    case domain::RestoreState::kQueued:
      return {"IN_PROGRESS", "PENDING"};
    case domain::RestoreState::kRunning:
      return {"IN_PROGRESS", "IN_PROGRESS"};
    case domain::RestoreState::kCompleted:
      return {"FINISHED", "READY"};
    case domain::RestoreState::kFailed:
      return {"BROKEN", "FAILED"};
  }
  CheckFailed("every state has a status", __FILE__, __LINE__);
}

// REQUIRES: the job is a download.
const domain::Download& DownloadOf(const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  return *job.download;
}

std::string PathOf(const domain::RestoreJob& job) {
  return ClusterPath(job.project, job.cluster_name) + "/restoreJobs/" + job.id.ToString();
}

void AddDownload(const Call& call, const domain::RestoreJob& job, json::object& delivery) {
  if (!job.cancelled) {
    delivery["statusName"] = DownloadStateName(call.parts.downloads.StateOf(job));
  }
  delivery["authHeader"] = kRestoreKeyHeader;
  delivery["expirationHours"] = DownloadOf(job).expiration_hours;
  delivery["expires"] = FormatInstant(job.expires);
  delivery["maxDownloads"] = DownloadOf(job).max_downloads;
  const DownloadLinks links = LinksOf(call, job);
  delivery["urlV2"] = links.without_key;
  if (MaySeeLinks(call, job)) {
    delivery["authValue"] = links.key;
    delivery["url"] = links.with_key;
  }
}

std::optional<domain::Push> PushOf(const Call& call, const domain::RestoreJob& job) {
  return job.delivery == domain::DeliveryMethod::kPush ? call.parts.pushes.Find(job.id)
                                                       : std::nullopt;
}

json::array HashList(const Call& call,
                     const domain::RestoreJob& job,
                     const std::string& file_name,
                     const std::string& sha1) {
  return {json::object{{"fileName", file_name},
                       {"hash", sha1},
                       {"links", SelfLink(HrefOf(call, PathOf(job)))},
                       {"typeName", "SHA1"}}};
}

// AUTOMATED_RESTORE is asked for and HTTP is answered (contract.md 11, row 10).
json::object RenderDelivery(const Call& call, const domain::RestoreJob& job) {
  json::object delivery;
  delivery["methodName"] = "HTTP";
  delivery["statusName"] = StatusOf(job).delivery;
  if (job.download) {
    AddDownload(call, job, delivery);
  } else if (const auto push = PushOf(call, job)) {
    delivery["methodName"] = push->method;
  } else {
    delivery["targetClusterId"] = job.target_cluster.ToString();
    delivery["targetClusterName"] = job.target_name;
    delivery["targetGroupId"] = job.target_project.ToString();
  }
  return delivery;
}

// Only once somebody has got the whole archive (contract.md 11, row 22), or it has been pushed.
void AddHashes(const Call& call, const domain::RestoreJob& job, json::object& body) {
  if (job.download && DownloadOf(job).complete > 0 && !DownloadOf(job).sha1.empty()) {
    body["hashes"] = HashList(call, job, DownloadOf(job).file_name, DownloadOf(job).sha1);
  }
  const auto push = PushOf(call, job);
  if (push && !push->sha1.empty() && job.state == domain::RestoreState::kCompleted) {
    body["hashes"] = HashList(call, job, push->file_name, push->sha1);
  }
}

// A source without an oplog has no position: the moment the snapshot was finished stands in.
json::object RenderTimestamp(const domain::RestoreJob& job) {
  const bool known = job.position != domain::OplogPosition{};
  const Instant moment =
      known ? Instant(std::chrono::seconds(job.position.seconds)) : job.snapshot_finished;
  return {{"date", FormatInstant(moment)}, {"increment", known ? job.position.increment : 0U}};
}

}  // namespace

// BackupRestoreJob of openapi.json.
json::object RenderLegacyRestore(const Call& call, const domain::RestoreJob& job) {
  json::object body;
  body["clusterId"] = job.cluster.ToString();
  body["clusterName"] = job.cluster_name;
  body["created"] = FormatInstant(job.created);
  body["delivery"] = RenderDelivery(call, job);
  body["encryptionEnabled"] = false;
  body["groupId"] = job.project.ToString();
  AddHashes(call, job, body);
  body["id"] = job.id.ToString();
  body["links"] = SelfLink(HrefOf(call, PathOf(job)));
  if (call.family != Family::kV2) {
    body["pointInTime"] = false;
  }
  body["snapshotId"] = job.snapshot.ToString();
  body["statusName"] = StatusOf(job).job;
  body["timestamp"] = RenderTimestamp(job);
  return body;
}

namespace {

// A batch is what a sharded cluster's restore consists of: nothing has one yet.
Reply ListLegacyRestores(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  for (const auto& [name, value] : http::ParseQuery(call.request.query)) {
    if (name == "batchId" && !ObjectId::Parse(value)) {
      throw InvalidQueryParameter(name);
    }
    if (name == "batchId") {
      return ListReply(call.request, call.query, {}, 0);
    }
  }
  const auto listing = call.parts.restores.List(cluster, call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderLegacyRestore(call, job);
  });
}

Reply GetLegacyRestore(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  const std::string& text = call.path.Get("jobId");
  if (!RestoreJobId::Parse(text)) {
    throw InvalidPathId("INVALID_JOB_ID", text);
  }
  const domain::RestoreJob job =
      FindRestoreJob(call, cluster, text, service::Reason::kRestoreJobNotFound);
  return {200, Shape::kObject, RenderLegacyRestore(call, job)};
}

}  // namespace

std::span<const Route> LegacyRestoreRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/restoreJobs",
            kAtlas,
            kProjectRead,
            "listGroupClusterRestoreJobs",
            ListLegacyRestores,
            kLegacyVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}",
            kAtlas,
            kProjectRead,
            "getGroupClusterRestoreJob",
            GetLegacyRestore,
            kLegacyVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
