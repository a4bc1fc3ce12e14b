// Organizations, projects, keys and tokens.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// A list argument of any length for `IN (SELECT value FROM json_each(?))`: one text for one
// statement.
template <class Id>
std::string JsonArray(const std::vector<Id>& ids) {
  std::string array = "[";
  for (const Id& id : ids) {
    array += (array.size() > 1 ? ",\"" : "\"") + id.ToString() + "\"";
  }
  return array + "]";
}

domain::Project ReadProject(const Query& row) {
  domain::Project project;
  row.Read(project.id, project.organization, project.name, project.created);
  return project;
}

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

void InsertGrants(Session& session, const domain::Key& key) {
  std::int64_t position = 0;
  for (const domain::Grant& grant : key.grants) {
    Query(session,
          "INSERT INTO grants (key, position, role, organization, project) "
          "VALUES (?1, ?2, ?3, ?4, ?5)",
          key.id,
          position++,
          grant.role,
          grant.organization,
          grant.project)
        .Run();
  }
}

std::optional<Store::StoredKey> WithGrants(Session& session,
                                           std::optional<Store::StoredKey> stored) {
  if (stored) {
    stored->key.grants = GrantsOf(session, stored->key.id);
  }
  return stored;
}

}  // namespace

void SqliteStore::AddOrganization(const domain::Organization& organization) {
  OrConflict("cannot add organization " + organization.id.ToString() + ": it exists", [&] {
    RunAlone(pool_,
             "INSERT INTO organizations (id, name) VALUES (?1, ?2)",
             organization.id,
             organization.name);
  });
}

std::optional<domain::Organization> SqliteStore::FindOrganization(const OrganizationId& id) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    domain::Organization organization;
    row.Read(organization.id, organization.name);
    return organization;
  };
  return FindRow(reader, read, "SELECT id, name FROM organizations WHERE id = ?1", id);
}

void SqliteStore::AddProject(const domain::Project& project) {
  OrConflict("cannot add project '" + project.name + "': its organization has one of that name",
             [&] {
               RunAlone(pool_,
                        "INSERT INTO projects (id, organization, name, created) "
                        "VALUES (?1, ?2, ?3, ?4)",
                        project.id,
                        project.organization,
                        project.name,
                        project.created);
             });
}

std::optional<domain::Project> SqliteStore::FindProject(const ProjectId& id) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadProject,
                 "SELECT id, organization, name, created FROM projects "
                 "WHERE id = ?1 AND deleted IS NULL",
                 id);
}

domain::Listing<domain::Project> SqliteStore::ListProjects(
    const std::vector<OrganizationId>& organizations,
    const std::vector<ProjectId>& projects,
    const domain::Page& page) {
  const std::string organization_list = JsonArray(organizations);
  const std::string project_list = JsonArray(projects);
  const ReadScope scope(pool_);
  domain::Listing<domain::Project> listing;
  listing.total = CountRows(scope,
                            "SELECT count(*) FROM projects "
                            "WHERE deleted IS NULL AND "
                            "(organization IN (SELECT value FROM json_each(?1)) "
                            "OR id IN (SELECT value FROM json_each(?2)))",
                            organization_list,
                            project_list);
  listing.rows = FindRows(scope,
                          ReadProject,
                          "SELECT id, organization, name, created FROM projects "
                          "WHERE deleted IS NULL AND "
                          "(organization IN (SELECT value FROM json_each(?1)) "
                          "OR id IN (SELECT value FROM json_each(?2))) "
                          "ORDER BY name, id LIMIT ?3 OFFSET ?4",
                          organization_list,
                          project_list,
                          page.size,
                          page.Offset());
  return listing;
}

void SqliteStore::AddKey(const domain::Key& key, std::string_view sealed_secret) {
  OrConflict("cannot add key '" + key.public_name + "': it exists", [&] {
    WriteScope scope(pool_);
    InsertKey(scope, key, sealed_secret);
    InsertGrants(scope, key);
    scope.Commit();
  });
}

std::optional<Store::StoredKey> SqliteStore::FindKeyByPublicName(std::string_view public_name) {
  const Reader reader(pool_);
  return WithGrants(reader,
                    FindRow(reader,
                            ReadKey,
                            "SELECT id, organization, kind, public_name, description, created, "
                            "revoked, sealed_secret FROM keys WHERE public_name = ?1",
                            public_name));
}

std::optional<Store::StoredKey> SqliteStore::FindKey(const KeyId& id) {
  const Reader reader(pool_);
  return WithGrants(reader,
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
  }
  return listing;
}

bool SqliteStore::RevokeKey(const KeyId& id, Instant now) {
  return RunAlone(
             pool_, "UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL", id, now) == 1;
}

void SqliteStore::AddToken(std::string_view token_hash, const KeyId& key, Instant expires) {
  RunAlone(pool_,
           "INSERT INTO tokens (hash, key, expires) VALUES (?1, ?2, ?3)",
           token_hash,
           key,
           expires);
}

std::optional<domain::Key> SqliteStore::FindKeyByToken(std::string_view token_hash, Instant now) {
  const Reader reader(pool_);
  const std::optional<StoredKey> stored =
      WithGrants(reader,
                 FindRow(reader,
                         ReadKey,
                         "SELECT k.id, k.organization, k.kind, k.public_name, k.description, "
                         "k.created, k.revoked, k.sealed_secret "
                         "FROM tokens t JOIN keys k ON k.id = t.key "
                         "WHERE t.hash = ?1 AND t.expires > ?2 AND k.revoked IS NULL",
                         token_hash,
                         now));
  return stored ? std::optional(stored->key) : std::nullopt;
}

void SqliteStore::RevokeToken(std::string_view token_hash) {
  RunAlone(pool_, "DELETE FROM tokens WHERE hash = ?1", token_hash);
}

void SqliteStore::DeleteExpiredTokens(Instant now) {
  RunAlone(pool_, "DELETE FROM tokens WHERE expires <= ?1", now);
}

}  // namespace tidemark::catalog
