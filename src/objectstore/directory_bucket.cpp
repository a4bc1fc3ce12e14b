#include <algorithm>
#include <cctype>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"
#include "base/units.h"
#include "codec/stream_hash.h"
#include "objectstore/bucket.h"

namespace tidemark::objectstore {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMode = 0640;
constexpr std::size_t kPiece = 256U << 10;  // bytes read at once

// What an object is called until it is whole. No key ends so: names have no '%' that is not an
// escape.
constexpr std::string_view kUnfinished = ".%unfinished";

void ThrowFile(const std::error_code& error, std::string_view doing, const fs::path& path) {
  if (error) {
    ThrowErrno(error.value(), doing, path.string());
  }
}

// An open file, closed when it goes.
class Reading {
 public:
  explicit Reading(const fs::path& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      ThrowErrno(errno, "reading", path.string());
    }
  }

  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  ~Reading() { close(descriptor_); }

  // Bytes that were read; 0 at the end.
  std::size_t Read(Bytes& to) const {
    for (;;) {
      const ssize_t got = read(descriptor_, to.data(), to.size());
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        ThrowErrno(errno, "reading", path_.string());
      }
    }
  }

 private:
  const fs::path& path_;
  const int descriptor_;
};

void ReadPieces(const fs::path& path,
                const std::stop_token& stop,
                const std::function<void(ByteView bytes)>& visit) {
  const Reading file(path);
  Bytes buffer(kPiece);
  for (std::size_t size = file.Read(buffer); size > 0; size = file.Read(buffer)) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "reading " + path.string() + ": stopped");
    }
    visit(ByteView(buffer).first(size));
  }
}

// Calls `body`; what the library throws becomes an Error that names `path`.
template <class Body>
auto OrFileError(std::string_view doing, const fs::path& path, const Body& body) {
  try {
    return body();
  } catch (const fs::filesystem_error& error) {
    ThrowErrno(error.code().value(), doing, path.string());
  }
}

bool IsOrIsAbove(const fs::path& folder, const fs::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// Folders below a root, made when they are missing, and durable: one that is there may be of a
// process that was killed, or a call that failed, before the folder above it was synced.
// Synchronized.
class Folders {
 public:
  explicit Folders(fs::path root) : root_(std::move(root)) {}

  const fs::path& root() const { return root_; }

  // Every folder on the way to `folder` (below the root). Syncs each once, as long as the next
  // call's folder is in the same ones: objects come in the order of their keys.
  void Make(const fs::path& folder) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    fs::path at = root_;
    for (const fs::path& part : folder.lexically_relative(root_)) {
      const fs::path above = at;
      at /= part;
      if (!IsOrIsAbove(at, last_)) {
        std::error_code error;
        fs::create_directory(at, error);
        ThrowFile(error, "creating", at);
        SyncDirectory(above);
      }
    }
    last_ = folder;
  }

 private:
  const fs::path root_;
  Mutex mutex_;
  fs::path last_ TIDEMARK_GUARDED_BY(mutex_);  // it and all above it are durable
};

class FileUpload final : public Upload {
 public:
  FileUpload(fs::path path, std::stop_token stop)
      : path_(std::move(path)),
        unfinished_(FreshName(path_)),
        stop_(std::move(stop)),
        writer_(unfinished_, kMode) {}

  FileUpload(const FileUpload&) = delete;
  FileUpload& operator=(const FileUpload&) = delete;

  ~FileUpload() override {
    std::error_code ignored;
    fs::remove(unfinished_, ignored);
  }

  void Write(ByteView bytes) override {
    if (stop_.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "writing " + path_.string() + ": stopped");
    }
    hash_.Add(bytes);
    size_ += bytes.size();
    writer_.Write(bytes);
  }

  Result Finish() override {
    writer_.Commit();
    const Result result{.size = size_, .checksum = HexEncode(hash_.Take())};
    codec::StreamHash stored(codec::StreamHashKind::kSha256);
    ReadPieces(unfinished_, stop_, [&](ByteView bytes) { stored.Add(bytes); });
    if (HexEncode(stored.Take()) != result.checksum) {
      throw Error(ErrorCode::kCorrupt, "reading back " + path_.string() + ": its bytes are others");
    }
    std::error_code error;
    fs::rename(unfinished_, path_, error);
    ThrowFile(error, "renaming", path_);
    try {
      SyncDirectory(path_.parent_path());
    } catch (const Error&) {  // a name that a crash may take back is worse than none
      fs::remove(path_, error);
      throw;
    }
    return result;
  }

 private:
  // What stood there is of a run that died.
  static fs::path FreshName(fs::path path) {
    path += kUnfinished;
    fs::remove(path);
    return path;
  }

  const fs::path path_;
  const fs::path unfinished_;
  const std::stop_token stop_;
  FileWriter writer_;
  codec::StreamHash hash_{codec::StreamHashKind::kSha256};
  std::uint64_t size_ = 0;
};

void RemoveUnfinished(const fs::path& below) {
  if (!fs::is_directory(below)) {
    return;
  }
  std::vector<fs::path> left;
  for (const auto& entry : fs::recursive_directory_iterator(below)) {
    if (entry.path().filename().string().find(kUnfinished) != std::string::npos) {
      left.push_back(entry.path());
    }
  }
  for (const fs::path& path : left) {
    fs::remove(path);
  }
}

class DirectoryBucket final : public Bucket {
 public:
  DirectoryBucket(const fs::path& root, const fs::path& name)
      : folder_((root / name).lexically_normal()), folders_(root.lexically_normal()) {
    std::error_code error;
    fs::create_directories(folders_.root(), error);
    ThrowFile(error, "creating", folders_.root());
    OrFileError("creating", folder_, [this] { folders_.Make(folder_); });
  }

  std::unique_ptr<Upload> Begin(const std::string& key, const std::stop_token& stop) override {
    const fs::path path = PathOf(key);
    return OrFileError("creating", path, [&] {
      folders_.Make(path.parent_path());
      return std::make_unique<FileUpload>(path, stop);
    });
  }

  bool Exists(const std::string& key, const std::stop_token&) override {
    const fs::path path = PathOf(key);
    return OrFileError("looking at", path, [&path] { return fs::exists(path); });
  }

  void Read(const std::string& key,
            const std::stop_token& stop,
            const std::function<void(ByteView bytes)>& visit) override {
    ReadPieces(PathOf(key), stop, visit);
  }

  void Delete(const std::string& key, const std::stop_token&) override {
    std::error_code error;
    fs::remove(PathOf(key), error);
    ThrowFile(error, "removing", PathOf(key));
  }

  void DropUploads(const std::string& prefix, const std::stop_token&) override {
    const fs::path below = PathOf(prefix);
    OrFileError("clearing", below, [&below] { RemoveUnfinished(below); });
  }

 private:
  fs::path PathOf(const std::string& key) const {
    TIDEMARK_CHECK(!key.empty() && key.size() <= kMaxKey);
    fs::path path = folder_;
    for (const fs::path& part : fs::path(key)) {
      TIDEMARK_CHECK(!part.is_absolute() && part != "." && part != "..");
      path /= part;
    }
    return path;
  }

  const fs::path folder_;
  Folders folders_;
};

}  // namespace

bool IsBucketName(std::string_view name) {
  const auto alnum = [](unsigned char c) { return c < 0x80 && std::isalnum(c) != 0; };
  const auto allowed = [&](unsigned char c) {
    return alnum(c) || c == '.' || c == '_' || c == '-';
  };
  return name.size() >= 3 && name.size() <= 63 && alnum(static_cast<unsigned char>(name.front())) &&
         alnum(static_cast<unsigned char>(name.back())) && std::ranges::all_of(name, allowed) &&
         name.find("..") == std::string_view::npos;
}

Upload::Result Bucket::Put(const std::string& key, ByteView bytes, const std::stop_token& stop) {
  const auto upload = Begin(key, stop);
  upload->Write(bytes);
  return upload->Finish();
}

std::unique_ptr<Bucket> OpenDirectoryBucket(const fs::path& root, const fs::path& name) {
  return std::make_unique<DirectoryBucket>(root, name);
}

}  // namespace tidemark::objectstore
