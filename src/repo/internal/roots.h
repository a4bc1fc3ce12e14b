#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "repo/internal/project.h"

namespace tidemark::repo {

// The snapshots that exist: those with a manifest.
std::vector<SnapshotId> ListSnapshots(blob::BlobStore& store, const ProjectId& project);
// What keeps chunks alive: everything whose chunks a collection must leave alone. Manifests, and
// partial manifests of snapshots that were cut; another kind of blob that refers to chunks is added
// here and nowhere else.
std::vector<SnapshotId> ListRoots(const Project& project);
// The manifest, or else the partial manifest. nullopt when it was deleted since it was listed.
// kCorrupt, kUnsupported.
std::optional<Manifest> LoadRoot(const Project& project, const SnapshotId& id);

// The partial manifests of the snapshots that have no manifest.
using Unfinished = std::map<SnapshotId, std::set<PartialId>>;
// As they are now. Call it behind ListRoots and ahead of listing segments and packs.
Unfinished ListUnfinished(const Project& project);
// As LoadRoot, but nullopt when the snapshot was unfinished `then` and is no longer the same: what
// its manifest or partial manifest names now may have been stored after whatever was listed since
// `then`. Its writer has been at work meanwhile, and keeps what he needs by his session (I11, I12).
std::optional<Manifest> LoadRoot(const Project& project,
                                 const SnapshotId& id,
                                 const Unfinished& then);

// The snapshots that have partial manifests.
std::vector<SnapshotId> ListPartialSnapshots(blob::BlobStore& store, const ProjectId& project);
// The partial manifest that has read most bytes: a crash may have left two. nullopt when there is
// none. kCorrupt, kUnsupported.
std::optional<Manifest> LoadPartialManifest(const Project& project, const SnapshotId& id);
void DeletePartials(blob::BlobStore& store, const ProjectId& project, const SnapshotId& id);

// Every namespace that it refers to chunks for: also those that a partial manifest has half read.
void VisitEntries(const Manifest& manifest,
                  const std::function<void(const NamespaceEntry&)>& visit);

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
