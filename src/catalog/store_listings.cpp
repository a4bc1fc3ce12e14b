// Clusters in the selection of one half of the Atlas surface.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// A session keeps prepared statements by views of their texts, so these live as long as it does.
struct ClusterStatements {
  std::string count;
  std::string page;
};

// `which` takes ?5, the state of a completed snapshot. ?1 is the project, ?2 whether flex clusters
// or the others are wanted (domain::IsFlex), ?3 the flex tier, ?4 the sharded topology, ?6 and ?7
// the page.
ClusterStatements MakeStatements(std::string_view which) {
  const std::string from =
      "FROM clusters WHERE project = ?1 AND (tier = ?3 AND topology <> ?4) = ?2 AND " +
      std::string(which);
  return {"SELECT count(*) " + from,
          SelectClusters(from + " ORDER BY name, id LIMIT ?6 OFFSET ?7")};
}

const ClusterStatements& StatementsFor(Store::Unregistered unregistered) {
  // Two texts, since only the first one can be answered from the index of registered names.
  static const ClusterStatements registered = MakeStatements("removed IS NULL AND ?5 = ?5");
  static const ClusterStatements with_removed = MakeStatements(
      "(removed IS NULL OR EXISTS (SELECT 1 FROM snapshots "
      "WHERE cluster = clusters.id AND deleted IS NULL AND state = ?5))");
  return unregistered == Store::Unregistered::kLeaveOut ? registered : with_removed;
}

}  // namespace

domain::Listing<domain::Cluster> SqliteStore::ListClusters(const ProjectId& project,
                                                           ClusterKind kind,
                                                           Unregistered unregistered,
                                                           const domain::Page& page) {
  const ReadScope scope(pool_);
  const ClusterStatements& statements = StatementsFor(unregistered);
  const bool flex = kind == ClusterKind::kFlex;
  domain::Listing<domain::Cluster> listing;
  listing.total = CountRows(scope,
                            statements.count,
                            project,
                            flex,
                            domain::Tier::kFlex,
                            domain::Topology::kSharded,
                            domain::SnapshotState::kCompleted);
  listing.rows = FindRows(scope,
                          ReadCluster,
                          statements.page,
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
