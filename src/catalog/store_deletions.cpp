// Deleting projects.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

[[noreturn]] void RefuseDeletion(const ProjectId& id, std::string_view why, std::string hint) {
  throw Error(ErrorCode::kConflict,
              "cannot delete project " + id.ToString() + ": " + std::string(why),
              std::move(hint));
}

void RefuseWhileInUse(Session& session, const ProjectId& id) {
  if (CountRows(session,
                "SELECT count(*) FROM clusters WHERE project = ?1 AND removed IS NULL",
                id) > 0) {
    RefuseDeletion(id, "clusters are registered in it", "unregister them first");
  }
  if (CountRows(session,
                "SELECT (SELECT count(*) FROM snapshots WHERE project = ?1 AND state < 3) + "
                "(SELECT count(*) FROM restores "
                "WHERE (project = ?1 OR target_project = ?1) AND state < 3) + "
                "(SELECT count(*) FROM exports WHERE project = ?1 AND state < 3)",
                id) > 0) {
    RefuseDeletion(id, "it has unfinished jobs", "delete it when they have finished");
  }
  if (CountRows(session,
                "SELECT count(*) FROM download_runs d JOIN restores r ON r.id = d.restore "
                "WHERE d.open > 0 AND r.project = ?1",
                id) > 0) {
    RefuseDeletion(id, "an archive is being downloaded", "delete it when that has ended");
  }
}

bool MarkDeleted(Session& session, const ProjectId& id, Instant now) {
  return Query(session,
               "UPDATE projects SET deleted = ?2, name = name || ' (deleted ' || id || ')' "
               "WHERE id = ?1 AND deleted IS NULL",
               id,
               now)
             .Run() == 1;
}

// Swept, too: without the project's key there is nothing to sweep.
std::int64_t MarkSnapshotsDeleted(Session& session, const ProjectId& id, Instant now) {
  return Query(session,
               "UPDATE snapshots SET deleted = ?2, swept = ?2 "
               "WHERE project = ?1 AND deleted IS NULL",
               id,
               now)
      .Run();
}

void EndDownloadsOf(Session& session, const ProjectId& id, Instant now) {
  Query(session,
        "UPDATE restores SET expires = ?2 WHERE project = ?1 AND delivery = 1 AND expires > ?2",
        id,
        now)
      .Run();
}

std::int64_t RevokeKeysOf(Session& session, const ProjectId& id, Instant now) {
  return Query(session,
               "UPDATE keys SET revoked = ?2 WHERE revoked IS NULL "
               "AND id IN (SELECT key FROM grants WHERE project = ?1) "
               "AND id NOT IN (SELECT key FROM grants WHERE project IS NULL OR project <> ?1)",
               id,
               now)
      .Run();
}

}  // namespace

std::optional<Store::DeletedProject> SqliteStore::DeleteProject(const ProjectId& id, Instant now) {
  WriteScope scope(pool_);
  RefuseWhileInUse(scope, id);
  if (!MarkDeleted(scope, id, now)) {
    return std::nullopt;
  }
  DeletedProject deleted;
  deleted.snapshots = MarkSnapshotsDeleted(scope, id, now);
  EndDownloadsOf(scope, id, now);
  deleted.keys = RevokeKeysOf(scope, id, now);
  scope.Commit();
  return deleted;
}

std::vector<ProjectId> SqliteStore::ListProjectsToShred() {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    ProjectId id;
    row.Read(id);
    return id;
  };
  return FindRows(reader,
                  read,
                  "SELECT id FROM projects WHERE deleted IS NOT NULL AND shredded IS NULL "
                  "ORDER BY id");
}

void SqliteStore::MarkProjectShredded(const ProjectId& id, Instant now) {
  RunAlone(
      pool_, "UPDATE projects SET shredded = ?2 WHERE id = ?1 AND deleted IS NOT NULL", id, now);
}

}  // namespace tidemark::catalog
