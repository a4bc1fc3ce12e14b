// Export targets, export buckets and export jobs.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

domain::ExportTarget ReadTarget(const Query& row) {
  domain::ExportTarget target;
  row.Read(target.id,
           target.project,
           target.bucket,
           target.kind,
           target.endpoint,
           target.region,
           target.access_key,
           target.sealed_secret,
           target.created);
  return target;
}

domain::ExportBucket ReadBucket(const Query& row) {
  domain::ExportBucket bucket;
  row.Read(bucket.id,
           bucket.project,
           bucket.provider,
           bucket.bucket,
           bucket.role,
           bucket.service_url,
           bucket.tenant,
           bucket.region,
           bucket.require_private_networking,
           bucket.created);
  return bucket;
}

domain::ExportJob ReadExport(const Query& row) {
  domain::ExportJob job;
  row.Read(job.id,
           job.project,
           job.cluster,
           job.cluster_name,
           job.replica_set_name,
           job.snapshot,
           job.bucket,
           job.state,
           job.prefix,
           job.custom_data,
           job.collections,
           job.created,
           job.finished,
           job.failure,
           job.requested_by);
  return job;
}

std::string InProject(const ProjectId& project) {
  return " of project " + project.ToString();
}

void RefuseTargetWithoutProject(Session& session, const domain::ExportTarget& target) {
  if (CountRows(session,
                "SELECT count(*) FROM projects WHERE id = ?1 AND deleted IS NULL",
                target.project) == 0) {
    throw Error(
        ErrorCode::kNotFound,
        "adding an export target" + InProject(target.project) + ": there is no such project");
  }
}

}  // namespace

void SqliteStore::AddExportTarget(const domain::ExportTarget& target) {
  WriteScope scope(pool_);
  RefuseTargetWithoutProject(scope, target);
  if (CountRows(scope, "SELECT count(*) FROM export_targets WHERE project = ?1", target.project) >=
      kMaxExportTargets) {
    throw Error(ErrorCode::kResourceExhausted,
                "adding an export target" + InProject(target.project) + ": it has " +
                    std::to_string(kMaxExportTargets),
                "remove one first");
  }
  OrConflict("adding export target " + target.bucket + InProject(target.project) +
                 ": it has one of that bucket",
             [&] {
               Query(scope,
                     "INSERT INTO export_targets (id, project, bucket, kind, endpoint, region, "
                     "access_key, sealed_secret, created) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                     target.id,
                     target.project,
                     target.bucket,
                     target.kind,
                     target.endpoint,
                     target.region,
                     target.access_key,
                     Blob{target.sealed_secret},
                     target.created)
                   .Run();
             });
  scope.Commit();
}

std::optional<domain::ExportTarget> SqliteStore::FindExportTarget(
    const ProjectId& project, const domain::ExportTargetId& id) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadTarget,
                 "SELECT id, project, bucket, kind, endpoint, region, access_key, sealed_secret, "
                 "created FROM export_targets WHERE id = ?2 AND project = ?1",
                 project,
                 id);
}

std::optional<domain::ExportTarget> SqliteStore::FindExportTarget(const ProjectId& project,
                                                                  std::string_view bucket) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadTarget,
                 "SELECT id, project, bucket, kind, endpoint, region, access_key, sealed_secret, "
                 "created FROM export_targets WHERE project = ?1 AND bucket = ?2",
                 project,
                 bucket);
}

std::vector<domain::ExportTarget> SqliteStore::ListExportTargets(const ProjectId& project) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadTarget,
                  "SELECT id, project, bucket, kind, endpoint, region, access_key, sealed_secret, "
                  "created FROM export_targets WHERE project = ?1 ORDER BY bucket",
                  project);
}

bool SqliteStore::RemoveExportTarget(const ProjectId& project, const domain::ExportTargetId& id) {
  WriteScope scope(pool_);
  if (CountRows(scope,
                "SELECT count(*) FROM export_buckets b JOIN export_targets t "
                "ON t.project = b.project AND t.bucket = b.bucket "
                "WHERE t.id = ?2 AND t.project = ?1",
                project,
                id) > 0) {
    throw Error(ErrorCode::kConflict,
                "removing export target " + id.ToString() + ": an export bucket stands for it",
                "delete the export bucket first");
  }
  const std::int64_t removed =
      Query(scope, "DELETE FROM export_targets WHERE id = ?2 AND project = ?1", project, id).Run();
  scope.Commit();
  return removed == 1;
}

void SqliteStore::AddExportBucket(const domain::ExportBucket& bucket) {
  WriteScope scope(pool_);
  if (CountRows(scope,
                "SELECT count(*) FROM export_targets WHERE project = ?1 AND bucket = ?2",
                bucket.project,
                bucket.bucket) == 0) {
    throw Error(ErrorCode::kNotFound,
                "adding export bucket " + bucket.bucket + InProject(bucket.project) +
                    ": no export target has that name");
  }
  OrConflict("adding export bucket " + bucket.bucket + InProject(bucket.project) +
                 ": it has that bucket with that role",
             [&] {
               Query(scope,
                     "INSERT INTO export_buckets (id, project, provider, bucket, role, "
                     "service_url, tenant, region, private_networking, created) "
                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     bucket.id,
                     bucket.project,
                     bucket.provider,
                     bucket.bucket,
                     bucket.role,
                     bucket.service_url,
                     bucket.tenant,
                     bucket.region,
                     bucket.require_private_networking,
                     bucket.created)
                   .Run();
             });
  scope.Commit();
}

std::optional<domain::ExportBucket> SqliteStore::FindExportBucket(
    const ProjectId& project, const domain::ExportBucketId& id) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadBucket,
                 "SELECT id, project, provider, bucket, role, service_url, tenant, region, "
                 "private_networking, created FROM export_buckets WHERE id = ?2 AND project = ?1",
                 project,
                 id);
}

domain::Listing<domain::ExportBucket> SqliteStore::ListExportBuckets(const ProjectId& project,
                                                                     const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::ExportBucket> listing;
  listing.total =
      CountRows(scope, "SELECT count(*) FROM export_buckets WHERE project = ?1", project);
  listing.rows = FindRows(scope,
                          ReadBucket,
                          "SELECT id, project, provider, bucket, role, service_url, tenant, "
                          "region, private_networking, created FROM export_buckets "
                          "WHERE project = ?1 ORDER BY created, id LIMIT ?2 OFFSET ?3",
                          project,
                          page.size,
                          page.Offset());
  return listing;
}

bool SqliteStore::UpdateExportBucket(const ProjectId& project,
                                     const domain::ExportBucketId& id,
                                     bool require_private_networking) {
  return RunAlone(pool_,
                  "UPDATE export_buckets SET private_networking = ?3 "
                  "WHERE id = ?2 AND project = ?1",
                  project,
                  id,
                  require_private_networking) == 1;
}

bool SqliteStore::RemoveExportBucket(const ProjectId& project, const domain::ExportBucketId& id) {
  WriteScope scope(pool_);
  if (CountRows(scope, "SELECT count(*) FROM exports WHERE bucket = ?1 AND state < 3", id) > 0) {
    throw Error(ErrorCode::kConflict,
                "deleting export bucket " + id.ToString() + ": an unfinished export writes to it",
                "delete it when that has finished");
  }
  const std::int64_t removed =
      Query(scope, "DELETE FROM export_buckets WHERE id = ?2 AND project = ?1", project, id).Run();
  scope.Commit();
  return removed == 1;
}

void SqliteStore::AddExport(const domain::ExportJob& job, const domain::Job& work) {
  WriteScope scope(pool_);
  if (CountRows(scope,
                "SELECT (SELECT count(*) FROM snapshots WHERE id = ?1 AND deleted IS NULL) * "
                "(SELECT count(*) FROM export_buckets WHERE id = ?2)",
                job.snapshot,
                job.bucket) == 0) {
    throw Error(ErrorCode::kNotFound,
                "exporting snapshot " + job.snapshot.ToString() + ": it or the bucket is gone");
  }
  OrConflict("exporting snapshot " + job.snapshot.ToString() + ": an export of it is running", [&] {
    Query(scope,
          "INSERT INTO exports (id, project, cluster, cluster_name, replica_set_name, snapshot, "
          "bucket, state, prefix, custom_data, collections, created, finished, failure, "
          "requested_by) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
          job.id,
          job.project,
          job.cluster,
          job.cluster_name,
          job.replica_set_name,
          job.snapshot,
          job.bucket,
          job.state,
          job.prefix,
          job.custom_data,
          job.collections,
          job.created,
          job.finished,
          job.failure,
          job.requested_by)
        .Run();
    InsertJob(scope, work);
  });
  scope.Commit();
}

std::optional<domain::ExportJob> SqliteStore::FindExport(const domain::ExportId& id) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadExport,
                 "SELECT id, project, cluster, cluster_name, replica_set_name, snapshot, bucket, "
                 "state, prefix, custom_data, collections, created, finished, failure, "
                 "requested_by FROM exports WHERE id = ?1",
                 id);
}

domain::Listing<domain::ExportJob> SqliteStore::ListExports(const ClusterId& cluster,
                                                            const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::ExportJob> listing;
  listing.total = CountRows(scope, "SELECT count(*) FROM exports WHERE cluster = ?1", cluster);
  listing.rows = FindRows(scope,
                          ReadExport,
                          "SELECT id, project, cluster, cluster_name, replica_set_name, snapshot, "
                          "bucket, state, prefix, custom_data, collections, created, finished, "
                          "failure, requested_by FROM exports WHERE cluster = ?1 "
                          "ORDER BY created DESC, id DESC LIMIT ?2 OFFSET ?3",
                          cluster,
                          page.size,
                          page.Offset());
  return listing;
}

bool SqliteStore::FinishExport(const domain::Lease& lease,
                               domain::ExportState state,
                               std::string_view failure,
                               Instant now) {
  TIDEMARK_CHECK(domain::IsFinal(state));
  WriteScope scope(pool_);
  const std::optional<ObjectId> subject = FinishJob(scope, lease, domain::JobKind::kExport);
  if (!subject) {
    return false;
  }
  Query(scope,
        "UPDATE exports SET state = ?2, failure = ?3, finished = ?4 WHERE id = ?1 AND state < 3",
        *subject,
        state,
        failure,
        now)
      .Run();
  scope.Commit();
  return true;
}

}  // namespace tidemark::catalog
