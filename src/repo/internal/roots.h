#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "repo/internal/project.h"

namespace tidemark::repo {

// What keeps chunks alive: everything whose chunks a collection must leave alone. Today these are
// the manifests; another kind of blob that refers to chunks is added here and nowhere else.
std::vector<SnapshotId> ListRoots(const Project& project);
// nullopt when it was deleted since it was listed. kCorrupt, kUnsupported.
std::optional<Manifest> LoadRoot(const Project& project, const SnapshotId& id);

// One list chunk of a manifest, and what it lists.
struct ListOfRun {
  const NamespaceEntry& entry;
  std::size_t run = 0;  // counts from 1
  const ChunkRef& ref;
  ObjectKind listed = ObjectKind::kDataChunk;
};

// Lists before key lists, in order.
void VisitLists(const Manifest& manifest, const std::function<void(const ListOfRun&)>& visit);

// "db.collection run 2".
std::string DescribeRun(const ListOfRun& list);

}  // namespace tidemark::repo
