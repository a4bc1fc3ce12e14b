#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "blob/blob_store.h"
#include "repo/repository.h"

namespace tidemark::app {

// Where a repository lies, as the command line names it.
struct RepositoryPlace {
  std::string folder;    // a data directory, or a repository's own folder
  std::string key_file;  // may be empty for a data directory
};

// A repository opened for reading, and what it borrows. Confined.
class OpenedRepository {
 public:
  // kInvalidArgument when the key file is not known; what Repository::Open throws.
  explicit OpenedRepository(const RepositoryPlace& place);

  repo::Repository& operator*() { return *repository_; }

  repo::Repository* operator->() { return repository_.get(); }

  RandomSource& random() { return random_; }

 private:
  SystemRandom random_;
  std::unique_ptr<blob::BlobStore> blobs_;
  std::unique_ptr<repo::Repository> repository_;
};

// The snapshot of that id, whatever its project. kNotFound.
repo::Manifest FindManifest(repo::Repository& repository, const std::string& text);

}  // namespace tidemark::app
