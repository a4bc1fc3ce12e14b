#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/fault/disk_model.h"
#include "tests/fault/file_calls.h"

// The ways in which calls to the file system fail in campaigns.
namespace tidemark::fault {

struct FileFault {
  const char* name;
  FileFate fate;
  std::vector<FileOp> ops;  // that may fail so
  bool stays = false;       // all later ones fail, too
};

const std::vector<FileFault>& FileFaults();

// The n-th call that may fail so fails.
class FailingCalls final : public FileWatcher {
 public:
  FailingCalls(const FileFault& fault, std::size_t call) : fault_(fault), call_(call) {}

  FileFate Before(FileOp op, const std::string& path) override {
    if (std::find(fault_.ops.begin(), fault_.ops.end(), op) == fault_.ops.end()) {
      return {};
    }
    const std::size_t call = ++calls_;
    if (call == call_) {
      const MutexLock lock(mutex_);
      path_ = path;
    }
    const bool fails = fault_.stays ? call >= call_ : call == call_;
    return fails ? fault_.fate : FileFate{};
  }

  bool met() const { return calls_ >= call_; }

  std::string path() const {
    const MutexLock lock(mutex_);
    return path_;
  }

 private:
  const FileFault& fault_;
  const std::size_t call_;
  std::atomic<std::size_t> calls_{0};
  mutable Mutex mutex_;
  std::string path_ TIDEMARK_GUARDED_BY(mutex_);  // that the failed call was about
};

// From its n-th call on a process is dead: nothing that it does has an effect.
class DyingRecorder final : public FileRecorder {
 public:
  explicit DyingRecorder(std::size_t lives) : lives_(lives) {}

  FileFate Before(FileOp, const std::string&) override {
    const std::size_t call = calls_++;
    return {.error = !risen_ && call >= lives_ ? EIO : 0};
  }

  // The next process.
  void Rise() { risen_ = true; }

  bool died() const { return calls_ > lives_; }

 private:
  const std::size_t lives_;
  std::atomic<std::size_t> calls_{0};
  std::atomic<bool> risen_{false};
};

// One call to sync something fails.
class FailingSync final : public FileRecorder {
 public:
  explicit FailingSync(std::size_t call) : call_(call) {}

  FileFate Before(FileOp op, const std::string&) override {
    const bool syncs = op == FileOp::kSync || op == FileOp::kSyncAll;
    return {.error = syncs && ++syncs_ == call_ ? EIO : 0};
  }

  bool met() const { return syncs_ >= call_; }

 private:
  const std::size_t call_;
  std::atomic<std::size_t> syncs_{0};
};

}  // namespace tidemark::fault
