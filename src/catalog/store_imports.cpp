// Snapshots that come from a dump.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

domain::Import ReadImport(const Query& row) {
  domain::Import import;
  row.Read(import.path, import.format, import.notes);
  return import;
}

}  // namespace

void SqliteStore::AddImportedSnapshot(const domain::Snapshot& snapshot,
                                      const domain::Import& import,
                                      const domain::Job& job) {
  OrConflict("cannot add snapshot " + snapshot.id.ToString() + ": it or its job exists", [&] {
    WriteScope scope(pool_);
    RequireRegistered(scope,
                      snapshot.cluster,
                      "cannot import a snapshot of cluster '" + snapshot.cluster_name + "'");
    InsertSnapshot(scope, snapshot);
    Query(scope,
          "INSERT INTO imports (snapshot, path, format, notes) VALUES (?1, ?2, ?3, ?4)",
          snapshot.id,
          import.path,
          import.format,
          import.notes)
        .Run();
    InsertJob(scope, job);
    scope.Commit();
  });
}

std::optional<domain::Import> SqliteStore::FindImport(const SnapshotId& id) {
  const Reader reader(pool_);
  return FindRow(
      reader, ReadImport, "SELECT path, format, notes FROM imports WHERE snapshot = ?1", id);
}

bool SqliteStore::SaveImport(const domain::Lease& lease, const domain::Import& import) {
  return RunAlone(pool_,
                  "UPDATE imports SET format = ?3, notes = ?4 WHERE snapshot = (SELECT subject "
                  "FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 1)",
                  lease.job,
                  lease.fence,
                  import.format,
                  import.notes) == 1;
}

}  // namespace tidemark::catalog
