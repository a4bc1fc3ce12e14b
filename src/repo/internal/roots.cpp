#include "repo/internal/roots.h"

#include "base/error.h"
#include "repo/internal/manifest_codec.h"

namespace tidemark::repo {

std::vector<SnapshotId> ListRoots(const Project& project) {
  const std::string prefix = ManifestPrefix(project.keys().project());
  std::vector<SnapshotId> roots;
  project.store().List(prefix, [&](const std::string& name, ByteCount) {
    if (const auto id = SnapshotId::Parse(std::string_view(name).substr(prefix.size()))) {
      roots.push_back(*id);
    }
  });
  return roots;
}

std::optional<Manifest> LoadRoot(const Project& project, const SnapshotId& id) {
  const std::string name = ManifestName(project.keys().project(), id);
  try {
    return OpenManifest(project.keys(), id, project.store().Get(name));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return std::nullopt;
  }
}

void VisitLists(const Manifest& manifest, const std::function<void(const ListOfRun&)>& visit) {
  for (const NamespaceEntry& entry : manifest.namespaces) {
    std::size_t number = 0;
    for (const Run& run : entry.runs) {
      ++number;
      for (const ChunkRef& list : run.lists) {
        visit({entry, number, list, ObjectKind::kDataChunk});
      }
      for (const ChunkRef& list : run.key_lists) {
        visit({entry, number, list, ObjectKind::kKeyChunk});
      }
    }
  }
}

std::string DescribeRun(const ListOfRun& list) {
  return list.entry.database + "." + list.entry.collection + " run " + std::to_string(list.run);
}

}  // namespace tidemark::repo
