#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace tidemark::dump {

// One version of a file's contents, as far as the file system tells.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;  // bytes
  std::int64_t modified_seconds = 0;
  std::int64_t modified_nanoseconds = 0;

  auto operator<=>(const FileVersion&) const = default;
};

// An open file or folder of a dump. Nothing but regular files and folders is ever opened, and no
// link is followed: what is named is below the folder it is named in. Every call blocks, and throws
// the Error of ThrowErrno. Read may be called by several threads.
class OpenFile {
 public:
  // `path` below `folder`: relative, '/' between the parts, none of them empty, "." or "..".
  // kInvalidArgument for another path, kNotFound when nothing is there or a part is a link.
  static OpenFile Beneath(const std::filesystem::path& folder, std::string_view path);
  // A file without a name in `folder`, for reading and writing; gone when it is closed, however
  // that comes.
  static OpenFile Nameless(const std::filesystem::path& folder);

  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  const std::string& path() const { return path_; }

  bool IsFolder() const;
  FileVersion Version() const;

  // One entry of this folder.
  OpenFile Child(const std::string& name) const;
  // Of this folder, sorted, without "." and "..". kResourceExhausted when there are more than
  // `limit`.
  std::vector<std::string> Names(std::size_t limit) const;

  // As many bytes as are there, at `offset`; 0 at the end only.
  std::size_t Read(std::uint64_t offset, std::span<std::uint8_t> to) const;
  // All of them. kResourceExhausted on a full disk.
  void Write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const;
  // Bytes that the file system has left for us.
  std::uint64_t FreeSpace() const;

 private:
  OpenFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  struct stat Stat() const;

  int descriptor_;
  std::string path_;  // below the folder of Beneath: users need not know where that is
};

}  // namespace tidemark::dump
