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

// Lies in the root after a process that ended in order, made all durable and left nothing undone.
// No blob name begins with a dot.
constexpr const char* kCleanMark = ".clean";

// No blob name holds ".tmp-", so a temporary file (base/file.h: NAME.tmp-PID-N) is told by it.
bool IsTemporary(const fs::path& path) {
  return path.filename().string().find(".tmp-") != std::string::npos;
}

[[noreturn]] void ThrowMissing(std::string_view name) {
  throw Error(ErrorCode::kNotFound, "reading blob " + std::string(name) + ": there is none");
}

[[noreturn]] void ThrowExists(std::string_view name) {
  throw Error(ErrorCode::kConflict, "storing blob " + std::string(name) + ": it exists");
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

// Calls `visit` for each regular file below `folder`; there may be no such folder. A file that
// vanishes during the walk is skipped. Anything else that cannot be seen is an error, never left
// out: whoever misses a manifest takes what it needs for garbage.
void WalkFiles(const fs::path& folder, const std::function<void(const fs::path&)>& visit) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) {
    return;
  }
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code gone;
    if (entry->is_regular_file(gone)) {
      visit(entry->path());
    } else if (gone && gone != std::errc::no_such_file_or_directory) {
      ThrowErrno(gone.value(), "listing", entry->path().string());
    }
    entry.increment(error);
  }
  if (error == std::errc::no_such_file_or_directory) {
    throw Error(ErrorCode::kUnavailable,
                "listing " + folder.string() + ": a folder below it vanished meanwhile");
  }
  if (error) {
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
    TakeOver();
  }

  ~DirectoryStore() override;
  DirectoryStore(const DirectoryStore&) = delete;
  DirectoryStore& operator=(const DirectoryStore&) = delete;

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

  // Hides a new name while it lives. One at a time for a name. kConflict when it exists.
  class BeingPut {
   public:
    BeingPut(DirectoryStore& store, std::string_view name) : store_(store), name_(name) {
      const MutexLock lock(store_.mutex_);
      while (store_.being_put_.contains(name_)) {
        store_.put_ended_.Wait(store_.mutex_);
      }
      if (FileSize(store_.PathOf(name_))) {  // asked first: what is durable is never hidden
        ThrowExists(name_);
      }
      store_.being_put_.insert(name_);
    }

    ~BeingPut() {
      const MutexLock lock(store_.mutex_);
      store_.being_put_.erase(name_);
      store_.put_ended_.NotifyAll();
    }

    BeingPut(const BeingPut&) = delete;
    BeingPut& operator=(const BeingPut&) = delete;

   private:
    DirectoryStore& store_;
    const std::string name_;
  };

  void EnsureFolder(const fs::path& folder) TIDEMARK_REQUIRES(mutex_);
  void SyncOwed() TIDEMARK_EXCLUDES(mutex_);
  bool IsBeingPut(std::string_view name) const TIDEMARK_EXCLUDES(mutex_);
  void RequireVisible(std::string_view name) const TIDEMARK_EXCLUDES(mutex_);
  void RemoveTemporaries() const;
  void TakeOver() const;
  void RequireWritable(std::string_view doing, std::string_view name) const;

  const fs::path root_;
  const Access access_;
  mutable Mutex mutex_;
  CondVar put_ended_;
  // Names that Put is at work on. They may be on the disk already and are not shown: whoever saw
  // one could make something durable that needs it, before it is itself.
  std::set<std::string, std::less<>> being_put_ TIDEMARK_GUARDED_BY(mutex_);
  // Folders that lost a name and could not be synced. Whoever does not find the name may take it
  // for durably deleted, so they are synced before anything is listed or deleted.
  std::set<fs::path> owed_ TIDEMARK_GUARDED_BY(mutex_);
  // Whether a Put has failed: what it did may be there.
  bool doubtful_ TIDEMARK_GUARDED_BY(mutex_) = false;
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

// What a process that was killed has left may be seen and yet not be durable; from here on others
// rely on what they see.
void DirectoryStore::TakeOver() const {
  const fs::path mark = root_ / kCleanMark;
  if (unlink(mark.c_str()) == 0) {
    return;
  }
  if (errno != ENOENT && errno != EROFS) {
    ThrowErrno(errno, "deleting", mark.string());
  }
  SyncFileSystem(root_);
}

// Without the mark the next process does more than it must, never less.
DirectoryStore::~DirectoryStore() {
  const MutexLock lock(mutex_);
  if (access_ == Access::kWrite && owed_.empty() && !doubtful_) {
    const int mark = open((root_ / kCleanMark).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kBlobMode);
    if (mark >= 0) {
      close(mark);
    }
  }
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
  std::error_code unknown;  // then making it will tell
  if (below_root || !fs::exists(parent, unknown)) {
    EnsureFolder(parent);
  }
  if (mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    ThrowErrno(errno, "creating folder", folder.string());
  }
  SyncDirectory(parent);
  durable_folders_.insert(folder);
}

bool DirectoryStore::IsBeingPut(std::string_view name) const {
  const MutexLock lock(mutex_);
  return being_put_.contains(name);
}

void DirectoryStore::RequireVisible(std::string_view name) const {
  if (IsBeingPut(name)) {
    ThrowMissing(name);
  }
}

void DirectoryStore::Put(std::string_view name, ByteView bytes) {
  const fs::path path = PathOf(name);
  RequireWritable("storing", name);
  {
    const MutexLock lock(mutex_);
    EnsureFolder(path.parent_path());
  }
  try {
    const BeingPut hidden(*this, name);
    CreateFileDurably(path, bytes, kBlobMode);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      const MutexLock lock(mutex_);
      doubtful_ = true;
      throw;
    }
    ThrowExists(name);
  }
}

Bytes DirectoryStore::Get(std::string_view name) {
  const fs::path path = PathOf(name);
  RequireVisible(name);
  if (!FileSize(path)) {
    ThrowMissing(name);
  }
  return ReadFile(path, kMaxBlob);
}

Bytes DirectoryStore::GetRange(std::string_view name, std::uint64_t offset, std::size_t size) {
  const fs::path path = PathOf(name);
  RequireVisible(name);
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
  const fs::path path = PathOf(name);
  const std::optional<std::uint64_t> size = IsBeingPut(name) ? std::nullopt : FileSize(path);
  return size ? std::optional(ByteCount{*size}) : std::nullopt;
}

void DirectoryStore::SyncOwed() {
  const MutexLock lock(mutex_);
  while (!owed_.empty()) {
    SyncDirectory(*owed_.begin());
    owed_.erase(owed_.begin());
  }
}

void DirectoryStore::List(std::string_view prefix,
                          const std::function<void(const std::string&, ByteCount)>& visit) {
  SyncOwed();
  // Only the folder that holds the prefix is walked.
  const std::size_t slash = prefix.rfind('/');
  const fs::path folder = slash == std::string_view::npos ? root_ : PathOf(prefix.substr(0, slash));
  WalkFiles(folder, [&](const fs::path& path) {
    const std::string name = path.lexically_relative(root_).generic_string();
    if (IsTemporary(path) || name == kCleanMark || !name.starts_with(prefix) || IsBeingPut(name)) {
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
  SyncOwed();
  if (!FileSize(path)) {
    return;
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    ThrowErrno(errno, "deleting", path.string());
  }
  try {
    SyncDirectory(path.parent_path());
  } catch (const Error&) {
    const MutexLock lock(mutex_);
    owed_.insert(path.parent_path());
    throw;
  }
}

}  // namespace

std::unique_ptr<BlobStore> OpenDirectoryStore(const std::string& root) {
  return std::make_unique<DirectoryStore>(root, Access::kWrite);
}

std::unique_ptr<BlobStore> OpenDirectoryStoreForReading(const std::string& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    throw Error(ErrorCode::kNotFound, "opening the folder " + root + ": there is none");
  }
  return std::make_unique<DirectoryStore>(root, Access::kRead);
}

}  // namespace tidemark::blob
