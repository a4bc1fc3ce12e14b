#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"

namespace tidemark::catalog {

// Rows that every request asks for (token, project, cluster), kept until anything is written: a
// revocation that has returned is seen by whoever asks afterwards. What is not there is not kept,
// so that strangers cannot fill it. Bounded. Synchronized.
template <class Value>
class ReadCache {
 public:
  // The value of `key` as of `generation` (SessionPool::generation, read by the caller before) or
  // later; `load` gives an optional of it.
  template <class Load>
  std::optional<Value> Get(std::uint64_t generation, std::string_view key, const Load& load)
      TIDEMARK_EXCLUDES(mutex_) {
    if (const auto kept = Find(generation, key)) {
      return *kept;
    }
    std::optional<Value> loaded = load();
    if (loaded) {
      Keep(generation, key, *loaded);
    }
    return loaded;
  }

 private:
  static constexpr std::size_t kMaxEntries = 1024;  // of about 0.5 KiB each

  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  // Shared with whoever copies it outside of the lock.
  using Entry = std::shared_ptr<const Value>;

  Entry Find(std::uint64_t generation, std::string_view key) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (generation != generation_) {
      return nullptr;
    }
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second;
  }

  void Keep(std::uint64_t generation, std::string_view key, const Value& value)
      TIDEMARK_EXCLUDES(mutex_) {
    auto entry = std::make_shared<const Value>(value);
    const MutexLock lock(mutex_);
    if (generation < generation_) {
      return;  // something may have been written since it was read
    }
    if (generation > generation_ || entries_.size() >= kMaxEntries) {
      entries_.clear();
      generation_ = generation;
    }
    entries_.insert_or_assign(std::string(key), std::move(entry));
  }

  Mutex mutex_;
  std::uint64_t generation_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_
      TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::catalog
