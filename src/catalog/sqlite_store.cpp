#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {

std::unique_ptr<Store> OpenSqliteStore(const SqliteOptions& options) {
  return std::make_unique<SqliteStore>(options);
}

void SqliteStore::Ping() {
  const Reader reader(pool_);
  CountRows(reader, "SELECT count(*) FROM organizations");
}

}  // namespace tidemark::catalog
