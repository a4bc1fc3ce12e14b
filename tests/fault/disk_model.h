#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "tests/fault/file_calls.h"

namespace tidemark::fault {

// A FileEvent to keep.
struct RecordedCall {
  FileOp op;
  std::string path;
  std::string second;
  Bytes bytes;
  bool created = false;
};

// Keeps the calls that change something, in their order. Synchronized.
class FileRecorder : public FileWatcher {
 public:
  FileFate Before(FileOp, const std::string&) override { return {}; }

  void After(const FileEvent& event) override TIDEMARK_EXCLUDES(mutex_);
  std::vector<RecordedCall> calls() const TIDEMARK_EXCLUDES(mutex_);
  std::size_t size() const TIDEMARK_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<RecordedCall> calls_ TIDEMARK_GUARDED_BY(mutex_);
};

// How a power failure treats what was not synced.
enum class Loss {
  kAll,       // it is gone
  kContents,  // names are there, contents are not
  kRandom,    // each name has one of the values since its folder was synced, each file some prefix
};

// A disk that keeps its promises and nothing else (POSIX: fsync of a file is about its contents,
// fsync of a folder about the names in it; nothing orders the rest). Confined.
class DiskModel {
 public:
  // Everything that is below `root` now is durable.
  explicit DiskModel(const std::filesystem::path& root);

  void Apply(const RecordedCall& call);
  // Writes below `target`, which is made anew, what is there after the power has failed.
  void Leave(const std::filesystem::path& target, Loss loss, SeededRandom& random) const;

 private:
  struct File {
    Bytes durable;
    Bytes now;
  };

  static constexpr std::size_t kFolder = SIZE_MAX;
  // The number of a file, kFolder, or nothing.
  using Node = std::optional<std::size_t>;
  // Values since the folder was synced, oldest first; the first one is durable.
  using Names = std::map<std::string, std::vector<Node>>;

  void Load(const std::filesystem::path& folder);
  std::vector<Node>& NameAt(const std::string& path);
  Node NodeAt(const std::string& path);
  void Sync(const std::string& path);
  void SyncAll();
  Bytes Remains(const File& file, Loss loss, SeededRandom& random) const;
  void LeaveFolder(const std::string& folder,
                   const std::filesystem::path& target,
                   Loss loss,
                   SeededRandom& random) const;

  const std::string root_;
  std::vector<File> files_;
  std::map<std::string, Names> folders_;  // by path; a folder is never renamed or removed
};

}  // namespace tidemark::fault
