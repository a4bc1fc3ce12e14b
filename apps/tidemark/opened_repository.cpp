#include "opened_repository.h"

#include <algorithm>

#include "base/error.h"
#include "data_directory.h"
#include "key_file.h"

namespace tidemark::app {

namespace fs = std::filesystem;

OpenedRepository::OpenedRepository(const RepositoryPlace& place) {
  const fs::path inner = DataDirectory::RepositoryFolder(place.folder);
  const bool is_data_directory = fs::exists(inner);
  const fs::path key_file = !place.key_file.empty() || !is_data_directory
                                ? fs::path(place.key_file)
                                : DataDirectory::KeyFile(place.folder);
  if (key_file.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "opening the repository " + place.folder + ": its master key is not given",
                "name the key file: --key FILE");
  }
  blobs_ = blob::OpenDirectoryStoreForReading(is_data_directory ? inner.string() : place.folder);
  repository_ = repo::Repository::Open(*blobs_, ReadKeyFile(key_file), random_);
}

repo::Manifest FindManifest(repo::Repository& repository, const std::string& text) {
  const std::optional<SnapshotId> id = SnapshotId::Parse(text);
  for (const ProjectId& project : repository.ListProjects()) {
    const std::vector<SnapshotId> snapshots = repository.ListManifests(project);
    if (id && std::ranges::find(snapshots, *id) != snapshots.end()) {
      return repository.LoadManifest(project, *id);
    }
  }
  throw Error(ErrorCode::kNotFound,
              "finding snapshot " + text + ": the repository has none such",
              "tidemark repo open DIR list shows those that it has");
}

}  // namespace tidemark::app
