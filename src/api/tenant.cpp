#include "api/internal/tenant.h"

#include "api/internal/downloads.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

bool ShowsLink(const Call& call, const domain::RestoreJob& job, domain::Permission right) {
  return job.download && call.parts.downloads.StateOf(job) != domain::DownloadState::kExpired &&
         call.parts.access.MayOn(call.caller, job.project, right);
}

}  // namespace

json::object RenderTenantSnapshot(const domain::Snapshot& snapshot) {
  json::object body;
  body["expiration"] = FormatInstant(snapshot.expires);
  if (snapshot.finished) {
    body["finishTime"] = FormatInstant(*snapshot.finished);
  }
  body["id"] = snapshot.id.ToString();
  if (!snapshot.mongodb_version.empty()) {
    body["mongoDBVersion"] = snapshot.mongodb_version;
  }
  body["scheduledTime"] = FormatInstant(snapshot.scheduled);
  if (snapshot.started) {
    body["startTime"] = FormatInstant(*snapshot.started);
  }
  body["status"] = domain::SnapshotStateName(snapshot.state);
  return body;
}

json::object RenderTenantRestore(const Call& call,
                                 const domain::RestoreJob& job,
                                 domain::Permission right) {
  json::object body;
  body["deliveryType"] = job.delivery == domain::DeliveryMethod::kDownload ? "DOWNLOAD" : "RESTORE";
  body["expirationDate"] = FormatInstant(job.expires);
  body["id"] = job.id.ToString();
  body["projectId"] = job.project.ToString();
  if (job.finished) {
    body["restoreFinishedDate"] = FormatInstant(*job.finished);
  }
  body["restoreScheduledDate"] = FormatInstant(job.created);
  body["snapshotFinishedDate"] = FormatInstant(job.snapshot_finished);
  body["snapshotId"] = job.snapshot.ToString();
  if (ShowsLink(call, job, right)) {
    body["snapshotUrl"] = LinksOf(call, job).with_key;
  }
  body["status"] = domain::RestoreStateName(domain::ShownState(job));
  body["targetDeploymentItemName"] = job.target_name;
  body["targetProjectId"] = job.target_project.ToString();
  return body;
}

}  // namespace tidemark::api
