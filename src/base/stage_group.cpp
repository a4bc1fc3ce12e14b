#include "base/stage_group.h"

#include <pthread.h>

namespace tidemark {

StageGroup::StageGroup(const std::stop_token& parent)
    : parent_link_(parent, [this] { stop_.request_stop(); }) {}

StageGroup::~StageGroup() {
  stop_.request_stop();
  Join();
}

void StageGroup::Start(const std::string& name, std::function<void(const std::stop_token&)> body) {
  threads_.emplace_back([this, name, body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    try {
      body(stop_.get_token());
    } catch (...) {  // kept for Wait(): an exception must not end the process from a stage thread
      Fail(std::current_exception());
    }
  });
}

void StageGroup::OnStop(std::function<void()> callback) {
  on_stop_.push_back(std::make_unique<std::stop_callback<std::function<void()>>>(
      stop_.get_token(), std::move(callback)));
}

void StageGroup::Fail(std::exception_ptr failure) {
  {
    const MutexLock lock(mutex_);
    if (!first_) {
      first_ = std::move(failure);
    }
  }
  stop_.request_stop();
}

void StageGroup::Wait() {
  Join();
  std::exception_ptr first;
  {
    const MutexLock lock(mutex_);
    std::swap(first, first_);
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

void StageGroup::Join() {
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

}  // namespace tidemark
