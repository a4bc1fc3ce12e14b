#include "data_directory.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyFile = 4096;  // bytes

FileLock Lock(const fs::path& path) {
  auto lock = FileLock::TryAcquire(path / "lock");
  if (!lock) {
    throw Error(ErrorCode::kConflict,
                "opening the data directory " + path.string() + ": another tidemark is using it",
                "stop that process, or give this one another --data-dir");
  }
  return std::move(*lock);
}

repo::MasterKey ReadMasterKey(const fs::path& path) {
  std::string text(AsText(ReadFile(path, kMaxKeyFile)));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  repo::MasterKey key{};
  if (text.size() != key.size() * 2) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the master key " + path.string() + ": it is not 64 hex digits");
  }
  std::ranges::copy(HexDecode(text), key.begin());
  return key;
}

fs::path MakeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    ThrowErrno(error.value(), "creating folder", path.string());
  }
  fs::permissions(path, fs::perms::owner_all, error);
  return path;
}

}  // namespace

void DataDirectory::Create(const fs::path& path, RandomSource& random) {
  const FileLock lock = Lock(MakeFolder(path));
  if (fs::exists(path / "master.key")) {
    throw Error(ErrorCode::kConflict,
                "making the data directory " + path.string() + ": there is one already",
                "serve it with: tidemark serve --data-dir " + path.string());
  }
  const repo::MasterKey key = [&random] {
    repo::MasterKey made{};
    random.Fill(made);
    return made;
  }();
  const auto blobs = blob::OpenDirectoryStore(path / "repo");
  repo::Repository::Create(*blobs, key, random);
  catalog::OpenSqliteStore({.path = path / "catalog.sqlite"});
  // Last: a directory without a key is one that was never finished, and may be made again.
  CreateFileDurably(path / "master.key", AsBytes(HexEncode(key) + "\n"), 0600);
}

DataDirectory DataDirectory::Open(const fs::path& path, RandomSource& random) {
  if (!fs::exists(path / "master.key")) {
    throw Error(ErrorCode::kNotFound,
                "opening the data directory " + path.string() + ": there is none",
                "make one with: tidemark init --data-dir " + path.string());
  }
  DataDirectory directory(Lock(path), ReadMasterKey(path / "master.key"));
  directory.blobs_ = blob::OpenDirectoryStore(path / "repo");
  directory.repository_ = repo::Repository::Open(*directory.blobs_, directory.master_key_, random);
  directory.store_ = catalog::OpenSqliteStore({.path = path / "catalog.sqlite"});
  return directory;
}

std::string DataDirectory::DeriveKey(std::string_view purpose) const {
  const codec::Digest key = codec::HmacSha256(master_key_, AsBytes(purpose));
  return std::string(AsText(key));
}

}  // namespace tidemark::app
