// What is sealed under the master key.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

std::vector<Store::SealedSecret> ReadSecrets(Session& session,
                                             Store::SecretKind kind,
                                             std::string_view sql) {
  const auto read = [kind](const Query& row) {
    Store::SealedSecret secret{.kind = kind, .owner = {}, .sealed = {}};
    row.Read(secret.owner, secret.sealed);
    return secret;
  };
  return FindRows(session, read, sql);
}

}  // namespace

std::int64_t SqliteStore::ResealSecrets(
    const std::function<std::string(const SealedSecret&)>& reseal) {
  WriteScope scope(pool_);
  const std::vector<SealedSecret> keys = ReadSecrets(
      scope, SecretKind::kApiKey, "SELECT public_name, sealed_secret FROM keys WHERE kind = 0");
  const std::vector<SealedSecret> clusters =
      ReadSecrets(scope, SecretKind::kCluster, "SELECT id, connection_string FROM clusters");
  const std::vector<SealedSecret> downloads =
      ReadSecrets(scope, SecretKind::kDownload, "SELECT restore, sealed_key FROM downloads");
  for (const SealedSecret& secret : keys) {
    const std::string sealed = reseal(secret);
    Query(scope,
          "UPDATE keys SET sealed_secret = ?2 WHERE public_name = ?1",
          secret.owner,
          Blob{sealed})
        .Run();
  }
  for (const SealedSecret& secret : clusters) {
    const std::string sealed = reseal(secret);
    Query(scope,
          "UPDATE clusters SET connection_string = ?2 WHERE id = ?1",
          secret.owner,
          Blob{sealed})
        .Run();
  }
  for (const SealedSecret& secret : downloads) {
    const std::string sealed = reseal(secret);
    Query(scope,
          "UPDATE downloads SET sealed_key = ?2 WHERE restore = ?1",
          secret.owner,
          Blob{sealed})
        .Run();
  }
  scope.Commit();
  return static_cast<std::int64_t>(keys.size() + clusters.size() + downloads.size());
}

}  // namespace tidemark::catalog
