#pragma once

#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "catalog/store.h"
#include "repo/repository.h"

namespace tidemark::app {

// What lies in a data directory: `lock`, `master.key`, `catalog.sqlite`, `repo/`. Holds the lock
// while it lives, so that one process at a time works with it.
class DataDirectory {
 public:
  // The parts by name. The second key file is there while the master key is being changed.
  static std::filesystem::path KeyFile(const std::filesystem::path& path);
  static std::filesystem::path NextKeyFile(const std::filesystem::path& path);
  static std::filesystem::path RepositoryFolder(const std::filesystem::path& path);
  static std::filesystem::path CatalogFile(const std::filesystem::path& path);
  // For whoever works with the parts. kConflict when another process has the directory open.
  static FileLock Lock(const std::filesystem::path& path);

  // Makes all of it, the master key with mode 0600. kConflict when there is one already.
  static void Create(const std::filesystem::path& path, RandomSource& random);
  // kNotFound with a hint at `tidemark init`; kConflict when another process has it open
  // or a change of its master key is unfinished.
  static DataDirectory Open(const std::filesystem::path& path, RandomSource& random);

  catalog::Store& store() { return *store_; }

  repo::Repository& repository() { return *repository_; }

  // A key for `purpose`, derived from the master key.
  std::string DeriveKey(std::string_view purpose) const;

 private:
  DataDirectory(FileLock lock, const repo::MasterKey& master_key)
      : lock_(std::move(lock)), master_key_(master_key) {}

  FileLock lock_;
  repo::MasterKey master_key_;
  std::unique_ptr<blob::BlobStore> blobs_;
  std::unique_ptr<repo::Repository> repository_;
  std::unique_ptr<catalog::Store> store_;
};

}  // namespace tidemark::app
