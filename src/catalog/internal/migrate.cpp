#include "catalog/internal/migrate.h"

#include <string>

namespace tidemark::catalog {
namespace {

std::int64_t SchemaVersion(Session& session) {
  Query query(session, "PRAGMA user_version");
  std::int64_t version = 0;
  if (query.Next()) {
    query.Read(version);
  }
  return version;
}

}  // namespace

void Migrate(Session& session) {
  const std::span<const char* const> migrations = Migrations();
  const auto newest = static_cast<std::int64_t>(migrations.size());
  Transaction transaction(session, TransactionKind::kWrite);
  const std::int64_t version = SchemaVersion(session);
  if (version > newest) {
    throw Error(ErrorCode::kUnsupported,
                "cannot open the catalog: its schema version " + std::to_string(version) +
                    " is newer than this program's " + std::to_string(newest),
                "run the Tidemark version that last used this data directory, or a newer one");
  }
  for (std::int64_t i = version; i < newest; ++i) {
    session.Execute(migrations[static_cast<std::size_t>(i)]);
  }
  session.Execute("PRAGMA user_version = " + std::to_string(newest));
  transaction.Commit();
}

}  // namespace tidemark::catalog
