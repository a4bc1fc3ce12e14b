#include "data_directory.h"

#include "base/error.h"
#include "key_file.h"

namespace tidemark::app {
namespace {

namespace fs = std::filesystem;

fs::path MakeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    ThrowErrno(error.value(), "creating folder", path.string());
  }
  fs::permissions(path, fs::perms::owner_all, error);
  return path;
}

void RefuseUnfinishedRotation(const fs::path& path) {
  if (fs::exists(DataDirectory::NextKeyFile(path))) {
    throw Error(ErrorCode::kConflict,
                "opening the data directory " + path.string() +
                    ": a change of its master key is unfinished",
                "finish it with: tidemark master-key rotate --data-dir " + path.string());
  }
}

}  // namespace

fs::path DataDirectory::KeyFile(const fs::path& path) {
  return path / "master.key";
}

fs::path DataDirectory::NextKeyFile(const fs::path& path) {
  return path / "master.key.new";
}

fs::path DataDirectory::RepositoryFolder(const fs::path& path) {
  return path / "repo";
}

fs::path DataDirectory::CatalogFile(const fs::path& path) {
  return path / "catalog.sqlite";
}

FileLock DataDirectory::Lock(const fs::path& path) {
  auto lock = FileLock::TryAcquire(path / "lock");
  if (!lock) {
    throw Error(ErrorCode::kConflict,
                "opening the data directory " + path.string() + ": another tidemark is using it",
                "stop that process, or give this one another --data-dir");
  }
  return std::move(*lock);
}

void DataDirectory::Create(const fs::path& path, RandomSource& random) {
  const FileLock lock = Lock(MakeFolder(path));
  if (fs::exists(KeyFile(path))) {
    throw Error(ErrorCode::kConflict,
                "making the data directory " + path.string() + ": there is one already",
                "serve it with: tidemark serve --data-dir " + path.string());
  }
  const repo::MasterKey key = MakeMasterKey(random);
  const auto blobs = blob::OpenDirectoryStore(RepositoryFolder(path));
  repo::Repository::Create(*blobs, key, random);
  catalog::OpenSqliteStore({.path = CatalogFile(path)});
  // Last: a directory without a key is one that was never finished, and may be made again.
  CreateKeyFile(KeyFile(path), key);
}

DataDirectory DataDirectory::Open(const fs::path& path, RandomSource& random) {
  if (!fs::exists(KeyFile(path))) {
    throw Error(ErrorCode::kNotFound,
                "opening the data directory " + path.string() + ": there is none",
                "make one with: tidemark init --data-dir " + path.string());
  }
  FileLock lock = Lock(path);
  RefuseUnfinishedRotation(path);
  DataDirectory directory(std::move(lock), ReadKeyFile(KeyFile(path)));
  directory.blobs_ = blob::OpenDirectoryStore(RepositoryFolder(path));
  directory.repository_ = repo::Repository::Open(*directory.blobs_, directory.master_key_, random);
  directory.store_ = catalog::OpenSqliteStore({.path = CatalogFile(path)});
  return directory;
}

std::string DataDirectory::DeriveKey(std::string_view purpose) const {
  const codec::Digest key = codec::HmacSha256(master_key_, AsBytes(purpose));
  return std::string(AsText(key));
}

}  // namespace tidemark::app
