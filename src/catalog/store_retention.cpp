// What becomes of snapshots that are no longer wanted.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

Store::DeletedSnapshot ReadDeleted(const Query& row) {
  Store::DeletedSnapshot snapshot;
  row.Read(snapshot.id, snapshot.project, snapshot.cluster_name, snapshot.expires);
  return snapshot;
}

ProjectId ReadProject(const Query& row) {
  ProjectId id;
  row.Read(id);
  return id;
}

SnapshotId ReadSnapshotId(const Query& row) {
  SnapshotId id;
  row.Read(id);
  return id;
}

void MarkGarbage(Session& session, const ProjectId& project) {
  Query(session,
        "INSERT INTO upkeep (project, garbage) VALUES (?1, 1) "
        "ON CONFLICT (project) DO UPDATE SET garbage = 1",
        project)
      .Run();
}

}  // namespace

bool SqliteStore::UpdateRetention(const SnapshotId& id, const RetentionChange& change) {
  return RunAlone(pool_,
                  "UPDATE snapshots SET do_not_delete = coalesce(?2, do_not_delete), "
                  "expires = max(coalesce(?3, expires), coalesce(?4, ?3, expires)), by_hand = 1 "
                  "WHERE id = ?1 AND state >= 3 AND deleted IS NULL",
                  id,
                  change.do_not_delete,
                  change.expires,
                  change.not_before) == 1;
}

// One statement decides and marks, so that nothing comes between. An imported snapshot stands for
// no newer state of its cluster. Delivery 1 is a download: while it is offered (or made) the
// archive is read from the snapshot.
std::vector<Store::DeletedSnapshot> SqliteStore::ExpireSnapshots(Instant now,
                                                                 Instant failed_before,
                                                                 std::int64_t limit) {
  WriteScope scope(pool_);
  auto expired = FindRows(
      scope,
      ReadDeleted,
      "UPDATE snapshots SET deleted = ?1 WHERE id IN (SELECT s.id FROM snapshots s "
      "WHERE s.id IN (SELECT id FROM snapshots "
      "WHERE deleted IS NULL AND state >= 3 AND do_not_delete = 0 AND expires <= ?1 UNION "
      "SELECT id FROM snapshots WHERE deleted IS NULL AND state = 4 AND do_not_delete = 0 "
      "AND finished < ?2) "
      "AND NOT EXISTS (SELECT 1 FROM restores r WHERE r.snapshot = s.id "
      "AND (r.state < 3 OR (r.delivery = 1 AND r.state = 3 AND r.expires > ?1))) "
      "AND NOT EXISTS (SELECT 1 FROM exports e WHERE e.snapshot = s.id AND e.state < 3) "
      "AND NOT EXISTS (SELECT 1 FROM exports_due d WHERE d.snapshot = s.id) "
      "AND (s.state = 4 OR (SELECT count(*) FROM snapshots n WHERE n.cluster = s.cluster "
      "AND n.deleted IS NULL AND n.state = 3 AND (n.scheduled, n.id) > (s.scheduled, s.id) "
      "AND NOT EXISTS (SELECT 1 FROM imports i WHERE i.snapshot = n.id)) >= "
      "coalesce((SELECT keep_last FROM schedules k WHERE k.cluster = s.cluster), 1)) "
      "LIMIT ?3) RETURNING id, project, cluster_name, expires",
      now,
      failed_before,
      limit);
  scope.Commit();
  return expired;
}

std::vector<Store::DeletedSnapshot> SqliteStore::ListSnapshotsToSweep(std::int64_t limit) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadDeleted,
                  "SELECT id, project, cluster_name, expires FROM snapshots "
                  "WHERE deleted IS NOT NULL AND swept IS NULL ORDER BY deleted, id LIMIT ?1",
                  limit);
}

void SqliteStore::MarkSnapshotSwept(const DeletedSnapshot& snapshot, Instant now) {
  WriteScope scope(pool_);
  Query(scope, "UPDATE snapshots SET swept = ?2 WHERE id = ?1", snapshot.id, now).Run();
  MarkGarbage(scope, snapshot.project);
  scope.Commit();
}

std::int64_t SqliteStore::PurgeSnapshots(Instant before, std::int64_t limit) {
  WriteScope scope(pool_);
  const auto forgotten =
      FindRows(scope,
               ReadSnapshotId,
               "DELETE FROM snapshots WHERE id IN (SELECT s.id FROM snapshots s "
               "WHERE s.swept < ?1 AND NOT EXISTS (SELECT 1 FROM restores r "
               "WHERE r.snapshot = s.id) ORDER BY s.swept LIMIT ?2) RETURNING id",
               before,
               limit);
  for (const SnapshotId& id : forgotten) {
    Query(scope, "DELETE FROM jobs WHERE subject = ?1", id).Run();
  }
  scope.Commit();
  return static_cast<std::int64_t>(forgotten.size());
}

std::vector<ProjectId> SqliteStore::ListGarbage(Instant before, std::int64_t limit) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadProject,
                  "SELECT u.project FROM upkeep u JOIN projects p ON p.id = u.project "
                  "WHERE p.deleted IS NULL AND u.garbage = 1 "
                  "AND (u.collected IS NULL OR u.collected <= ?1) ORDER BY u.project LIMIT ?2",
                  before,
                  limit);
}

bool SqliteStore::TakeGarbage(const ProjectId& project, Instant before, Instant now) {
  return RunAlone(pool_,
                  "UPDATE upkeep SET garbage = 0, collected = ?3 WHERE project = ?1 "
                  "AND garbage = 1 AND (collected IS NULL OR collected <= ?2)",
                  project,
                  before,
                  now) == 1;
}

void SqliteStore::AddGarbage(const ProjectId& project) {
  WriteScope scope(pool_);
  MarkGarbage(scope, project);
  scope.Commit();
}

}  // namespace tidemark::catalog
