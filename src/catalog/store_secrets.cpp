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
  const auto replace = [&](SecretKind kind, std::string_view select, std::string_view update) {
    const std::vector<SealedSecret> secrets = ReadSecrets(scope, kind, select);
    for (const SealedSecret& secret : secrets) {
      const std::string sealed = reseal(secret);
      Query(scope, update, secret.owner, Blob{sealed}).Run();
    }
    return static_cast<std::int64_t>(secrets.size());
  };
  const std::int64_t count =
      replace(SecretKind::kApiKey,
              "SELECT public_name, sealed_secret FROM keys WHERE kind = 0",
              "UPDATE keys SET sealed_secret = ?2 WHERE public_name = ?1") +
      replace(SecretKind::kCluster,
              "SELECT id, connection_string FROM clusters",
              "UPDATE clusters SET connection_string = ?2 WHERE id = ?1") +
      replace(SecretKind::kDownload,
              "SELECT restore, sealed_key FROM downloads",
              "UPDATE downloads SET sealed_key = ?2 WHERE restore = ?1") +
      replace(SecretKind::kChannelUrl,
              "SELECT id, sealed_url FROM channels",
              "UPDATE channels SET sealed_url = ?2 WHERE id = ?1") +
      replace(SecretKind::kChannelSecret,
              "SELECT id, sealed_secret FROM channels WHERE length(sealed_secret) > 0",
              "UPDATE channels SET sealed_secret = ?2 WHERE id = ?1") +
      replace(SecretKind::kExportTarget,
              "SELECT id, sealed_secret FROM export_targets WHERE length(sealed_secret) > 0",
              "UPDATE export_targets SET sealed_secret = ?2 WHERE id = ?1");
  scope.Commit();
  return count;
}

}  // namespace tidemark::catalog
