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
  const MutexLock lock(mutex_);
  if (stopped_ || waiting_.size() + running_ >= capacity_) {
    return false;
  }
  waiting_.push_back(std::move(job));
  WakeOne();
  return true;
}

void CallPool::WakeOne() {
  if (idle_ > 0 && !waking_) {
    waking_ = true;
    not_empty_.NotifyOne();
  }
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
  while (std::optional<Job> job = Next()) {
    (*job)(Fate::kRun);
    job.reset();
    const MutexLock lock(mutex_);
    --running_;
  }
}

std::optional<CallPool::Job> CallPool::Next() {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !stopped_) {
    ++idle_;
    not_empty_.Wait(mutex_);
    --idle_;
    waking_ = false;
  }
  if (waiting_.empty()) {
    return std::nullopt;
  }
  Job job = std::move(waiting_.front());
  waiting_.pop_front();
  ++running_;
  if (!waiting_.empty()) {
    WakeOne();
  }
  return job;
}

}  // namespace tidemark::http
