#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace tidemark::http {

// A fixed number of threads and a bounded queue. Synchronized.
class CallPool {
 public:
  enum class Fate { kRun, kDropped };
  // Called exactly once: on a thread of the pool with kRun, or by Stop() with kDropped. Must not
  // throw.
  using Job = std::function<void(Fate)>;

  // `name` is what the threads are called: at most 15 characters.
  CallPool(std::string name, int threads, std::size_t max_waiting);
  // Stops.
  ~CallPool();
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  // False, and `job` is not called, when the queue is full or the pool has stopped. Does not block.
  bool TryRun(Job job) TIDEMARK_EXCLUDES(mutex_);

  // Drops what waits, joins what runs. May be repeated; only by one thread at a time.
  void Stop() TIDEMARK_EXCLUDES(mutex_);

 private:
  void Work() TIDEMARK_EXCLUDES(mutex_);
  enum class Before { kNothing, kJob };  // what the thread comes from

  // Blocks while there is nothing to do; nullopt once stopped.
  std::optional<Job> Next(Before before) TIDEMARK_EXCLUDES(mutex_);
  Job TakeFirst() TIDEMARK_REQUIRES(mutex_);
  // True when the caller has to notify once it has let go of the mutex: the thread that wakes wants
  // it. One thread at a time is woken, and wakes the next one if it leaves work behind; one for
  // each job would cost more than most jobs.
  bool MustWake() TIDEMARK_REQUIRES(mutex_);

  const std::string name_;
  const std::size_t capacity_;  // running and waiting
  Mutex mutex_;
  CondVar not_empty_;
  std::deque<Job> waiting_ TIDEMARK_GUARDED_BY(mutex_);
  std::size_t running_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  std::size_t idle_ TIDEMARK_GUARDED_BY(mutex_) = 0;  // threads that wait for work
  bool waking_ TIDEMARK_GUARDED_BY(mutex_) = false;   // one of them is on its way
  bool stopped_ TIDEMARK_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace tidemark::http
