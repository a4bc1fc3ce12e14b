#include "service/master_key.h"

#include "base/error.h"
#include "base/secret.h"
#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

using catalog::Store;

std::string LabelOf(const Store::SealedSecret& secret) {
  switch (secret.kind) {
    case Store::SecretKind::kApiKey:
      return Ha1Label(secret.owner);
    case Store::SecretKind::kCluster:
      return UriLabel(secret.owner);
    case Store::SecretKind::kDownload:
      return DownloadKeyLabel(secret.owner);
    case Store::SecretKind::kChannelUrl:
      return ChannelUrlLabel(secret.owner);
    case Store::SecretKind::kChannelSecret:
      return ChannelSecretLabel(secret.owner);
    case Store::SecretKind::kExportTarget:
      return ExportTargetLabel(secret.owner);
  }
  CheckFailed("every kind has a label", __FILE__, __LINE__);
}

bool Opens(const repo::MasterKey& key, std::string_view label, std::string_view sealed) {
  try {
    repo::OpenSecret(key, label, sealed);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) {
      throw;
    }
    return false;
  }
}

}  // namespace

std::int64_t ResealSecrets(catalog::Store& store,
                           const repo::MasterKey& current,
                           const repo::MasterKey& next,
                           RandomSource& random) {
  return store.ResealSecrets([&](const Store::SealedSecret& secret) {
    const std::string label = LabelOf(secret);
    if (Opens(next, label, secret.sealed)) {
      return secret.sealed;
    }
    const Secret text(repo::OpenSecret(current, label, secret.sealed));
    return repo::SealSecret(next, label, text.Reveal(), random);
  });
}

}  // namespace tidemark::service
