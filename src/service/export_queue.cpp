#include "service/internal/export_queue.h"

#include "base/error.h"
#include "exporter/object_keys.h"

namespace tidemark::service {
namespace {

// "2026-11-25T1000".
std::string MinuteOf(Instant moment) {
  const std::string text = FormatInstant(moment);
  return text.substr(0, 13) + text.substr(14, 2);
}

bool HasNames(Environment& environment, const domain::Cluster& cluster) {
  const auto schedule = environment.store.FindSchedule(cluster.id);
  return schedule && schedule->names_in_export_prefix;
}

// "organization/project", by id or by name.
std::string OwnerOf(Environment& environment,
                    const domain::Project& project,
                    const domain::Cluster& cluster) {
  const auto organization = environment.store.FindOrganization(project.organization);
  if (!organization || !HasNames(environment, cluster)) {
    return project.organization.ToString() + "/" + project.id.ToString();
  }
  return exporter::KeyComponent(organization->name) + "/" + exporter::KeyComponent(project.name);
}

std::string PrefixOf(const std::string& owner, const domain::Snapshot& snapshot, Instant now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return std::string(exporter::kRoot) + "/" + owner + "/" +
         exporter::KeyComponent(snapshot.cluster_name) + "/" +
         MinuteOf(snapshot.started.value_or(snapshot.scheduled)) + "/" + std::to_string(seconds);
}

}  // namespace

QueuedExport NewExport(Environment& environment,
                       const domain::Project& project,
                       const domain::Cluster& cluster,
                       const domain::Snapshot& snapshot,
                       const domain::ExportBucketId& bucket) {
  const Instant now = environment.clock.Now();
  QueuedExport queued;
  domain::ExportJob& job = queued.job;
  job.id = domain::ExportId::Generate(now, environment.random);
  job.project = cluster.project;
  job.cluster = cluster.id;
  job.cluster_name = cluster.name;
  job.replica_set_name = cluster.replica_set_name.empty() ? cluster.name : cluster.replica_set_name;
  job.snapshot = snapshot.id;
  job.bucket = bucket;
  job.prefix = PrefixOf(OwnerOf(environment, project, cluster), snapshot, now);
  job.collections = static_cast<std::int64_t>(snapshot.collections);
  job.created = now;
  queued.work.id = JobId::Generate(now, environment.random);
  queued.work.kind = domain::JobKind::kExport;
  queued.work.subject = job.id.raw();
  queued.work.created = now;
  return queued;
}

bool QueueDueExport(Environment& environment, const catalog::Store::DueExport& due) {
  const auto snapshot = environment.store.FindSnapshot(due.snapshot);
  const auto project = snapshot ? environment.store.FindProject(snapshot->project) : std::nullopt;
  const auto cluster = snapshot ? environment.store.FindCluster(snapshot->cluster) : std::nullopt;
  if (!project || !cluster || snapshot->deleted) {
    return false;  // has just been deleted, and is due no longer
  }
  const QueuedExport queued = NewExport(environment, *project, *cluster, *snapshot, due.bucket);
  try {
    if (!environment.store.AddDueExport(queued.job, queued.work)) {
      return false;
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    return false;  // still due: the next pass tries again
  }
  environment.log.Info("export={} snapshot={} cluster={} bucket={}  scheduled export queued",
                       queued.job.id.ToString(),
                       queued.job.snapshot.ToString(),
                       queued.job.cluster_name,
                       queued.job.bucket.ToString());
  environment.wake_runner();
  return true;
}

}  // namespace tidemark::service
