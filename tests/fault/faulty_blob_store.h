#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "blob/blob_store.h"

namespace tidemark::blob {

// Which call fails (1 = the first; 0 = none) and how.
struct FaultPlan {
  enum class Effect { kNone, kDone };      // kDone: the call took effect, only its answer was lost
  enum class Span { kOnce, kFromThenOn };  // kFromThenOn: as if the process or the store had died

  std::size_t call = 0;
  Effect effect = Effect::kNone;
  Span span = Span::kOnce;
};

// Passes calls on to `inner` and fails those that the plan says, with kUnavailable. Remembers
// changes in order, as "put NAME" and "delete NAME". Synchronized. `inner` must outlive it.
class FaultyBlobStore final : public BlobStore {
 public:
  explicit FaultyBlobStore(BlobStore& inner, FaultPlan plan = {}) : inner_(inner), plan_(plan) {}

  void Put(std::string_view name, ByteView bytes) override {
    Run([&] {
      inner_.Put(name, bytes);
      Remember("put " + std::string(name));
    });
  }

  Bytes Get(std::string_view name) override {
    Bytes bytes;
    Run([&] { bytes = inner_.Get(name); });
    return bytes;
  }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    Bytes bytes;
    Run([&] { bytes = inner_.GetRange(name, offset, size); });
    return bytes;
  }

  std::optional<ByteCount> Size(std::string_view name) override {
    std::optional<ByteCount> size;
    Run([&] { size = inner_.Size(name); });
    return size;
  }

  void List(std::string_view prefix,
            const std::function<void(const std::string& name, ByteCount size)>& visit) override {
    Run([&] { inner_.List(prefix, visit); });
  }

  void Delete(std::string_view name) override {
    Run([&] {
      inner_.Delete(name);
      Remember("delete " + std::string(name));
    });
  }

  std::vector<std::string> changes() const TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return changes_;
  }

 private:
  enum class Fate { kPass, kFail, kFailAfter };

  Fate NextFate() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++calls_;
    if (plan_.call == 0 || calls_ < plan_.call) {
      return Fate::kPass;
    }
    if (calls_ == plan_.call) {
      return plan_.effect == FaultPlan::Effect::kDone ? Fate::kFailAfter : Fate::kFail;
    }
    return plan_.span == FaultPlan::Span::kFromThenOn ? Fate::kFail : Fate::kPass;
  }

  void Run(const std::function<void()>& call) {
    const Fate fate = NextFate();
    if (fate != Fate::kFail) {
      call();
    }
    if (fate != Fate::kPass) {
      throw Error(ErrorCode::kUnavailable, "calling the store: injected fault");
    }
  }

  void Remember(std::string change) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    changes_.push_back(std::move(change));
  }

  BlobStore& inner_;
  const FaultPlan plan_;
  mutable Mutex mutex_;
  std::size_t calls_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> changes_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::blob
