#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/units.h"

namespace tidemark {

// Joins two pipeline stages. Bounded by the bytes of what waits in it, so a slow stage slows the
// fast one instead of filling memory. Synchronized: any number of producers and consumers.
template <class T>
class BoundedQueue {
 public:
  // One item is always let in, even if it alone is larger than `capacity`.
  explicit BoundedQueue(ByteCount capacity) : capacity_(capacity.value) {}

  // Blocks while the queue is full. False, and `item` is dropped, once the queue is closed or
  // aborted.
  bool Push(T item, ByteCount size) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!closed_ && !items_.empty() && used_ + size.value > capacity_) {
      not_full_.Wait(mutex_);
    }
    if (closed_) {
      return false;
    }
    used_ += size.value;
    items_.emplace_back(std::move(item), size.value);
    not_empty_.NotifyOne();
    return true;
  }

  // Blocks while the queue is empty and open. nullopt once it is closed and drained, or aborted.
  std::optional<T> Pop() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      not_empty_.Wait(mutex_);
    }
    if (items_.empty()) {
      return std::nullopt;
    }
    T item = std::move(items_.front().first);
    used_ -= items_.front().second;
    items_.pop_front();
    not_full_.NotifyAll();
    return item;
  }

  // No more input; consumers drain what is there. May be repeated.
  void Close() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    closed_ = true;
    not_empty_.NotifyAll();
    not_full_.NotifyAll();
  }

  // Close() and drop what waits: the other side has failed.
  void Abort() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    closed_ = true;
    items_.clear();
    used_ = 0;
    not_empty_.NotifyAll();
    not_full_.NotifyAll();
  }

 private:
  const std::size_t capacity_;  // bytes
  Mutex mutex_;
  CondVar not_empty_;
  CondVar not_full_;
  std::deque<std::pair<T, std::size_t>> items_ TIDEMARK_GUARDED_BY(mutex_);
  std::size_t used_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  bool closed_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark
