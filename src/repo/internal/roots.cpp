#include "repo/internal/roots.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "repo/internal/manifest_codec.h"

namespace tidemark::repo {

std::vector<SnapshotId> ListSnapshots(blob::BlobStore& store, const ProjectId& project) {
  const std::string prefix = ManifestPrefix(project);
  std::vector<SnapshotId> snapshots;
  store.List(prefix, [&](const std::string& name, ByteCount) {
    if (const auto id = SnapshotId::Parse(std::string_view(name).substr(prefix.size()))) {
      snapshots.push_back(*id);
    }
  });
  return snapshots;
}

std::vector<SnapshotId> ListPartialSnapshots(blob::BlobStore& store, const ProjectId& project) {
  const std::string prefix = PartialsPrefix(project);
  std::set<SnapshotId> snapshots;
  store.List(prefix, [&](const std::string& name, ByteCount) {
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    if (const auto id = SnapshotId::Parse(rest.substr(0, rest.find('/')))) {
      snapshots.insert(*id);
    }
  });
  return {snapshots.begin(), snapshots.end()};
}

// Partial manifests first: the manifest is put before they are deleted.
std::vector<SnapshotId> ListRoots(const Project& project) {
  const auto partials = ListPartialSnapshots(project.store(), project.keys().project());
  std::set<SnapshotId> roots(partials.begin(), partials.end());
  std::ranges::copy(ListSnapshots(project.store(), project.keys().project()),
                    std::inserter(roots, roots.end()));
  return {roots.begin(), roots.end()};
}

std::optional<Manifest> LoadRoot(const Project& project, const SnapshotId& id) {
  const auto load = [&]() -> std::optional<Manifest> {
    const std::string name = ManifestName(project.keys().project(), id);
    try {
      return OpenManifest(project.keys(), id, project.store().Get(name));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) {
        throw;
      }
      return std::nullopt;
    }
  };
  if (auto manifest = load()) {
    return manifest;
  }
  if (auto partial = LoadPartialManifest(project, id)) {
    return partial;
  }
  return load();  // committed between the two looks
}

namespace {

std::vector<PartialId> ListPartials(blob::BlobStore& store,
                                    const ProjectId& project,
                                    const SnapshotId& id) {
  std::vector<PartialId> partials;
  store.List(PartialPrefix(project, id), [&](const std::string& name, ByteCount) {
    if (const auto partial = ParseRandomId(name)) {
      partials.push_back(PartialId{*partial});
    }
  });
  return partials;
}

std::uint64_t BytesRead(const Manifest& partial) {
  std::uint64_t bytes = 0;
  VisitEntries(partial, [&bytes](const NamespaceEntry& entry) { bytes += entry.logical_bytes; });
  return bytes;
}

}  // namespace

void VisitEntries(const Manifest& manifest,
                  const std::function<void(const NamespaceEntry&)>& visit) {
  std::ranges::for_each(manifest.namespaces, visit);
  std::ranges::for_each(manifest.unfinished, visit, &UnfinishedNamespace::entry);
}

Unfinished ListUnfinished(const Project& project) {
  blob::BlobStore& store = project.store();
  const ProjectId& project_id = project.keys().project();
  Unfinished unfinished;
  for (const SnapshotId& id : ListPartialSnapshots(store, project_id)) {
    const auto partials = ListPartials(store, project_id, id);
    unfinished[id] = {partials.begin(), partials.end()};
  }
  // Last, as in ListRoots: the manifest is put before the partial manifests are deleted.
  for (const SnapshotId& id : ListSnapshots(store, project_id)) {
    unfinished.erase(id);
  }
  return unfinished;
}

std::optional<Manifest> LoadRoot(const Project& project,
                                 const SnapshotId& id,
                                 const Unfinished& then) {
  std::optional<Manifest> manifest = LoadRoot(project, id);
  const auto known = then.find(id);
  if (known == then.end()) {
    return manifest;
  }
  // Looked at after it was loaded: when it is the same now, it was the same between.
  blob::BlobStore& store = project.store();
  const ProjectId& project_id = project.keys().project();
  const auto partials = ListPartials(store, project_id, id);
  const bool same = std::set(partials.begin(), partials.end()) == known->second &&
                    !store.Size(ManifestName(project_id, id));
  return same ? manifest : std::nullopt;
}

std::optional<Manifest> LoadPartialManifest(const Project& project, const SnapshotId& id) {
  std::optional<Manifest> most;
  for (const PartialId& partial : ListPartials(project.store(), project.keys().project(), id)) {
    try {
      Manifest manifest =
          OpenPartial(project.keys(),
                      partial,
                      project.store().Get(PartialName(project.keys().project(), id, partial)));
      if (!most || BytesRead(manifest) > BytesRead(*most)) {
        most = std::move(manifest);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) {
        throw;
      }
      // Replaced by a newer one since it was listed; the caller looks again or does without.
    }
  }
  return most;
}

void DeletePartials(blob::BlobStore& store, const ProjectId& project, const SnapshotId& id) {
  for (const PartialId& partial : ListPartials(store, project, id)) {
    store.Delete(PartialName(project, id, partial));
  }
}

void VisitLists(const Manifest& manifest, const std::function<void(const ListOfRun&)>& visit) {
  VisitEntries(manifest, [&visit](const NamespaceEntry& entry) {
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
  });
}

std::string DescribeRun(const ListOfRun& list) {
  return list.entry.database + "." + list.entry.collection + " run " + std::to_string(list.run);
}

}  // namespace tidemark::repo
