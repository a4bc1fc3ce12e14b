// Keys, secrets of service accounts and tokens.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

Store::StoredKey ReadKey(const Query& row) {
  Store::StoredKey stored;
  domain::Key& key = stored.key;
  row.Read(key.id,
           key.organization,
           key.kind,
           key.public_name,
           key.description,
           key.created,
           key.revoked,
           stored.sealed_secret);
  return stored;
}

domain::Grant ReadGrant(const Query& row) {
  domain::Grant grant;
  row.Read(grant.role, grant.organization, grant.project);
  return grant;
}

std::vector<domain::Grant> GrantsOf(Session& session, const KeyId& key) {
  return FindRows(session,
                  ReadGrant,
                  "SELECT role, organization, project FROM grants WHERE key = ?1 ORDER BY position",
                  key);
}

// What is in the list was checked when it was made.
std::vector<domain::Network> AccessListOf(Session& session, const KeyId& key) {
  const auto read = [](const Query& row) {
    std::string text;
    row.Read(text);
    const auto network = domain::Network::Parse(text);
    if (!network) {
      throw Error(ErrorCode::kCorrupt, "catalog row is damaged: '" + text + "' is no CIDR block");
    }
    return *network;
  };
  return FindRows(
      session, read, "SELECT block FROM access_list WHERE key = ?1 ORDER BY position", key);
}

domain::ClientSecret ReadSecret(const Query& row) {
  domain::ClientSecret secret;
  row.Read(secret.id, secret.account, secret.ending, secret.created, secret.expires);
  return secret;
}

void InsertKey(Session& session, const domain::Key& key, std::string_view sealed_secret) {
  Query(session,
        "INSERT INTO keys (id, organization, kind, public_name, description, sealed_secret, "
        "created, revoked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        key.id,
        key.organization,
        key.kind,
        key.public_name,
        key.description,
        Blob{sealed_secret},
        key.created,
        key.revoked)
      .Run();
}

void InsertGrants(Session& session, const KeyId& key, const std::vector<domain::Grant>& grants) {
  std::int64_t position = 0;
  for (const domain::Grant& grant : grants) {
    Query(session,
          "INSERT INTO grants (key, position, role, organization, project) "
          "VALUES (?1, ?2, ?3, ?4, ?5)",
          key,
          position++,
          grant.role,
          grant.organization,
          grant.project)
        .Run();
  }
}

void InsertAccessList(Session& session,
                      const KeyId& key,
                      const std::vector<domain::Network>& access_list) {
  std::int64_t position = 0;
  for (const domain::Network& network : access_list) {
    Query(session,
          "INSERT INTO access_list (key, position, block) VALUES (?1, ?2, ?3)",
          key,
          position++,
          network.ToString())
        .Run();
  }
}

void InsertParts(Session& session, const domain::Key& key) {
  InsertGrants(session, key.id, key.grants);
  InsertAccessList(session, key.id, key.access_list);
}

void InsertSecret(Session& session, const domain::ClientSecret& secret, std::string_view hash) {
  Query(session,
        "INSERT INTO client_secrets (id, key, hash, ending, created, expires) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        secret.id,
        secret.account,
        hash,
        secret.ending,
        secret.created,
        secret.expires)
      .Run();
}

std::optional<Store::StoredKey> WithParts(Session& session,
                                          std::optional<Store::StoredKey> stored) {
  if (stored) {
    stored->key.grants = GrantsOf(session, stored->key.id);
    stored->key.access_list = AccessListOf(session, stored->key.id);
  }
  return stored;
}

// catalog/key_book.h says what an owner is.
bool HasOwner(Session& session, const OrganizationId& organization) {
  return CountRows(session,
                   "SELECT count(*) FROM keys k WHERE k.organization = ?1 AND k.revoked IS NULL "
                   "AND EXISTS (SELECT 1 FROM grants g WHERE g.key = k.id AND g.role = 0 "
                   "AND g.organization = ?1) AND (k.kind = 0 OR EXISTS (SELECT 1 FROM "
                   "client_secrets s WHERE s.key = k.id AND s.expires IS NULL))",
                   organization) > 0;
}

std::optional<OrganizationId> OrganizationOfValidKey(Session& session, const KeyId& id) {
  const auto read = [](const Query& row) {
    OrganizationId organization;
    row.Read(organization);
    return organization;
  };
  return FindRow(
      session, read, "SELECT organization FROM keys WHERE id = ?1 AND revoked IS NULL", id);
}

// Changes a key that is not revoked, and takes it back when that left its organization without an
// owner; one that had none before (an old catalog) may be changed. `change` says whether there was
// anything to change.
template <class Change>
KeyChange ChangeKey(SessionPool& pool, const KeyId& id, const Change& change) {
  WriteScope scope(pool);
  const auto organization = OrganizationOfValidKey(scope, id);
  if (!organization) {
    return KeyChange::kAbsent;
  }
  const bool owned = HasOwner(scope, *organization);
  if (!change(scope)) {
    return KeyChange::kAbsent;
  }
  if (owned && !HasOwner(scope, *organization)) {
    return KeyChange::kLastOwner;
  }
  scope.Commit();
  return KeyChange::kDone;
}

Instant ExpiryOf(Session& session, std::string_view token_hash) {
  return FromMicros(CountRows(session, "SELECT expires FROM tokens WHERE hash = ?1", token_hash));
}

}  // namespace

void SqliteStore::AddKey(const domain::Key& key, std::string_view sealed_secret) {
  OrConflict("cannot add key '" + key.public_name + "': it exists", [&] {
    WriteScope scope(pool_);
    InsertKey(scope, key, sealed_secret);
    InsertParts(scope, key);
    scope.Commit();
  });
}

std::optional<Store::StoredKey> SqliteStore::FindKeyByPublicName(std::string_view public_name) {
  return keys_.Get(pool_.generation(), public_name, [&] {
    const Reader reader(pool_);
    return WithParts(reader,
                     FindRow(reader,
                             ReadKey,
                             "SELECT id, organization, kind, public_name, description, created, "
                             "revoked, sealed_secret FROM keys WHERE public_name = ?1",
                             public_name));
  });
}

std::optional<Store::StoredKey> SqliteStore::FindKey(const KeyId& id) {
  const Reader reader(pool_);
  return WithParts(reader,
                   FindRow(reader,
                           ReadKey,
                           "SELECT id, organization, kind, public_name, description, created, "
                           "revoked, sealed_secret FROM keys WHERE id = ?1",
                           id));
}

domain::Listing<domain::Key> SqliteStore::ListKeys(const OrganizationId& organization,
                                                   const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Key> listing;
  listing.total =
      CountRows(scope, "SELECT count(*) FROM keys WHERE organization = ?1", organization);
  const std::vector<StoredKey> stored =
      FindRows(scope,
               ReadKey,
               "SELECT id, organization, kind, public_name, description, created, revoked, "
               "sealed_secret FROM keys WHERE organization = ?1 "
               "ORDER BY created, id LIMIT ?2 OFFSET ?3",
               organization,
               page.size,
               page.Offset());
  for (const StoredKey& row : stored) {
    listing.rows.push_back(row.key);
    listing.rows.back().grants = GrantsOf(scope, row.key.id);
    listing.rows.back().access_list = AccessListOf(scope, row.key.id);
  }
  return listing;
}

std::int64_t SqliteStore::CountOrganizations() {
  const Reader reader(pool_);
  return CountRows(reader, "SELECT count(*) FROM organizations");
}

void SqliteStore::AddOrganization(const domain::Organization& organization,
                                  const domain::Key& owner,
                                  std::string_view sealed_secret) {
  OrConflict("cannot add organization '" + organization.name + "': there is one of that name", [&] {
    WriteScope scope(pool_);
    if (CountRows(scope, "SELECT count(*) FROM organizations") >=
        static_cast<std::int64_t>(domain::kMaxOrganizations)) {
      throw Error(ErrorCode::kResourceExhausted,
                  "cannot add organization '" + organization.name + "': there are " +
                      std::to_string(domain::kMaxOrganizations));
    }
    Query(scope,
          "INSERT INTO organizations (id, name) VALUES (?1, ?2)",
          organization.id,
          organization.name)
        .Run();
    InsertKey(scope, owner, sealed_secret);
    InsertParts(scope, owner);
    scope.Commit();
  });
}

void SqliteStore::AddServiceAccount(const domain::Key& account,
                                    const domain::ClientSecret& secret,
                                    std::string_view hash) {
  OrConflict("cannot add service account '" + account.public_name + "': it exists", [&] {
    WriteScope scope(pool_);
    InsertKey(scope, account, {});
    InsertParts(scope, account);
    InsertSecret(scope, secret, hash);
    scope.Commit();
  });
}

KeyChange SqliteStore::UpdateKey(const KeyId& id, const KeyChanges& changes) {
  return ChangeKey(pool_, id, [&](Session& session) {
    if (changes.description) {
      Query(session, "UPDATE keys SET description = ?2 WHERE id = ?1", id, *changes.description)
          .Run();
    }
    if (changes.grants) {
      Query(session, "DELETE FROM grants WHERE key = ?1", id).Run();
      InsertGrants(session, id, *changes.grants);
    }
    if (changes.access_list) {
      Query(session, "DELETE FROM access_list WHERE key = ?1", id).Run();
      InsertAccessList(session, id, *changes.access_list);
    }
    return true;
  });
}

KeyChange SqliteStore::RevokeKey(const KeyId& id, Instant now) {
  return ChangeKey(pool_, id, [&](Session& session) {
    Query(session, "DELETE FROM tokens WHERE key = ?1", id).Run();
    return Query(session, "UPDATE keys SET revoked = ?2 WHERE id = ?1", id, now).Run() == 1;
  });
}

bool SqliteStore::AddClientSecret(const domain::ClientSecret& secret,
                                  std::string_view hash,
                                  Instant now) {
  WriteScope scope(pool_);
  Query(scope,
        "DELETE FROM tokens WHERE secret IN "
        "(SELECT id FROM client_secrets WHERE key = ?1 AND expires <= ?2)",
        secret.account,
        now)
      .Run();
  Query(scope, "DELETE FROM client_secrets WHERE key = ?1 AND expires <= ?2", secret.account, now)
      .Run();
  const std::int64_t present =
      CountRows(scope, "SELECT count(*) FROM client_secrets WHERE key = ?1", secret.account);
  if (present >= static_cast<std::int64_t>(domain::kMaxClientSecrets)) {
    return false;
  }
  InsertSecret(scope, secret, hash);
  scope.Commit();
  return true;
}

std::vector<domain::ClientSecret> SqliteStore::ListClientSecrets(const KeyId& account) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadSecret,
                  "SELECT id, key, ending, created, expires FROM client_secrets "
                  "WHERE key = ?1 ORDER BY created, id",
                  account);
}

std::optional<domain::ClientSecret> SqliteStore::FindClientSecret(const KeyId& account,
                                                                  std::string_view hash,
                                                                  Instant now) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadSecret,
                 "SELECT id, key, ending, created, expires FROM client_secrets "
                 "WHERE key = ?1 AND hash = ?2 AND (expires IS NULL OR expires > ?3)",
                 account,
                 hash,
                 now);
}

KeyChange SqliteStore::DeleteClientSecret(const KeyId& account, const ClientSecretId& id) {
  return ChangeKey(pool_, account, [&](Session& session) {
    Query(session,
          "DELETE FROM tokens WHERE secret = (SELECT id FROM client_secrets "
          "WHERE id = ?1 AND key = ?2)",
          id,
          account)
        .Run();
    return Query(session, "DELETE FROM client_secrets WHERE id = ?1 AND key = ?2", id, account)
               .Run() == 1;
  });
}

void SqliteStore::AddToken(std::string_view token_hash,
                           const domain::ClientSecret& secret,
                           Instant expires) {
  RunAlone(pool_,
           "INSERT INTO tokens (hash, key, secret, expires) VALUES (?1, ?2, ?3, ?4)",
           token_hash,
           secret.account,
           secret.id,
           expires);
}

std::optional<domain::Key> SqliteStore::FindKeyByToken(std::string_view token_hash, Instant now) {
  const auto owner = token_owners_.Get(pool_.generation(), token_hash, [&] {
    const ReadScope scope(pool_);
    std::optional<TokenOwner> found;
    const auto stored =
        WithParts(scope,
                  FindRow(scope,
                          ReadKey,
                          "SELECT k.id, k.organization, k.kind, k.public_name, k.description, "
                          "k.created, k.revoked, k.sealed_secret "
                          "FROM tokens t JOIN keys k ON k.id = t.key "
                          "WHERE t.hash = ?1 AND k.revoked IS NULL",
                          token_hash));
    if (stored) {
      found = TokenOwner{stored->key, ExpiryOf(scope, token_hash)};
    }
    return found;
  });
  return owner && owner->expires > now ? std::optional(owner->key) : std::nullopt;
}

void SqliteStore::RevokeToken(std::string_view token_hash) {
  RunAlone(pool_, "DELETE FROM tokens WHERE hash = ?1", token_hash);
}

void SqliteStore::DeleteExpiredTokens(Instant now) {
  RunAlone(pool_, "DELETE FROM tokens WHERE expires <= ?1", now);
}

}  // namespace tidemark::catalog
