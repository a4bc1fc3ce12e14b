#include "tests/fault/file_calls.h"

#include <cerrno>
#include <cstdarg>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mutex.h"
#include "tests/fault/socket_calls.h"

namespace tidemark::fault {
namespace {

// Fds and paths that are watched. Constant-initialized: files are opened before main.
struct State {
  Mutex mutex;
  FileWatcher* watcher TIDEMARK_GUARDED_BY(mutex) = nullptr;
  std::string root TIDEMARK_GUARDED_BY(mutex);
  std::map<int, std::string> paths TIDEMARK_GUARDED_BY(mutex);  // of open files
};

std::atomic<bool> watching{false};

State& TheState() {
  static State* const state = new State;  // outlives every thread that still closes files
  return *state;
}

// libc's own.
template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool IsBelow(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

struct Seen {
  FileWatcher* watcher = nullptr;  // nullptr: the call is none of ours
  std::string path;
};

Seen SeePath(std::string_view path) {
  if (!watching) {
    return {};
  }
  State& state = TheState();
  const MutexLock lock(state.mutex);
  return IsBelow(path, state.root) ? Seen{state.watcher, std::string(path)} : Seen{};
}

Seen SeeFile(int fd) {
  if (!watching) {
    return {};
  }
  State& state = TheState();
  const MutexLock lock(state.mutex);
  const auto found = state.paths.find(fd);
  return found == state.paths.end() ? Seen{} : Seen{state.watcher, found->second};
}

void Remember(int fd, const std::string& path) {
  State& state = TheState();
  const MutexLock lock(state.mutex);
  state.paths[fd] = path;
}

void Forget(int fd) {
  if (watching) {
    State& state = TheState();
    const MutexLock lock(state.mutex);
    state.paths.erase(fd);
  }
}

// Fails when the watcher says so; otherwise makes `call` and tells of what it did.
template <class Call>
auto Through(const Seen& seen, FileEvent event, const Call& call) {
  using Result = decltype(call());
  if (seen.watcher == nullptr) {
    return call();
  }
  if (const FileFate fate = seen.watcher->Before(event.op, seen.path); fate.error != 0) {
    errno = fate.error;
    return Result{-1};
  }
  const Result result = call();
  const int error = errno;
  if (result >= 0) {
    seen.watcher->After(event);
  }
  errno = error;
  return result;
}

// The same for a call that may move fewer bytes than asked.
template <class Call>
ssize_t Moving(const Seen& seen, FileOp op, ByteView bytes, std::size_t size, const Call& call) {
  if (seen.watcher == nullptr) {
    return call(size);
  }
  const FileFate fate = seen.watcher->Before(op, seen.path);
  if (fate.error != 0) {
    errno = fate.error;
    return -1;
  }
  const std::size_t asked = fate.partial && size > 1 ? size / 2 : size;
  const ssize_t moved = call(asked);
  const int error = errno;
  if (moved >= 0) {
    const ByteView written = bytes.empty() ? bytes : bytes.first(static_cast<std::size_t>(moved));
    seen.watcher->After({.op = op, .path = seen.path, .bytes = written});
  }
  errno = error;
  return moved;
}

int OpenThrough(const std::string& path, int flags, const std::function<int()>& call) {
  const Seen seen = SeePath(path);
  const bool creates = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
  const int fd = Through(seen, {.op = FileOp::kOpen, .path = seen.path, .created = creates}, call);
  if (fd >= 0 && seen.watcher != nullptr) {
    Remember(fd, seen.path);
  }
  return fd;
}

unsigned ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
}

}  // namespace

WatchingFiles::WatchingFiles(const std::string& root, FileWatcher& watcher) {
  State& state = TheState();
  const MutexLock lock(state.mutex);
  TIDEMARK_CHECK(state.watcher == nullptr);
  state.watcher = &watcher;
  state.root = root;
  watching = true;
}

WatchingFiles::~WatchingFiles() {
  State& state = TheState();
  const MutexLock lock(state.mutex);
  watching = false;
  state.watcher = nullptr;
  state.paths.clear();
}

}  // namespace tidemark::fault

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name):
// libc's names
extern "C" {

using namespace tidemark::fault;  // NOLINT(google-build-using-namespace): nothing but definitions
                                  // follows

int open(const char* path, int flags, ...) {
  static auto* const real = Real<int(const char*, int, ...)>("open");
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenThrough(path, flags, [&] { return real(path, flags, mode); });
}

int openat(int folder, const char* name, int flags, ...) {
  static auto* const real = Real<int(int, const char*, int, ...)>("openat");
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = ModeOf(flags, arguments);
  va_end(arguments);
  const Seen seen = SeeFile(folder);
  const std::string path = name[0] == '/' ? std::string(name) : seen.path + "/" + name;
  return OpenThrough(path, flags, [&] { return real(folder, name, flags, mode); });
}

int close(int fd) {
  static auto* const real = Real<int(int)>("close");
  Forget(fd);
  ForgetSocket(fd);
  return real(fd);
}

int closedir(DIR* folder) {
  static auto* const real = Real<int(DIR*)>("closedir");
  Forget(dirfd(folder));
  return real(folder);
}

ssize_t read(int fd, void* out, size_t size) {
  static auto* const real = Real<ssize_t(int, void*, size_t)>("read");
  return Moving(SeeFile(fd), FileOp::kRead, {}, size, [&](std::size_t asked) {
    return real(fd, out, asked);
  });
}

ssize_t pread(int fd, void* out, size_t size, off_t offset) {
  static auto* const real = Real<ssize_t(int, void*, size_t, off_t)>("pread");
  return Moving(SeeFile(fd), FileOp::kRead, {}, size, [&](std::size_t asked) {
    return real(fd, out, asked, offset);
  });
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = Real<ssize_t(int, const void*, size_t)>("write");
  const tidemark::ByteView view(static_cast<const std::uint8_t*>(bytes), size);
  return Moving(SeeFile(fd), FileOp::kWrite, view, size, [&](std::size_t asked) {
    return real(fd, bytes, asked);
  });
}

int fsync(int fd) {
  static auto* const real = Real<int(int)>("fsync");
  const Seen seen = SeeFile(fd);
  return Through(seen, {.op = FileOp::kSync, .path = seen.path}, [&] { return real(fd); });
}

int syncfs(int fd) noexcept {
  static auto* const real = Real<int(int)>("syncfs");
  const Seen seen = SeeFile(fd);
  return Through(seen, {.op = FileOp::kSyncAll, .path = seen.path}, [&] { return real(fd); });
}

int link(const char* from, const char* to) noexcept {
  static auto* const real = Real<int(const char*, const char*)>("link");
  return Through(SeePath(to), {.op = FileOp::kLink, .path = from, .second = to}, [&] {
    return real(from, to);
  });
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = Real<int(const char*, const char*)>("rename");
  return Through(SeePath(to), {.op = FileOp::kRename, .path = from, .second = to}, [&] {
    return real(from, to);
  });
}

int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  // Whoever calls it names both by their paths.
  static auto* const real = Real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return Through(SeePath(to), {.op = FileOp::kRename, .path = from, .second = to}, [&] {
    return real(AT_FDCWD, from, AT_FDCWD, to, flags);
  });
}

int remove(const char* path) noexcept {
  static auto* const real = Real<int(const char*)>("remove");
  return Through(SeePath(path), {.op = FileOp::kUnlink, .path = path}, [&] { return real(path); });
}

int unlink(const char* path) noexcept {
  static auto* const real = Real<int(const char*)>("unlink");
  return Through(SeePath(path), {.op = FileOp::kUnlink, .path = path}, [&] { return real(path); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = Real<int(const char*, mode_t)>("mkdir");
  return Through(
      SeePath(path), {.op = FileOp::kMakeFolder, .path = path}, [&] { return real(path, mode); });
}

int stat(const char* path, struct stat* out) noexcept {
  static auto* const real = Real<int(const char*, struct stat*)>("stat");
  return Through(
      SeePath(path), {.op = FileOp::kStat, .path = path}, [&] { return real(path, out); });
}

int lstat(const char* path, struct stat* out) noexcept {
  static auto* const real = Real<int(const char*, struct stat*)>("lstat");
  return Through(
      SeePath(path), {.op = FileOp::kStat, .path = path}, [&] { return real(path, out); });
}

int fstat(int fd, struct stat* out) noexcept {
  static auto* const real = Real<int(int, struct stat*)>("fstat");
  const Seen seen = SeeFile(fd);
  return Through(seen, {.op = FileOp::kStat, .path = seen.path}, [&] { return real(fd, out); });
}

struct dirent* readdir(DIR* folder) {
  static auto* const real = Real<struct dirent*(DIR*)>("readdir");
  const Seen seen = SeeFile(dirfd(folder));
  struct dirent* entry = nullptr;
  const int failed = Through(seen, {.op = FileOp::kList, .path = seen.path}, [&] {
    entry = real(folder);
    return 0;
  });
  return failed != 0 ? nullptr : entry;
}
}
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
