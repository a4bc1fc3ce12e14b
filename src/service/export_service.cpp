#include "service/export_service.h"

#include <algorithm>

#include "exporter/export.h"
#include "exporter/object_keys.h"
#include "objectstore/s3.h"
#include "service/internal/export_queue.h"
#include "service/internal/job_run.h"
#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

[[noreturn]] void RefuseValue(const std::string& member, const std::string& rule) {
  throw Refusal(Reason::kInvalidValue, ErrorCode::kInvalidArgument, rule, {member});
}

[[noreturn]] void RefuseTaken(const std::string& bucket, const Error& error) {
  throw Refusal(Reason::kNameTaken, ErrorCode::kConflict, std::string(error.message()), {bucket});
}

[[noreturn]] void RefuseBucketName(const std::string& bucket, const std::string& why) {
  throw Refusal(Reason::kExportBucketName,
                ErrorCode::kInvalidArgument,
                "adding export bucket " + bucket + ": " + why,
                {bucket, why});
}

[[noreturn]] void RefuseNoBucket(const std::string& id) {
  throw Refusal(Reason::kExportBucketNotFound,
                ErrorCode::kNotFound,
                "finding export bucket " + id + ": there is none",
                {id});
}

[[noreturn]] void RefuseNoTarget(const std::string& id) {
  throw Refusal(Reason::kExportTargetNotFound,
                ErrorCode::kNotFound,
                "finding export target " + id + ": there is none",
                {id});
}

// Printable, without spaces: they go into header lines.
bool IsToken(const std::string& text) {
  return !text.empty() && text.size() <= ExportService::kMaxText &&
         std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

void CheckS3(ExportTargetRegistration& target) {
  try {
    target.endpoint = objectstore::CheckEndpoint(target.endpoint);
  } catch (const Error& error) {
    RefuseValue("endpoint", std::string(error.message()));
  }
  if (target.region.empty()) {
    target.region = "us-east-1";
  }
  if (!IsToken(target.region) || target.region.find('/') != std::string::npos) {
    RefuseValue("region", "is the provider's name of one, such as eu-west-1");
  }
  if (!IsToken(target.access_key) || target.access_key.find_first_of("/,") != std::string::npos) {
    RefuseValue("accessKeyId", "is needed: printable characters without spaces, '/' and ','");
  }
  if (!IsToken(target.secret_key.Reveal())) {
    RefuseValue("secretAccessKey", "is needed: printable characters without spaces");
  }
}

void CheckDirectory(const ExportTargetRegistration& target, const ExportServiceOptions& options) {
  if (!target.endpoint.empty() || !target.region.empty() || !target.access_key.empty() ||
      !target.secret_key.empty()) {
    RefuseValue("kind", "a directory has no endpoint, region or keys");
  }
  if (options.folder.empty()) {
    RefuseValue("kind", "the server's setting export-directory is not set");
  }
}

}  // namespace

domain::ExportTarget ExportService::AddTarget(const ProjectId& project,
                                              const ExportTargetRegistration& registration) {
  ExportTargetRegistration checked = registration;
  if (!objectstore::IsBucketName(checked.bucket)) {
    RefuseValue("bucketName", "has 3 to 63 letters, digits, '.', '_' and '-'");
  }
  if (checked.kind == domain::ExportTargetKind::kS3) {
    CheckS3(checked);
  } else {
    CheckDirectory(checked, options_);
  }
  domain::ExportTarget target;
  target.created = env_.clock.Now();
  target.id = domain::ExportTargetId::Generate(target.created, env_.random);
  target.project = project;
  target.bucket = checked.bucket;
  target.kind = checked.kind;
  target.endpoint = checked.endpoint;
  target.region = checked.region;
  target.access_key = checked.access_key;
  if (!checked.secret_key.empty()) {
    target.sealed_secret = env_.repository.SealSecret(ExportTargetLabel(target.id.ToString()),
                                                      checked.secret_key.Reveal());
  }
  try {
    env_.store.AddExportTarget(target);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kResourceExhausted) {
      RefuseValue("bucketName", std::string(error.message()));
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    RefuseTaken(target.bucket, error);
  }
  env_.log.Info("project={} bucket={}  export target added", project.ToString(), target.bucket);
  return target;
}

std::vector<domain::ExportTarget> ExportService::ListTargets(const ProjectId& project) {
  return env_.store.ListExportTargets(project);
}

domain::ExportTarget ExportService::FindTarget(const ProjectId& project, const std::string& id) {
  const auto parsed = domain::ExportTargetId::Parse(id);
  auto found = parsed ? env_.store.FindExportTarget(project, *parsed) : std::nullopt;
  if (!found) {
    RefuseNoTarget(id);
  }
  return *found;
}

void ExportService::RemoveTarget(const ProjectId& project, const std::string& id) {
  const domain::ExportTarget target = FindTarget(project, id);
  try {
    if (!env_.store.RemoveExportTarget(project, target.id)) {
      RefuseNoTarget(id);
    }
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kExportTargetInUse,
                  ErrorCode::kConflict,
                  std::string(error.message()),
                  {target.bucket});
  }
  env_.log.Info("project={} bucket={}  export target removed", project.ToString(), target.bucket);
}

void ExportService::CheckWritable(const domain::ExportTarget& target) {
  {
    const MutexLock lock(mutex_);
    if (checking_ >= kMaxChecks) {
      throw Error(ErrorCode::kUnavailable, "checking an export bucket: other checks are running");
    }
    ++checking_;
  }

  // Ends the turn however the check ends.
  struct Turn {
    ExportService& service;

    ~Turn() {
      const MutexLock lock(service.mutex_);
      --service.checking_;
    }
  } const turn{*this};

  try {
    exporter::CheckPermission(*Open(target, Patience::kRequest), {});
  } catch (const Error& error) {
    RefuseBucketName(target.bucket, "writing to it failed: " + FailureText(error));
  }
}

domain::ExportBucket ExportService::AddBucket(const ProjectId& project,
                                              const ExportBucketRegistration& registration) {
  const auto target = env_.store.FindExportTarget(project, registration.bucket);
  if (!target) {
    RefuseBucketName(registration.bucket,
                     "the project has no export target of that name (docs/exports.md)");
  }
  CheckWritable(*target);
  domain::ExportBucket bucket;
  bucket.created = env_.clock.Now();
  bucket.id = domain::ExportBucketId::Generate(bucket.created, env_.random);
  bucket.project = project;
  bucket.provider = registration.provider;
  bucket.bucket = registration.bucket;
  bucket.role = registration.role;
  bucket.service_url = registration.service_url;
  bucket.tenant = registration.tenant;
  bucket.region = target->region;
  bucket.require_private_networking = registration.require_private_networking;
  try {
    env_.store.AddExportBucket(bucket);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {  // since we looked
      RefuseBucketName(registration.bucket, "its export target has just been removed");
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    RefuseTaken(bucket.bucket, error);
  }
  env_.log.Info("project={} bucket={}  export bucket added", project.ToString(), bucket.bucket);
  return bucket;
}

domain::Listing<domain::ExportBucket> ExportService::ListBuckets(const ProjectId& project,
                                                                 const domain::Page& page) {
  return env_.store.ListExportBuckets(project, page);
}

domain::ExportBucket ExportService::FindBucket(const ProjectId& project, const std::string& id) {
  const auto parsed = domain::ExportBucketId::Parse(id);
  auto found = parsed ? env_.store.FindExportBucket(project, *parsed) : std::nullopt;
  if (!found) {
    RefuseNoBucket(id);
  }
  return *found;
}

domain::ExportBucket ExportService::UpdateBucket(const ProjectId& project,
                                                 const std::string& id,
                                                 bool require_private_networking) {
  const domain::ExportBucket bucket = FindBucket(project, id);
  if (!env_.store.UpdateExportBucket(project, bucket.id, require_private_networking)) {
    RefuseNoBucket(id);
  }
  return FindBucket(project, id);
}

void ExportService::RemoveBucket(const ProjectId& project, const std::string& id) {
  const domain::ExportBucket bucket = FindBucket(project, id);
  bool removed = false;
  try {
    removed = env_.store.RemoveExportBucket(project, bucket.id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(
        Reason::kExportBucketInUse, ErrorCode::kConflict, std::string(error.message()), {id});
  }
  if (!removed) {
    RefuseNoBucket(id);
  }
  env_.log.Info("project={} bucket={}  export bucket deleted", project.ToString(), bucket.bucket);
}

domain::ExportJob ExportService::Start(const Caller& caller,
                                       const domain::Cluster& cluster,
                                       const ExportBucketRequest& request) {
  const domain::ExportBucket bucket = FindBucket(cluster.project, request.bucket.ToString());
  const auto snapshot = env_.store.FindSnapshot(request.snapshot);
  if (!snapshot || snapshot->cluster != cluster.id || snapshot->deleted) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "exporting snapshot " + request.snapshot.ToString() + ": there is none",
                  {request.snapshot.ToString(), cluster.name});
  }
  if (snapshot->state != domain::SnapshotState::kCompleted) {
    throw Refusal(Reason::kExportIncomplete,
                  ErrorCode::kConflict,
                  "exporting snapshot " + request.snapshot.ToString() + ": it is not completed",
                  {request.snapshot.ToString()});
  }
  const auto project = env_.store.FindProject(cluster.project);
  TIDEMARK_CHECK(project.has_value());
  QueuedExport queued = NewExport(env_, *project, cluster, *snapshot, bucket.id);
  domain::ExportJob& job = queued.job;
  job.custom_data = request.custom_data;
  job.requested_by = caller.key.id;
  try {
    env_.store.AddExport(job, queued.work);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {  // between the checks and here
      RefuseNoBucket(bucket.id.ToString());
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kExportInProgress,
                  ErrorCode::kConflict,
                  std::string(error.message()),
                  {job.snapshot.ToString()});
  }
  env_.log.Info("export={} snapshot={} bucket={} key={}  export queued",
                job.id.ToString(),
                job.snapshot.ToString(),
                bucket.bucket,
                caller.key.public_name);
  env_.wake_runner();
  return job;
}

domain::Listing<domain::ExportJob> ExportService::List(const domain::Cluster& cluster,
                                                       const domain::Page& page) {
  return env_.store.ListExports(cluster.id, page);
}

std::optional<domain::ExportJob> ExportService::Find(const domain::Cluster& cluster,
                                                     const domain::ExportId& id) {
  auto found = env_.store.FindExport(id);
  return found && found->cluster == cluster.id ? found : std::nullopt;
}

void ExportService::Cancel(const domain::Cluster& cluster, const std::string& id) {
  const auto parsed = domain::ExportId::Parse(id);
  const auto job = parsed ? Find(cluster, *parsed) : std::nullopt;
  if (!job) {
    throw Refusal(Reason::kExportNotFound,
                  ErrorCode::kNotFound,
                  "cancelling export " + id + ": there is none",
                  {id, cluster.name});
  }
  if (!env_.store.CancelExport(job->id, env_.clock.Now())) {
    throw Refusal(Reason::kExportFinished,
                  ErrorCode::kConflict,
                  "cancelling export " + id + ": it has finished",
                  {id});
  }
  env_.log.Info("export={} cluster={}  export cancelled", id, cluster.name);
}

std::optional<domain::Job> ExportService::FindJob(const domain::ExportId& id) {
  return env_.store.FindJobBySubject(id.raw());
}

}  // namespace tidemark::service
