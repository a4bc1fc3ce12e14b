#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

// This program's calls to the file system, seen and failed one by one: file_calls.cpp defines open,
// write, fsync and their like in place of libc's, so that the product needs no seam for it.
namespace tidemark::fault {

enum class FileOp {
  kOpen,
  kRead,
  kWrite,
  kSync,     // of a file or folder
  kSyncAll,  // syncfs
  kLink,
  kRename,
  kUnlink,
  kMakeFolder,
  kStat,
  kList,  // readdir
};

// A call that has succeeded.
struct FileEvent {
  FileOp op;
  std::string path;    // absolute
  std::string second;  // new name of a link or rename
  ByteView bytes;      // written; valid during the call
  bool created = false;
};

// What becomes of a call.
struct FileFate {
  int error = 0;         // errno; 0: it is made
  bool partial = false;  // a read or write takes half of what it could
};

// Called on the thread that makes the call; several at once.
class FileWatcher {
 public:
  virtual ~FileWatcher() = default;
  virtual FileFate Before(FileOp op, const std::string& path) = 0;

  virtual void After(const FileEvent& event) { (void)event; }
};

// While it lives, `watcher` sees the calls on paths below `root` (absolute) and on files that were
// opened there meanwhile. One at a time in a process.
class WatchingFiles {
 public:
  WatchingFiles(const std::string& root, FileWatcher& watcher);
  ~WatchingFiles();
  WatchingFiles(const WatchingFiles&) = delete;
  WatchingFiles& operator=(const WatchingFiles&) = delete;
};

}  // namespace tidemark::fault
