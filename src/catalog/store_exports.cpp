// Export targets, export buckets and export jobs.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// The current row as a value: the columns are its members, in this order.
template <class Value, auto... kMembers>
Value ReadMembers(const Query& row) {
  Value value;
  row.Read(value.*kMembers...);
  return value;
}

using Target = domain::ExportTarget;
using Bucket = domain::ExportBucket;
using Export = domain::ExportJob;

constexpr auto kReadTarget = ReadMembers<Target,
                                         &Target::id,
                                         &Target::project,
                                         &Target::bucket,
                                         &Target::kind,
                                         &Target::endpoint,
                                         &Target::region,
                                         &Target::access_key,
                                         &Target::sealed_secret,
                                         &Target::created>;
constexpr auto kReadBucket = ReadMembers<Bucket,
                                         &Bucket::id,
                                         &Bucket::project,
                                         &Bucket::provider,
                                         &Bucket::bucket,
                                         &Bucket::role,
                                         &Bucket::service_url,
                                         &Bucket::tenant,
                                         &Bucket::region,
                                         &Bucket::require_private_networking,
                                         &Bucket::created>;
constexpr auto kReadExport = ReadMembers<Export,
                                         &Export::id,
                                         &Export::project,
                                         &Export::cluster,
                                         &Export::cluster_name,
                                         &Export::replica_set_name,
                                         &Export::snapshot,
                                         &Export::bucket,
                                         &Export::state,
                                         &Export::prefix,
                                         &Export::custom_data,
                                         &Export::collections,
                                         &Export::created,
                                         &Export::finished,
                                         &Export::failure,
                                         &Export::requested_by>;

// The columns that they read, of the rows that `which` names.
std::string SelectTargets(std::string_view which) {
  return "SELECT id, project, bucket, kind, endpoint, region, access_key, sealed_secret, created "
         "FROM export_targets " +
         std::string(which);
}

std::string SelectBuckets(std::string_view which) {
  return "SELECT id, project, provider, bucket, role, service_url, tenant, region, "
         "private_networking, created FROM export_buckets " +
         std::string(which);
}

std::string SelectExports(std::string_view which) {
  return "SELECT id, project, cluster, cluster_name, replica_set_name, snapshot, bucket, state, "
         "prefix, custom_data, collections, created, finished, failure, requested_by FROM "
         "exports " +
         std::string(which);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kTargetById = SelectTargets("WHERE id = ?2 AND project = ?1");
const std::string kTargetByBucket = SelectTargets("WHERE project = ?1 AND bucket = ?2");
const std::string kListTargets = SelectTargets("WHERE project = ?1 ORDER BY bucket");
const std::string kFindBucket = SelectBuckets("WHERE id = ?2 AND project = ?1");
const std::string kListBuckets =
    SelectBuckets("WHERE project = ?1 ORDER BY created, id LIMIT ?2 OFFSET ?3");
const std::string kFindExport = SelectExports("WHERE id = ?1");
const std::string kListExports =
    SelectExports("WHERE cluster = ?1 ORDER BY created DESC, id DESC LIMIT ?2 OFFSET ?3");

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

void RefuseBucketInUse(Session& session, const domain::ExportBucketId& id) {
  const std::string doing = "deleting export bucket " + id.ToString() + ": ";
  if (CountRows(session,
                "SELECT (SELECT count(*) FROM exports WHERE bucket = ?1 AND state < 3) + "
                "(SELECT count(*) FROM exports_due WHERE bucket = ?1)",
                id) > 0) {
    throw Error(ErrorCode::kConflict,
                doing + "an unfinished export writes to it",
                "delete it when that has finished");
  }
  if (CountRows(session,
                "SELECT count(*) FROM schedules s JOIN clusters c ON c.id = s.cluster "
                "WHERE s.export_bucket = ?1 AND s.auto_export = 1 AND c.removed IS NULL",
                id) > 0) {
    throw Error(ErrorCode::kConflict,
                doing + "the schedule of a cluster exports to it",
                "turn autoExportEnabled off first");
  }
}

// Exports of one cluster into one bucket share a prefix when their snapshots are of one minute and
// they were asked for in one second: their documents would be mixed. Whoever makes a cancelled one
// (state 5) may still be writing.
void RefusePrefixOfAnother(Session& session, const domain::ExportJob& job) {
  if (CountRows(session,
                "SELECT count(*) FROM exports WHERE cluster = ?1 AND created >= ?2 "
                "AND prefix = ?3 AND (snapshot <> ?4 OR state = 5) AND bucket IN (SELECT id FROM "
                "export_buckets WHERE (project, bucket) = "
                "(SELECT project, bucket FROM export_buckets WHERE id = ?5))",
                job.cluster,
                job.created - std::chrono::seconds{1},
                job.prefix,
                job.snapshot,
                job.bucket) > 0) {
    throw Error(ErrorCode::kConflict,
                "exporting snapshot " + job.snapshot.ToString() +
                    ": another export has just begun under its prefix",
                "try again in a second");
  }
}

// All of AddExport but the commit.
void QueueExport(Session& session, const domain::ExportJob& job, const domain::Job& work) {
  if (CountRows(session,
                "SELECT (SELECT count(*) FROM snapshots WHERE id = ?1 AND deleted IS NULL) * "
                "(SELECT count(*) FROM export_buckets WHERE id = ?2)",
                job.snapshot,
                job.bucket) == 0) {
    throw Error(ErrorCode::kNotFound,
                "exporting snapshot " + job.snapshot.ToString() + ": it or the bucket is gone");
  }
  RefusePrefixOfAnother(session, job);
  OrConflict("exporting snapshot " + job.snapshot.ToString() + ": an export of it is running", [&] {
    Query(session,
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
          job.requested_by.ToString())  // zero is no NULL here
        .Run();
    InsertJob(session, work);
  });
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
  return FindRow(reader, kReadTarget, kTargetById, project, id);
}

std::optional<domain::ExportTarget> SqliteStore::FindExportTarget(const ProjectId& project,
                                                                  std::string_view bucket) {
  const Reader reader(pool_);
  return FindRow(reader, kReadTarget, kTargetByBucket, project, bucket);
}

std::vector<domain::ExportTarget> SqliteStore::ListExportTargets(const ProjectId& project) {
  const Reader reader(pool_);
  return FindRows(reader, kReadTarget, kListTargets, project);
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
  return FindRow(reader, kReadBucket, kFindBucket, project, id);
}

domain::Listing<domain::ExportBucket> SqliteStore::ListExportBuckets(const ProjectId& project,
                                                                     const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::ExportBucket> listing;
  listing.total =
      CountRows(scope, "SELECT count(*) FROM export_buckets WHERE project = ?1", project);
  listing.rows = FindRows(scope, kReadBucket, kListBuckets, project, page.size, page.Offset());
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
  RefuseBucketInUse(scope, id);
  const std::int64_t removed =
      Query(scope, "DELETE FROM export_buckets WHERE id = ?2 AND project = ?1", project, id).Run();
  scope.Commit();
  return removed == 1;
}

void SqliteStore::AddExport(const domain::ExportJob& job, const domain::Job& work) {
  WriteScope scope(pool_);
  QueueExport(scope, job, work);
  scope.Commit();
}

std::vector<ExportCatalog::DueExport> SqliteStore::ListDueExports(const SnapshotId& after,
                                                                  std::int64_t limit) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    DueExport due;
    row.Read(due.snapshot, due.bucket);
    return due;
  };
  return FindRows(reader,
                  read,
                  "SELECT snapshot, bucket FROM exports_due d WHERE snapshot > ?1 AND NOT EXISTS "
                  "(SELECT 1 FROM exports e WHERE e.snapshot = d.snapshot AND e.state < 3) "
                  "ORDER BY snapshot LIMIT ?2",
                  after.ToString(),
                  limit);
}

bool SqliteStore::AddDueExport(const domain::ExportJob& job, const domain::Job& work) {
  WriteScope scope(pool_);
  if (Query(scope, "DELETE FROM exports_due WHERE snapshot = ?1", job.snapshot).Run() == 0) {
    return false;
  }
  QueueExport(scope, job, work);
  scope.Commit();
  return true;
}

std::optional<domain::ExportJob> SqliteStore::FindExport(const domain::ExportId& id) {
  const Reader reader(pool_);
  return FindRow(reader, kReadExport, kFindExport, id);
}

domain::Listing<domain::ExportJob> SqliteStore::ListExports(const ClusterId& cluster,
                                                            const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::ExportJob> listing;
  listing.total = CountRows(scope, "SELECT count(*) FROM exports WHERE cluster = ?1", cluster);
  listing.rows = FindRows(scope, kReadExport, kListExports, cluster, page.size, page.Offset());
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

bool SqliteStore::CancelExport(const domain::ExportId& id, Instant now) {
  WriteScope scope(pool_);
  const std::int64_t cancelled =
      Query(scope,
            "UPDATE exports SET state = ?2, finished = ?3 WHERE id = ?1 AND state < 3",
            id,
            domain::ExportState::kCancelled,
            now)
          .Run();
  Query(
      scope,
      "UPDATE jobs SET state = 2, owner = '', lease_until = NULL WHERE subject = ?1 AND state < 2",
      id)
      .Run();
  scope.Commit();
  return cancelled == 1;
}

}  // namespace tidemark::catalog
