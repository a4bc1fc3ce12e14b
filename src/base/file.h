#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace tidemark {

// The file operations that durability rests on. All block; all throw the Error of ThrowErrno.

// Writes `bytes` so that after a crash `path` holds either nothing new or all of it: temporary name
// in the same folder, fsync, rename, fsync of the folder. `mode` is the final mode, e.g. 0600.
// Replaces an existing file.
void WriteFileDurably(const std::filesystem::path& path, ByteView bytes, unsigned mode);

// As above, but kConflict when `path` exists (link instead of rename: never overwrites, even in a
// race). When the folder cannot be synced the new name is taken away again: a name that a crash may
// take back is worse than none.
void CreateFileDurably(const std::filesystem::path& path, ByteView bytes, unsigned mode);

// A file that is written piece by piece and appears under its name whole and durable with Commit();
// without it nothing of that name comes to be. Confined.
class FileWriter {
 public:
  // kConflict when `path` exists. Writes to a temporary name beside it.
  FileWriter(std::filesystem::path path, unsigned mode);
  // Removes what was not committed.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void Write(ByteView bytes);
  // kConflict when somebody else has made `path` meanwhile. May be called once.
  void Commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_;
};

// All of `bytes`, to an open file, pipe or socket. `what` names it in errors.
void WriteToDescriptor(int descriptor, ByteView bytes, std::string_view what);

// The whole file; throws kResourceExhausted when it is larger than `limit` bytes.
Bytes ReadFile(const std::filesystem::path& path, std::size_t limit);

// fsync of a folder, so that a created or renamed entry survives a crash.
void SyncDirectory(const std::filesystem::path& directory);

// syncfs: makes durable all that anybody has written to the file system that holds `directory`,
// processes that were killed before their fsync included. As slow as there is to write.
void SyncFileSystem(const std::filesystem::path& directory);

// An exclusive advisory lock on a file, held until destroyed or until the process ends, however it
// ends.
class FileLock {
 public:
  // nullopt when somebody else holds it. Creates the file (mode 0600) when missing.
  static std::optional<FileLock> TryAcquire(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace tidemark
