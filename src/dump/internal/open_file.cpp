#include "dump/internal/open_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "dump/internal/names.h"

namespace tidemark::dump {
namespace {

using Directory = CHandle<DIR, closedir>;

// Without O_NONBLOCK opening a pipe would wait for somebody who writes to it.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

int OpenAt(int folder, const std::string& name, const std::string& path) {
  const int descriptor = openat(folder, name.c_str(), kReadFlags);
  if (descriptor >= 0) {
    return descriptor;
  }
  if (errno == ELOOP || errno == ENOTDIR) {
    throw Error(ErrorCode::kNotFound,
                "opening " + path + ": it is a link, or below something that is no folder",
                "links are not followed in a dump");
  }
  ThrowErrno(errno, "opening", path);
}

}  // namespace

OpenFile OpenFile::Beneath(const std::filesystem::path& folder, std::string_view path) {
  const auto refuse = [path](std::string_view why) {
    throw Error(ErrorCode::kInvalidArgument,
                "opening the dump \"" + Printable(path) + "\": " + std::string(why),
                "name it relative to the project's import folder, such as 2026/dump.archive");
  };
  if (path.find('\0') != std::string_view::npos) {
    refuse("the path holds NUL");
  }
  const int top = open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  if (top < 0) {
    ThrowErrno(errno, "opening the import folder", folder.filename().string());
  }
  OpenFile file(top, "");
  while (true) {
    const std::string part(path.substr(0, path.find('/')));
    if (part.empty() || part == "." || part == "..") {
      refuse("the path is not one below the import folder");
    }
    file = file.Child(part);
    if (part.size() == path.size()) {
      return file;
    }
    path.remove_prefix(part.size() + 1);
  }
}

OpenFile OpenFile::Nameless(const std::filesystem::path& folder) {
  std::string name = (folder / "import-XXXXXX").string();
  const int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) {
    ThrowErrno(errno, "making a file in", folder.string());
  }
  OpenFile file(descriptor, "the documents of the dump");
  if (unlink(name.c_str()) != 0) {
    ThrowErrno(errno, "unlinking", name);
  }
  return file;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

struct stat OpenFile::Stat() const {
  struct stat found{};
  if (fstat(descriptor_, &found) != 0) {
    ThrowErrno(errno, "looking at", path_);
  }
  return found;
}

bool OpenFile::IsFolder() const {
  return S_ISDIR(Stat().st_mode);
}

FileVersion OpenFile::Version() const {
  const struct stat found = Stat();
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = static_cast<std::uint64_t>(found.st_size),
          .modified_seconds = found.st_mtim.tv_sec,
          .modified_nanoseconds = found.st_mtim.tv_nsec};
}

OpenFile OpenFile::Child(const std::string& name) const {
  const std::string path = path_.empty() ? name : path_ + "/" + name;
  OpenFile child(OpenAt(descriptor_, name, path), path);
  const mode_t mode = child.Stat().st_mode;
  if (!S_ISREG(mode) && !S_ISDIR(mode)) {
    throw Error(ErrorCode::kInvalidArgument,
                "opening " + path + ": it is neither a file nor a folder");
  }
  return child;
}

std::vector<std::string> OpenFile::Names(std::size_t limit) const {
  // A descriptor of its own: closedir closes it.
  const int again = openat(descriptor_, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  const Directory directory(again < 0 ? nullptr : fdopendir(again));
  if (!directory) {
    ThrowErrno(errno, "listing", path_);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") {
      continue;
    }
    if (names.size() == limit) {
      throw Error(ErrorCode::kResourceExhausted,
                  "listing " + path_ + ": more than " + std::to_string(limit) + " entries");
    }
    names.emplace_back(name);
  }
  if (errno != 0) {
    ThrowErrno(errno, "listing", path_);
  }
  std::ranges::sort(names);
  return names;
}

std::size_t OpenFile::Read(std::uint64_t offset, std::span<std::uint8_t> to) const {
  while (true) {
    const ssize_t count = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      ThrowErrno(errno, "reading", path_);
    }
  }
}

void OpenFile::Write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno != EINTR) {
      ThrowErrno(errno, "writing", path_);
    }
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
  }
}

std::uint64_t OpenFile::FreeSpace() const {
  struct statvfs space{};
  if (fstatvfs(descriptor_, &space) != 0) {
    ThrowErrno(errno, "looking at the space beside", path_);
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

}  // namespace tidemark::dump
