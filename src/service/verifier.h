#pragma once

#include <chrono>
#include <stop_token>

#include "base/mutex.h"
#include "service/environment.h"

namespace tidemark::service {

// Restore drills without a target: reads and decodes all of the newest snapshot of each cluster
// whose schedule asks for it, as a restore would, and compares every namespace with the digest that
// was taken when it was stored. Confined: one thread calls RunNext or Work. Two nodes may both read
// the same snapshot, which costs time and nothing else.
class Verifier {
 public:
  explicit Verifier(Environment& environment) : env_(environment) {}

  // The verification that has been due longest; its result is kept with the schedule. False when
  // none is due. Blocks as long as reading takes; a stopped one leaves no result.
  bool RunNext(const std::stop_token& stop);
  // The body of a thread: looks every minute; returns soon after `stop`.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);

 private:
  Environment& env_;
  Mutex mutex_;
  CondVar stopped_;
};

}  // namespace tidemark::service
