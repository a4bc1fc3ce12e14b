// Clusters in the selection of one half of the Atlas surface.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// `columns` of the clusters that a list tells of, in SQL that takes: ?1 the project, ?2 whether
// flex clusters or the others (domain::IsFlex, with the flex tier as ?3 and the sharded topology as
// ?4), ?5 the state of the snapshots (completed) for which unregistered ones are kept.
std::string SelectClusters(std::string_view columns, Store::Unregistered unregistered) {
  // Two texts, since only the first one can be answered from the index of registered names.
  const bool with_snapshots = unregistered == Store::Unregistered::kWithSnapshots;
  return "SELECT " + std::string(columns) +
         " FROM clusters WHERE project = ?1 AND (tier = ?3 AND topology <> ?4) = ?2 AND " +
         (with_snapshots ? "(removed IS NULL OR EXISTS (SELECT 1 FROM snapshots "
                           "WHERE cluster = clusters.id AND deleted IS NULL AND state = ?5)) "
                         : "removed IS NULL AND ?5 = ?5 ");
}

}  // namespace

domain::Listing<domain::Cluster> SqliteStore::ListClusters(const ProjectId& project,
                                                           ClusterKind kind,
                                                           Unregistered unregistered,
                                                           const domain::Page& page) {
  const ReadScope scope(pool_);
  const bool flex = kind == ClusterKind::kFlex;
  domain::Listing<domain::Cluster> listing;
  listing.total = CountRows(scope,
                            SelectClusters("count(*)", unregistered),
                            project,
                            flex,
                            domain::Tier::kFlex,
                            domain::Topology::kSharded,
                            domain::SnapshotState::kCompleted);
  listing.rows = FindRows(scope,
                          ReadCluster,
                          SelectClusters("id, project, name, tier, topology, mongodb_version, "
                                         "replica_set_name, connection_string, "
                                         "encryption_at_rest, paused, require_quiet, "
                                         "allow_lossy, created, removed",
                                         unregistered) +
                              "ORDER BY name, id LIMIT ?6 OFFSET ?7",
                          project,
                          flex,
                          domain::Tier::kFlex,
                          domain::Topology::kSharded,
                          domain::SnapshotState::kCompleted,
                          page.size,
                          page.Offset());
  return listing;
}

}  // namespace tidemark::catalog
