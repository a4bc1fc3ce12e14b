// Archives that are pushed to a destination.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {

void SqliteStore::AddPush(const domain::RestoreJob& restore,
                          const domain::Push& push,
                          const domain::Job& job) {
  WriteScope scope(pool_);
  RequireSnapshot(scope, restore.snapshot);
  InsertRestore(scope, restore);
  Query(scope,
        "INSERT INTO pushes (restore, method, file_name, size, sha1) VALUES (?1, ?2, ?3, 0, '')",
        restore.id,
        push.method,
        push.file_name)
      .Run();
  InsertJob(scope, job);
  scope.Commit();
}

std::optional<domain::Push> SqliteStore::FindPush(const RestoreJobId& restore) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    domain::Push push;
    row.Read(push.restore, push.method, push.file_name, push.size, push.sha1);
    return push;
  };
  return FindRow(reader,
                 read,
                 "SELECT restore, method, file_name, size, sha1 FROM pushes WHERE restore = ?1",
                 restore);
}

bool SqliteStore::SavePush(const domain::Lease& lease, const domain::Push& push) {
  return RunAlone(pool_,
                  "UPDATE pushes SET size = ?3, sha1 = ?4 WHERE restore = "
                  "(SELECT subject FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 1)",
                  lease.job,
                  lease.fence,
                  push.size,
                  push.sha1) == 1;
}

}  // namespace tidemark::catalog
