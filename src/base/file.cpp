#include "base/file.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace tidemark {
namespace {

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags, unsigned mode, std::string_view doing)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) {
      ThrowErrno(errno, doing, path.string());
    }
  }

  ~Descriptor() { close(fd_); }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

// The temporary name is unique in this process and, by its id, among processes that live at the
// same time.
std::filesystem::path TemporaryNameFor(const std::filesystem::path& path) {
  static std::atomic<std::uint64_t> counter{0};
  return path.string() + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
}

// A bare file name lies in the current folder.
std::filesystem::path FolderOf(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path WriteTemporary(const std::filesystem::path& path,
                                     ByteView bytes,
                                     unsigned mode) {
  std::filesystem::path temporary = TemporaryNameFor(path);
  try {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode, "creating");
    WriteToDescriptor(file.get(), bytes, temporary.string());
    if (fsync(file.get()) != 0) {
      ThrowErrno(errno, "syncing", temporary.string());
    }
  } catch (const Error&) {
    unlink(temporary.c_str());
    throw;
  }
  return temporary;
}

}  // namespace

void SyncDirectory(const std::filesystem::path& directory) {
  const Descriptor folder(directory, O_RDONLY | O_DIRECTORY, 0, "opening");
  if (fsync(folder.get()) != 0) {
    ThrowErrno(errno, "syncing", directory.string());
  }
}

void SyncFileSystem(const std::filesystem::path& directory) {
  const Descriptor folder(directory, O_RDONLY | O_DIRECTORY, 0, "opening");
  if (syncfs(folder.get()) != 0) {
    ThrowErrno(errno, "syncing the file system of", directory.string());
  }
}

void WriteFileDurably(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  const std::filesystem::path temporary = WriteTemporary(path, bytes, mode);
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    ThrowErrno(error, "renaming to", path.string());
  }
  SyncDirectory(FolderOf(path));
}

void CreateFileDurably(const std::filesystem::path& path, ByteView bytes, unsigned mode) {
  const std::filesystem::path temporary = WriteTemporary(path, bytes, mode);
  const int linked = link(temporary.c_str(), path.c_str());
  const int error = errno;
  unlink(temporary.c_str());
  if (linked != 0) {
    ThrowErrno(error, "creating", path.string());
  }
  try {
    SyncDirectory(FolderOf(path));
  } catch (const Error&) {
    unlink(path.c_str());
    throw;
  }
}

void WriteToDescriptor(int descriptor, ByteView bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0) {
      if (errno == EINTR) {
        continue;
      }
      ThrowErrno(errno, "writing", what);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
}

FileWriter::FileWriter(std::filesystem::path path, unsigned mode)
    : path_(std::move(path)), temporary_(TemporaryNameFor(path_)), descriptor_(-1) {
  if (std::filesystem::exists(path_)) {
    ThrowErrno(EEXIST, "creating", path_.string());
  }
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor_ < 0) {
    ThrowErrno(errno, "creating", temporary_.string());
  }
}

FileWriter::~FileWriter() {
  close(descriptor_);
  if (!temporary_.empty()) {
    unlink(temporary_.c_str());
  }
}

void FileWriter::Write(ByteView bytes) {
  WriteToDescriptor(descriptor_, bytes, temporary_.string());
}

void FileWriter::Commit() {
  if (fsync(descriptor_) != 0) {
    ThrowErrno(errno, "syncing", temporary_.string());
  }
  const char* const from = temporary_.c_str();
  int failed = renameat2(AT_FDCWD, from, AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
  if (failed != 0 && errno == EINVAL) {  // some file systems only have the one that replaces
    failed = rename(from, path_.c_str());
  }
  if (failed != 0) {
    ThrowErrno(errno, "creating", path_.string());
  }
  temporary_.clear();
  SyncDirectory(FolderOf(path_));
}

Bytes ReadFile(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file(path, O_RDONLY, 0, "opening");
  struct stat status{};
  if (fstat(file.get(), &status) != 0) {
    ThrowErrno(errno, "reading", path.string());
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit) {
    throw Error(ErrorCode::kResourceExhausted,
                "reading " + path.string() + ": " + std::to_string(size) +
                    " bytes are more than the limit of " + std::to_string(limit));
  }
  Bytes bytes(size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      ThrowErrno(errno, "reading", path.string());
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

std::optional<FileLock> FileLock::TryAcquire(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    ThrowErrno(errno, "opening", path.string());
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(fd);
    if (error == EWOULDBLOCK) {
      return std::nullopt;
    }
    ThrowErrno(error, "locking", path.string());
  }
  return FileLock(fd);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

}  // namespace tidemark
