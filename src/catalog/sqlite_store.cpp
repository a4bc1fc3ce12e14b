#include "catalog/internal/sqlite_store.h"

#include <algorithm>

namespace tidemark::catalog {

std::string InsertInto(std::string_view table, std::string_view columns) {
  std::string arguments = "?1";
  for (auto i = 1; i <= std::ranges::count(columns, ','); ++i) {
    arguments += ", ?" + std::to_string(i + 1);
  }
  return "INSERT INTO " + std::string(table) + " (" + std::string(columns) + ") VALUES (" +
         arguments + ")";
}

std::unique_ptr<Store> OpenSqliteStore(const SqliteOptions& options) {
  return std::make_unique<SqliteStore>(options);
}

void SqliteStore::Ping() {
  const Reader reader(pool_);
  CountRows(reader, "SELECT count(*) FROM organizations");
}

}  // namespace tidemark::catalog
