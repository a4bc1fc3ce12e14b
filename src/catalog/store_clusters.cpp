// Registered clusters.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

void InsertCluster(SessionPool& pool, const domain::Cluster& cluster) {
  RunAlone(pool,
           "INSERT INTO clusters (id, project, name, tier, topology, mongodb_version, "
           "replica_set_name, connection_string, encryption_at_rest, paused, require_quiet, "
           "allow_lossy, created, removed) "
           "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
           cluster.id,
           cluster.project,
           cluster.name,
           cluster.tier,
           cluster.topology,
           cluster.mongodb_version,
           cluster.replica_set_name,
           Blob{cluster.connection_string.Reveal()},
           cluster.encryption_at_rest,
           cluster.paused,
           cluster.require_quiet,
           cluster.allow_lossy,
           cluster.created,
           cluster.removed);
}

std::int64_t CountRegistered(Session& session, const ProjectId& project) {
  return CountRows(
      session, "SELECT count(*) FROM clusters WHERE project = ?1 AND removed IS NULL", project);
}

}  // namespace

domain::Cluster ReadCluster(const Query& row) {
  domain::Cluster cluster;
  row.Read(cluster.id,
           cluster.project,
           cluster.name,
           cluster.tier,
           cluster.topology,
           cluster.mongodb_version,
           cluster.replica_set_name,
           cluster.connection_string,
           cluster.encryption_at_rest,
           cluster.paused,
           cluster.require_quiet,
           cluster.allow_lossy,
           cluster.created,
           cluster.removed);
  return cluster;
}

void SqliteStore::AddCluster(const domain::Cluster& cluster) {
  OrConflict("cannot register cluster '" + cluster.name + "': its project has one of that name",
             [&] { InsertCluster(pool_, cluster); });
}

std::optional<domain::Cluster> SqliteStore::FindCluster(const ProjectId& project,
                                                        std::string_view name) {
  return registered_clusters_.Get(
      pool_.generation(), project.ToString() + "/" + std::string(name), [&] {
        const Reader reader(pool_);
        return FindRow(reader,
                       ReadCluster,
                       "SELECT id, project, name, tier, topology, mongodb_version, "
                       "replica_set_name, connection_string, encryption_at_rest, paused, "
                       "require_quiet, allow_lossy, created, removed FROM clusters "
                       "WHERE project = ?1 AND name = ?2 AND removed IS NULL",
                       project,
                       name);
      });
}

std::optional<domain::Cluster> SqliteStore::FindCluster(const ClusterId& id) {
  const Reader reader(pool_);
  return FindRow(reader,
                 ReadCluster,
                 "SELECT id, project, name, tier, topology, mongodb_version, replica_set_name, "
                 "connection_string, encryption_at_rest, paused, require_quiet, allow_lossy, "
                 "created, removed FROM clusters WHERE id = ?1",
                 id);
}

domain::Listing<domain::Cluster> SqliteStore::ListClusters(const ProjectId& project,
                                                           const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Cluster> listing;
  listing.total = CountRegistered(scope, project);
  listing.rows =
      FindRows(scope,
               ReadCluster,
               "SELECT id, project, name, tier, topology, mongodb_version, replica_set_name, "
               "connection_string, encryption_at_rest, paused, require_quiet, allow_lossy, "
               "created, removed FROM (SELECT id AS listed FROM clusters "
               "WHERE project = ?1 AND removed IS NULL ORDER BY name LIMIT ?2 OFFSET ?3) "
               "JOIN clusters ON id = listed ORDER BY name",
               project,
               page.size,
               page.Offset());
  return listing;
}

std::int64_t SqliteStore::CountClusters(const ProjectId& project) {
  const Reader reader(pool_);
  return CountRegistered(reader, project);
}

bool SqliteStore::RemoveCluster(const ClusterId& id, Instant now) {
  return RunAlone(pool_,
                  "UPDATE clusters SET removed = ?2 WHERE id = ?1 AND removed IS NULL",
                  id,
                  now) == 1;
}

void SqliteStore::UpdateClusterFacts(const ClusterId& id,
                                     domain::Topology topology,
                                     std::string_view version,
                                     std::string_view replica_set_name) {
  RunAlone(pool_,
           "UPDATE clusters SET topology = ?2, mongodb_version = ?3, replica_set_name = ?4 "
           "WHERE id = ?1",
           id,
           topology,
           version,
           replica_set_name);
}

}  // namespace tidemark::catalog
