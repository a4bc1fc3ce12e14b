#include <algorithm>

#include "service/refusal.h"
#include "service/snapshot_service.h"

namespace tidemark::service {

SnapshotContents SnapshotService::ListContents(const domain::Cluster& cluster,
                                               const SnapshotId& id) {
  const auto snapshot = Find(cluster, id);
  if (!snapshot || snapshot->state != domain::SnapshotState::kCompleted) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "listing snapshot " + id.ToString() + ": there is no finished one",
                  {id.ToString(), cluster.name});
  }
  const repo::Manifest manifest = env_.repository.LoadManifest(cluster.project, id);
  SnapshotContents contents;
  for (const std::string& database : manifest.empty_databases) {
    contents[database];
  }
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    contents[entry.database].push_back(entry.collection);
  }
  for (auto& [database, collections] : contents) {
    std::ranges::sort(collections);
  }
  return contents;
}

}  // namespace tidemark::service
