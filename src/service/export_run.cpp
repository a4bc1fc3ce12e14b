// Export jobs at work.
#include "exporter/export.h"
#include "notify/address.h"
#include "objectstore/s3.h"
#include "service/export_service.h"
#include "service/internal/job_run.h"
#include "service/internal/labels.h"

namespace tidemark::service {

std::unique_ptr<objectstore::Bucket> ExportService::Open(const domain::ExportTarget& target,
                                                         Patience patience) {
  if (target.kind == domain::ExportTargetKind::kDirectory) {
    if (options_.folder.empty()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          "opening bucket " + target.bucket + ": the server's setting export-directory is not set");
    }
    return objectstore::OpenDirectoryBucket(
        options_.folder, std::filesystem::path(target.project.ToString()) / target.bucket);
  }
  objectstore::S3Address address;
  address.endpoint = target.endpoint;
  address.region = target.region;
  address.bucket = target.bucket;
  address.access_key = target.access_key;
  address.secret_key = Secret(
      env_.repository.OpenSecret(ExportTargetLabel(target.id.ToString()), target.sealed_secret));
  objectstore::S3Options options;
  options.may_connect = [loopback = options_.loopback](const sockaddr& to) {
    return notify::IsAllowedAddress(
        to, loopback ? notify::Loopback::kAllow : notify::Loopback::kRefuse);
  };
  if (patience == Patience::kRequest) {  // somebody waits for the answer
    options.attempts = 2;
    options.connect_timeout = std::chrono::milliseconds(4000);
    options.stalled = std::chrono::seconds(5);
  }
  return objectstore::OpenS3Bucket(std::move(address), std::move(options), env_.clock, env_.log);
}

void ExportService::ExportNow(const domain::ExportJob& job, const jobs::JobContext& context) {
  // The right may have been lost while the job waited. A schedule keeps what it was told.
  const auto key = job.IsScheduled() ? std::nullopt : env_.store.FindKey(job.requested_by);
  const bool may = key && !key->key.revoked &&
                   access_.MayOn({key->key}, job.project, domain::Permission::kExportCreate);
  if (!may && !job.IsScheduled()) {
    throw Error(ErrorCode::kPermissionDenied,
                "exporting snapshot " + job.snapshot.ToString() +
                    ": the key that asked for it has lost the right to");
  }
  const auto bucket = env_.store.FindExportBucket(job.project, job.bucket);
  const auto target =
      bucket ? env_.store.FindExportTarget(job.project, bucket->bucket) : std::nullopt;
  const auto project = env_.store.FindProject(job.project);
  if (!target || !project) {
    throw Error(ErrorCode::kNotFound,
                "exporting snapshot " + job.snapshot.ToString() + ": its bucket is gone");
  }
  const auto snapshot = env_.store.FindSnapshot(job.snapshot);
  const auto organization = env_.store.FindOrganization(project->organization);
  exporter::ExportOptions options;
  options.prefix = job.prefix;
  options.shard_name = job.replica_set_name;
  options.facts = {
      .organization_id = project->organization.ToString(),
      .organization_name = organization ? organization->name : std::string(),
      .project_id = project->id.ToString(),
      .project_name = project->name,
      .cluster_id = job.cluster.ToString(),
      .cluster_name = job.cluster_name,
      .snapshot_time = snapshot ? snapshot->started.value_or(snapshot->scheduled) : job.created,
      .custom_data = job.custom_data,
  };
  const auto opened = Open(*target, Patience::kJob);
  const repo::Manifest manifest = env_.repository.LoadManifest(job.project, job.snapshot);
  const auto reader = env_.repository.NewReader(job.project);
  const exporter::ExportSummary summary = exporter::RunExport(
      manifest, *reader, *opened, options, MakeRunContext(context, env_.clock, env_.log));
  env_.log.Info("export={} bucket={} files={} documents={} bytes={}  export read back",
                job.id.ToString(),
                bucket->bucket,
                summary.files,
                summary.documents,
                summary.bytes);
}

void ExportService::Run(const jobs::JobContext& context) {
  const auto job = env_.store.FindExport(domain::ExportId(context.job.subject));
  TIDEMARK_CHECK(job.has_value());
  domain::ExportState state = domain::ExportState::kSuccessful;
  std::string failure;
  try {
    ExportNow(*job, context);
  } catch (const Error& error) {
    if (context.stop.stop_requested()) {
      throw;  // handed back, or no longer ours: whoever has the lease goes on from the checkpoint
    }
    state = domain::ExportState::kFailed;
    failure = FailureText(error);
  }
  if (!env_.store.FinishExport(context.lease, state, failure, env_.clock.Now())) {
    env_.log.Warn("export={}  finished without its lease: the result is dropped",
                  job->id.ToString());
    return;
  }
  if (state == domain::ExportState::kFailed) {
    env_.log.Error(
        "export={} cluster={}  export failed: {}", job->id.ToString(), job->cluster_name, failure);
  } else {
    env_.log.Info("export={} cluster={}  export completed", job->id.ToString(), job->cluster_name);
  }
}

}  // namespace tidemark::service
