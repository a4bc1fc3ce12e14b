#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/access.h"
#include "domain/project.h"

namespace tidemark::catalog {

// What became of a change to a key.
enum class KeyChange {
  kDone,
  kAbsent,     // no such key or secret, or the key is revoked
  kLastOwner,  // nothing changed: the organization would be left without an owner
};

// nullopt: stays as it is.
struct KeyChanges {
  std::optional<std::string> description;
  std::optional<std::vector<domain::Grant>> grants;
  std::optional<std::vector<domain::Network>> access_list;
};

// Organizations, and the life of keys. An organization keeps an owner: an API key that is not
// revoked, or an account with a secret that never expires, with Role::kOrgOwner on it. Every write
// is one transaction. Synchronized; every call blocks briefly.
class KeyBook {
 public:
  virtual ~KeyBook() = default;

  virtual std::int64_t CountOrganizations() = 0;
  // An organization with its first key, an API key. kConflict: the name is taken.
  // kResourceExhausted: there are domain::kMaxOrganizations, of which no two at once are the last.
  virtual void AddOrganization(const domain::Organization& organization,
                               const domain::Key& owner,
                               std::string_view sealed_secret) = 0;

  // A service account with its first secret; `hash`: hex SHA-256 of its value.
  virtual void AddServiceAccount(const domain::Key& account,
                                 const domain::ClientSecret& secret,
                                 std::string_view hash) = 0;
  virtual KeyChange UpdateKey(const KeyId& id, const KeyChanges& changes) = 0;
  virtual KeyChange RevokeKey(const KeyId& id, Instant now) = 0;

  // Secrets of an account that have expired are deleted first. False: it has
  // domain::kMaxClientSecrets.
  virtual bool AddClientSecret(const domain::ClientSecret& secret,
                               std::string_view hash,
                               Instant now) = 0;
  // Expired ones too, oldest first.
  virtual std::vector<domain::ClientSecret> ListClientSecrets(const KeyId& account) = 0;
  // The one with that hash that has not expired.
  virtual std::optional<domain::ClientSecret> FindClientSecret(const KeyId& account,
                                                               std::string_view hash,
                                                               Instant now) = 0;
  // Its tokens die with it.
  virtual KeyChange DeleteClientSecret(const KeyId& account, const ClientSecretId& id) = 0;

  // OAuth tokens, by the SHA-256 (hex) of the token.
  virtual void AddToken(std::string_view token_hash,
                        const domain::ClientSecret& secret,
                        Instant expires) = 0;
  // The key of a token that has not expired or been revoked, and whose key is not revoked.
  virtual std::optional<domain::Key> FindKeyByToken(std::string_view token_hash, Instant now) = 0;
  virtual void RevokeToken(std::string_view token_hash) = 0;
  virtual void DeleteExpiredTokens(Instant now) = 0;
};

}  // namespace tidemark::catalog
