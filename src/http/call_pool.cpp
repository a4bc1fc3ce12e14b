#include "http/internal/call_pool.h"

#include <utility>

#include <pthread.h>

namespace tidemark::http {

CallPool::CallPool(std::string name, int threads, std::size_t max_waiting)
    : name_(std::move(name)), capacity_(static_cast<std::size_t>(threads) + max_waiting) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), name_.c_str());
      Work();
    });
  }
}

CallPool::~CallPool() {
  Stop();
}

bool CallPool::TryRun(Job job) {
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (stopped_ || waiting_.size() + running_ >= capacity_) {
      return false;
    }
    waiting_.push_back(std::move(job));
    wake = MustWake();
  }
  if (wake) {
    not_empty_.NotifyOne();
  }
  return true;
}

bool CallPool::MustWake() {
  if (waiting_.empty() || idle_ == 0 || waking_) {
    return false;
  }
  waking_ = true;
  return true;
}

void CallPool::Stop() {
  std::deque<Job> dropped;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
    not_empty_.NotifyAll();
  }
  for (const Job& job : dropped) {
    job(Fate::kDropped);
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void CallPool::Work() {
  std::optional<Job> job = Next(Before::kNothing);
  while (job) {
    (*job)(Fate::kRun);
    job.reset();  // what it holds goes before the place that it takes
    job = Next(Before::kJob);
  }
}

std::optional<CallPool::Job> CallPool::Next(Before before) {
  std::optional<Job> job;
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    running_ -= before == Before::kJob ? 1 : 0;
    while (waiting_.empty() && !stopped_) {
      ++idle_;
      not_empty_.Wait(mutex_);
      --idle_;
      waking_ = false;
    }
    if (!waiting_.empty()) {
      job = TakeFirst();
      wake = MustWake();
    }
  }
  if (wake) {
    not_empty_.NotifyOne();
  }
  return job;
}

CallPool::Job CallPool::TakeFirst() {
  Job job = std::move(waiting_.front());
  waiting_.pop_front();
  ++running_;
  return job;
}

}  // namespace tidemark::http
