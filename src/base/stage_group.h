#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace tidemark {

// The threads of one pipeline. The first exception of any of them is kept, every other one is asked
// to stop, and Wait() rethrows it after all have ended: a failed stage cannot be overlooked.
// Declare it after everything its stages and callbacks use. Confined to its owner's thread.
class StageGroup {
 public:
  // A stop of `parent` stops the group as well.
  explicit StageGroup(const std::stop_token& parent = {});
  // Asks every thread to stop and joins it.
  ~StageGroup();
  StageGroup(const StageGroup&) = delete;
  StageGroup& operator=(const StageGroup&) = delete;

  // Starts a thread named `name` (first 15 bytes are shown by the system). `body` must return soon
  // after its token is stopped; queues it blocks on have to be closed by an OnStop callback.
  void Start(const std::string& name, std::function<void(const std::stop_token&)> body);

  // `callback` runs once, on whichever thread first requests the stop. For closing queues.
  void OnStop(std::function<void()> callback);

  // Joins all threads, then rethrows the first exception. May be repeated (then without effect).
  void Wait();

  // Stops the group as if a stage had failed with `failure`.
  void Fail(std::exception_ptr failure);

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void Join();

  std::stop_source stop_;
  std::stop_callback<std::function<void()>> parent_link_;
  std::vector<std::unique_ptr<std::stop_callback<std::function<void()>>>> on_stop_;
  std::vector<std::thread> threads_;
  Mutex mutex_;
  std::exception_ptr first_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark
