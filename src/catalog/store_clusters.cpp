// Registered clusters.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// In the order of MembersOf and of the schema.
constexpr std::string_view kColumns =
    "id, project, name, tier, topology, mongodb_version, replica_set_name, connection_string, "
    "encryption_at_rest, paused, require_quiet, allow_lossy, created, removed";

// For a cluster to be read (const) and one to be written.
template <class Cluster>
auto MembersOf(Cluster& cluster) {
  return std::tie(cluster.id,
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
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kInsertCluster = InsertInto("clusters", kColumns);
const std::string kFindRegistered =
    SelectClusters("FROM clusters WHERE project = ?1 AND name = ?2 AND removed IS NULL");
const std::string kFindCluster = SelectClusters("FROM clusters WHERE id = ?1");
// The index alone skips to the page.
const std::string kListRegistered = SelectClusters(
    "FROM (SELECT id AS listed FROM clusters "
    "WHERE project = ?1 AND removed IS NULL ORDER BY name LIMIT ?2 OFFSET ?3) "
    "JOIN clusters ON id = listed ORDER BY name");

std::int64_t CountRegistered(Session& session, const ProjectId& project) {
  return CountRows(
      session, "SELECT count(*) FROM clusters WHERE project = ?1 AND removed IS NULL", project);
}

// What is being wiped and loaded stays registered, as the server that it is: nobody else is to
// count on it before that has ended.
void RefuseWhileWrittenTo(Session& session, const ClusterId& id, const std::string& doing) {
  if (CountRows(session,
                "SELECT count(*) FROM restores WHERE target_cluster = ?1 AND state < 3",
                id) > 0) {
    throw Error(ErrorCode::kConflict,
                doing + ": a restore into it is unfinished",
                "try again when the restore has finished");
  }
  if (CountRows(session, "SELECT count(*) FROM drills WHERE target = ?1 AND state = 1", id) > 0) {
    throw Error(ErrorCode::kConflict,
                doing + ": a drill is writing to it",
                "take its mark of a scratch target off it: the drill stops");
  }
}

}  // namespace

std::string SelectClusters(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " " + std::string(rest);
}

void RequireRegistered(Session& session, const ClusterId& cluster, const std::string& doing) {
  if (CountRows(session,
                "SELECT count(*) FROM clusters WHERE id = ?1 AND removed IS NULL",
                cluster) == 0) {
    throw Error(ErrorCode::kNotFound, doing + ": it is not registered any more");
  }
}

domain::Cluster ReadCluster(const Query& row) {
  domain::Cluster cluster;
  row.Read(MembersOf(cluster));
  return cluster;
}

void SqliteStore::AddCluster(const domain::Cluster& cluster) {
  OrConflict("cannot register cluster '" + cluster.name + "': its project has one of that name",
             [&] { RunAlone(pool_, kInsertCluster, MembersOf(cluster)); });
}

std::optional<domain::Cluster> SqliteStore::FindCluster(const ProjectId& project,
                                                        std::string_view name) {
  return registered_clusters_.Get(
      pool_.generation(), project.ToString() + "/" + std::string(name), [&] {
        const Reader reader(pool_);
        return FindRow(reader, ReadCluster, kFindRegistered, project, name);
      });
}

std::optional<domain::Cluster> SqliteStore::FindCluster(const ClusterId& id) {
  const Reader reader(pool_);
  return FindRow(reader, ReadCluster, kFindCluster, id);
}

domain::Listing<domain::Cluster> SqliteStore::ListClusters(const ProjectId& project,
                                                           const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Cluster> listing;
  listing.total = CountRegistered(scope, project);
  listing.rows = FindRows(scope, ReadCluster, kListRegistered, project, page.size, page.Offset());
  return listing;
}

std::int64_t SqliteStore::CountClusters(const ProjectId& project) {
  const Reader reader(pool_);
  return CountRegistered(reader, project);
}

bool SqliteStore::RemoveCluster(const ClusterId& id, Instant now) {
  WriteScope scope(pool_);
  RefuseWhileWrittenTo(scope, id, "cannot unregister cluster " + id.ToString());
  const std::int64_t removed =
      Query(scope, "UPDATE clusters SET removed = ?2 WHERE id = ?1 AND removed IS NULL", id, now)
          .Run();
  scope.Commit();
  return removed == 1;
}

bool SqliteStore::UpdateCluster(const ClusterId& id,
                                const ClusterChange& change,
                                std::string_view reason,
                                Instant now) {
  WriteScope scope(pool_);
  if (change.connection_string) {
    RefuseWhileWrittenTo(
        scope, id, "cannot change the connection string of cluster " + id.ToString());
    TakeScratchMark(scope, id, reason, now);
  }
  const std::int64_t updated =
      Query(scope,
            "UPDATE clusters SET connection_string = coalesce(?2, connection_string), "
            "encryption_at_rest = coalesce(?3, encryption_at_rest), paused = coalesce(?4, paused), "
            "require_quiet = coalesce(?5, require_quiet), allow_lossy = coalesce(?6, allow_lossy) "
            "WHERE id = ?1 AND removed IS NULL",
            id,
            change.connection_string,
            change.encryption_at_rest,
            change.paused,
            change.require_quiet,
            change.allow_lossy)
          .Run();
  if (updated == 1) {
    scope.Commit();
  }
  return updated == 1;
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
