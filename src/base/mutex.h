#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// The lock annotations that clang checks with -Wthread-safety.
#define TIDEMARK_CAPABILITY(x) __attribute__((capability(x)))
#define TIDEMARK_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define TIDEMARK_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define TIDEMARK_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define TIDEMARK_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define TIDEMARK_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define TIDEMARK_RETURN_CAPABILITY(x) __attribute__((lock_returned(x)))
#define TIDEMARK_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))

namespace tidemark {

// std::mutex with annotations.
class TIDEMARK_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() TIDEMARK_ACQUIRE() { mutex_.lock(); }

  void Unlock() TIDEMARK_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class TIDEMARK_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TIDEMARK_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }

  ~MutexLock() TIDEMARK_RELEASE() { mutex_.Unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable for Mutex. Waits may wake up spuriously: always wait in a loop.
class CondVar {
 public:
  void Wait(Mutex& mutex) TIDEMARK_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // Returns after `timeout` at the latest.
  void WaitFor(Mutex& mutex, std::chrono::steady_clock::duration timeout) TIDEMARK_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, timeout);
    lock.release();
  }

  void NotifyOne() { condition_.notify_one(); }

  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace tidemark
