// Restore jobs.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// In the order of MembersOf: what a restore is made with.
constexpr std::string_view kColumns =
    "id, project, cluster, cluster_name, snapshot, snapshot_finished, position_seconds, "
    "position_increment, delivery, target_project, target_cluster, target_name, state, created, "
    "expires, finished, failure, requested_by, scope, target_right, by_collection";

// For a restore to be read (const) and one to be written.
template <class RestoreJob>
auto MembersOf(RestoreJob& restore) {
  return std::tie(restore.id,
                  restore.project,
                  restore.cluster,
                  restore.cluster_name,
                  restore.snapshot,
                  restore.snapshot_finished,
                  restore.position.seconds,
                  restore.position.increment,
                  restore.delivery,
                  restore.target_project,
                  restore.target_cluster,
                  restore.target_name,
                  restore.state,
                  restore.created,
                  restore.expires,
                  restore.finished,
                  restore.failure,
                  restore.requested_by,
                  restore.scope,
                  restore.right,
                  restore.by_collection);
}

// ReadRestore's columns, then `rest`.
std::string SelectRestores(std::string_view rest) {
  return "SELECT " + std::string(kColumns) +
         ", left_alone, replaced, inserted, deleted, notes, cancelled, key_hash, sealed_key, "
         "file_name, expiration_hours, max_downloads, complete, size, sha1 "
         "FROM restores r LEFT JOIN downloads d ON d.restore = r.id " +
         std::string(rest);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kInsertRestore = InsertInto("restores", kColumns);
const std::string kFindRestore = SelectRestores("WHERE r.id = ?1");

// A cluster's restores of one kind: a page of them and how many there are, by the same words.
struct RestoreList {
  explicit RestoreList(const std::string& which)
      : rows(SelectRestores("WHERE cluster = ?1 AND " + which +
                            " ORDER BY created DESC, r.id DESC LIMIT ?2 OFFSET ?3")),
        count("SELECT count(*) FROM restores WHERE cluster = ?1 AND " + which) {}

  const std::string rows;
  const std::string count;
};

const RestoreList kRestores("by_collection = 0");
// Deliveries 0 and 1: into a cluster and as a download.
const RestoreList kWholeRestores("by_collection = 0 AND scope = '' AND delivery < 2");
const RestoreList kByCollection("by_collection = 1");
const RestoreList kButPushes("by_collection = 0 AND delivery <> 5");

domain::RestoreJob ReadRestore(const Query& row) {
  domain::RestoreJob restore;
  std::optional<std::int64_t> left_alone;
  domain::RestoreChanges changes;
  domain::Download download;
  std::optional<std::int64_t> size;
  row.Read(MembersOf(restore),
           left_alone,
           changes.replaced,
           changes.inserted,
           changes.deleted,
           restore.notes,
           restore.cancelled,
           download.key_hash,
           download.sealed_key,
           download.file_name,
           download.expiration_hours,
           download.max_downloads,
           download.complete,
           size,
           download.sha1);
  if (left_alone) {
    changes.left_alone = *left_alone;
    restore.changes = changes;
  }
  if (restore.delivery == domain::DeliveryMethod::kDownload) {
    if (size) {
      download.size = static_cast<std::uint64_t>(*size);
    }
    restore.download = std::move(download);
  }
  return restore;
}

// The index restores_into holds the same rule; asking first tells the two cases apart from any
// other conflict.
void RefuseRival(Session& session, const domain::RestoreJob& restore) {
  const std::int64_t rivals =
      CountRows(session,
                "SELECT count(*) FROM restores WHERE state < 3 "
                "AND (target_cluster = ?1 OR (target_cluster = ?2 AND cluster = ?1))",
                restore.target_cluster,
                restore.cluster);
  if (rivals > 0) {
    throw Error(ErrorCode::kConflict,
                "cannot restore into cluster '" + restore.target_name +
                    "': it takes part in an unfinished restore",
                "start it again when that restore has finished");
  }
}

void StopSnapshotsOf(Session& session,
                     const ClusterId& cluster,
                     std::string_view reason,
                     Instant now) {
  Query(session,
        "UPDATE jobs SET state = 2, owner = '', lease_until = NULL WHERE subject IN "
        "(SELECT id FROM snapshots WHERE cluster = ?1 AND state < 3 "
        "AND id NOT IN (SELECT snapshot FROM imports))",
        cluster)
      .Run();
  Query(session,
        "UPDATE snapshots SET state = 4, failure = ?2, finished = ?3 "
        "WHERE cluster = ?1 AND state < 3 AND id NOT IN (SELECT snapshot FROM imports)",
        cluster,
        reason,
        now)
      .Run();
}

domain::Listing<domain::RestoreJob> ListOf(SessionPool& pool,
                                           const RestoreList& list,
                                           const ClusterId& source,
                                           const domain::Page& page) {
  const ReadScope scope(pool);
  domain::Listing<domain::RestoreJob> listing;
  listing.total = CountRows(scope, list.count, source);
  listing.rows = FindRows(scope, ReadRestore, list.rows, source, page.size, page.Offset());
  return listing;
}

}  // namespace

void InsertRestore(Session& session, const domain::RestoreJob& restore) {
  Query(session, kInsertRestore, MembersOf(restore)).Run();
}

void RequireSnapshot(Session& session, const SnapshotId& id) {
  const std::int64_t found =
      CountRows(session, "SELECT count(*) FROM snapshots WHERE id = ?1 AND deleted IS NULL", id);
  if (found == 0) {
    throw Error(ErrorCode::kNotFound, "cannot restore snapshot " + id.ToString() + ": no such one");
  }
}

void QueueRestore(Session& session,
                  const domain::RestoreJob& restore,
                  const domain::Job& job,
                  std::string_view stopped_reason) {
  RefuseRival(session, restore);
  RequireSnapshot(session, restore.snapshot);
  RequireRegistered(
      session, restore.target_cluster, "cannot restore into cluster '" + restore.target_name + "'");
  InsertRestore(session, restore);
  InsertJob(session, job);
  StopSnapshotsOf(session, restore.target_cluster, stopped_reason, restore.created);
  StopDrillsInto(session, restore.target_cluster, stopped_reason, restore.created);
}

void SqliteStore::AddRestore(const domain::RestoreJob& restore,
                             const domain::Job& job,
                             std::string_view stopped_reason) {
  WriteScope scope(pool_);
  QueueRestore(scope, restore, job, stopped_reason);
  scope.Commit();
}

void SqliteStore::AddDownload(const domain::RestoreJob& restore) {
  WriteScope scope(pool_);
  RequireSnapshot(scope, restore.snapshot);
  InsertRestore(scope, restore);
  InsertDownload(scope, restore);
  scope.Commit();
}

std::optional<domain::RestoreJob> SqliteStore::FindRestore(const RestoreJobId& id) {
  const Reader reader(pool_);
  return FindRow(reader, ReadRestore, kFindRestore, id);
}

domain::Listing<domain::RestoreJob> SqliteStore::ListRestores(const ClusterId& source,
                                                              const domain::Page& page) {
  return ListOf(pool_, kRestores, source, page);
}

domain::Listing<domain::RestoreJob> SqliteStore::ListWholeRestores(const ClusterId& source,
                                                                   const domain::Page& page) {
  return ListOf(pool_, kWholeRestores, source, page);
}

domain::Listing<domain::RestoreJob> SqliteStore::ListCollectionRestores(const ClusterId& source,
                                                                        const domain::Page& page) {
  return ListOf(pool_, kByCollection, source, page);
}

domain::Listing<domain::RestoreJob> SqliteStore::ListRestoresButPushes(const ClusterId& source,
                                                                       const domain::Page& page) {
  return ListOf(pool_, kButPushes, source, page);
}

bool SqliteStore::SaveRestoreChanges(const domain::Lease& lease,
                                     const std::optional<domain::RestoreChanges>& changes,
                                     std::string_view notes) {
  const auto count = [&](std::int64_t domain::RestoreChanges::* member) {
    return changes ? std::optional((*changes).*member) : std::nullopt;
  };
  return RunAlone(pool_,
                  "UPDATE restores SET left_alone = ?3, replaced = ?4, inserted = ?5, "
                  "deleted = ?6, notes = ?7 WHERE id = (SELECT subject FROM jobs "
                  "WHERE id = ?1 AND fence = ?2 AND state = 1)",
                  lease.job,
                  lease.fence,
                  count(&domain::RestoreChanges::left_alone),
                  count(&domain::RestoreChanges::replaced),
                  count(&domain::RestoreChanges::inserted),
                  count(&domain::RestoreChanges::deleted),
                  notes) == 1;
}

bool SqliteStore::HasUnfinishedRestoreInto(const ClusterId& target) {
  const Reader reader(pool_);
  return CountRows(reader,
                   "SELECT count(*) FROM restores WHERE target_cluster = ?1 AND state < 3",
                   target) > 0;
}

}  // namespace tidemark::catalog
