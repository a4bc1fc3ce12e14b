#include <cerrno>
#include <filesystem>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"
#include "blob/blob_store.h"

namespace tidemark::blob {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBlob = std::size_t{1} << 31;  // bytes; packs are far smaller
constexpr unsigned kBlobMode = 0600;
constexpr unsigned kFolderMode = 0700;

// No blob name holds ".tmp-", so a temporary file (base/file.h: NAME.tmp-PID-N) is told by it.
bool IsTemporary(const fs::path& path) {
  return path.filename().string().find(".tmp-") != std::string::npos;
}

[[noreturn]] void ThrowMissing(std::string_view name) {
  throw Error(ErrorCode::kNotFound, "reading blob " + std::string(name) + ": there is none");
}

// The size of a regular file; nullopt when there is none of that name.
std::optional<std::uint64_t> FileSize(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    ThrowErrno(errno, "reading", path.string());
  }
  return S_ISREG(status.st_mode) ? std::optional(static_cast<std::uint64_t>(status.st_size))
                                 : std::nullopt;
}

// Calls `visit` for each regular file below `folder`. What vanishes during the walk is skipped.
void WalkFiles(const fs::path& folder, const std::function<void(const fs::path&)>& visit) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code gone;
    if (entry->is_regular_file(gone)) {
      visit(entry->path());
    }
    entry.increment(error);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    ThrowErrno(error.value(), "listing", folder.string());
  }
}

class ReadableFile {
 public:
  explicit ReadableFile(const fs::path& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      ThrowErrno(errno, "opening", path.string());
    }
  }

  ~ReadableFile() { close(descriptor_); }

  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;

  // Bytes read at `offset`; fewer than `size` only at the end of the file.
  std::size_t ReadAt(std::uint64_t offset, std::uint8_t* out, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got =
          pread(descriptor_, out + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        ThrowErrno(errno, "reading", path_.string());
      }
      if (got == 0) {
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  fs::path path_;
  int descriptor_;
};

enum class Access { kWrite, kRead };

class DirectoryStore final : public BlobStore {
 public:
  DirectoryStore(const fs::path& root, Access access) : root_(fs::absolute(root)), access_(access) {
    if (access_ == Access::kRead) {
      return;
    }
    {
      const MutexLock lock(mutex_);
      EnsureFolder(root_);
    }
    RemoveTemporaries();
  }

  void Put(std::string_view name, ByteView bytes) override TIDEMARK_EXCLUDES(mutex_);
  Bytes Get(std::string_view name) override;
  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override;
  std::optional<ByteCount> Size(std::string_view name) override;
  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override;
  void Delete(std::string_view name) override;

 private:
  fs::path PathOf(std::string_view name) const {
    CheckBlobName(name);
    return root_ / name;
  }

  void EnsureFolder(const fs::path& folder) TIDEMARK_REQUIRES(mutex_);
  void RemoveTemporaries() const;
  void RequireWritable(std::string_view doing, std::string_view name) const;

  const fs::path root_;
  const Access access_;
  Mutex mutex_;
  // Folders whose entry in their parent is known to be durable; one that a crashed process made may
  // not be.
  std::set<fs::path> durable_folders_ TIDEMARK_GUARDED_BY(mutex_);
};

// What a crash left half-written. The caller holds the data directory's lock: nobody is writing.
void DirectoryStore::RemoveTemporaries() const {
  WalkFiles(root_, [](const fs::path& path) {
    if (IsTemporary(path)) {
      unlink(path.c_str());
    }
  });
}

void DirectoryStore::RequireWritable(std::string_view doing, std::string_view name) const {
  if (access_ == Access::kRead) {
    throw Error(ErrorCode::kPermissionDenied,
                std::string(doing) + " blob " + std::string(name) + ": the store is only read");
  }
}

// Every level from the root down is made durable before a blob in it is called durable. Above the
// root only folders that are missing are touched.
void DirectoryStore::EnsureFolder(const fs::path& folder) {
  if (durable_folders_.contains(folder)) {
    return;
  }
  const fs::path parent = folder.parent_path();
  const bool below_root = folder.native().size() > root_.native().size();
  if (below_root || !fs::exists(parent)) {
    EnsureFolder(parent);
  }
  if (mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    ThrowErrno(errno, "creating folder", folder.string());
  }
  SyncDirectory(parent);
  durable_folders_.insert(folder);
}

void DirectoryStore::Put(std::string_view name, ByteView bytes) {
  const fs::path path = PathOf(name);
  RequireWritable("storing", name);
  {
    const MutexLock lock(mutex_);
    EnsureFolder(path.parent_path());
  }
  try {
    CreateFileDurably(path, bytes, kBlobMode);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Error(ErrorCode::kConflict, "storing blob " + std::string(name) + ": it exists");
  }
}

Bytes DirectoryStore::Get(std::string_view name) {
  const fs::path path = PathOf(name);
  if (!FileSize(path)) {
    ThrowMissing(name);
  }
  return ReadFile(path, kMaxBlob);
}

Bytes DirectoryStore::GetRange(std::string_view name, std::uint64_t offset, std::size_t size) {
  const fs::path path = PathOf(name);
  const std::optional<std::uint64_t> whole = FileSize(path);
  if (!whole) {
    ThrowMissing(name);
  }
  const bool inside = offset <= *whole && size <= *whole - offset;
  Bytes bytes(inside ? size : 0);
  if (!inside || ReadableFile(path).ReadAt(offset, bytes.data(), size) < size) {
    throw Error(ErrorCode::kCorrupt, "reading blob " + std::string(name) + ": it ends too early");
  }
  return bytes;
}

std::optional<ByteCount> DirectoryStore::Size(std::string_view name) {
  const std::optional<std::uint64_t> size = FileSize(PathOf(name));
  return size ? std::optional(ByteCount{*size}) : std::nullopt;
}

void DirectoryStore::List(std::string_view prefix,
                          const std::function<void(const std::string&, ByteCount)>& visit) {
  // Only the folder that holds the prefix is walked.
  const std::size_t slash = prefix.rfind('/');
  const fs::path folder = slash == std::string_view::npos ? root_ : PathOf(prefix.substr(0, slash));
  WalkFiles(folder, [&](const fs::path& path) {
    const std::string name = path.lexically_relative(root_).generic_string();
    if (IsTemporary(path) || !name.starts_with(prefix)) {
      return;
    }
    if (const std::optional<std::uint64_t> size = FileSize(path)) {
      visit(name, ByteCount{*size});
    }
  });
}

void DirectoryStore::Delete(std::string_view name) {
  const fs::path path = PathOf(name);
  RequireWritable("deleting", name);
  if (!FileSize(path)) {
    return;
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    ThrowErrno(errno, "deleting", path.string());
  }
  SyncDirectory(path.parent_path());
}

}  // namespace

std::unique_ptr<BlobStore> OpenDirectoryStore(const std::string& root) {
  return std::make_unique<DirectoryStore>(root, Access::kWrite);
}

std::unique_ptr<BlobStore> OpenDirectoryStoreForReading(const std::string& root) {
  if (!fs::is_directory(root)) {
    throw Error(ErrorCode::kNotFound, "opening the folder " + root + ": there is none");
  }
  return std::make_unique<DirectoryStore>(root, Access::kRead);
}

}  // namespace tidemark::blob
