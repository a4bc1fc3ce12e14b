#include "delivery/internal/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace tidemark::delivery {
namespace {

constexpr int kMostDoublings = 4;

}  // namespace

void PauseFor(std::chrono::milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  waiting.wait_for(lock, stop, pause, [] { return false; });
}

void Retry(const RestoreOptions& options,
           Log& log,
           const std::stop_token& stop,
           const std::function<void()>& step) {
  for (int attempt = 1;; ++attempt) {
    try {
      step();
      return;
    } catch (const Error& error) {
      if (!IsRetryable(error.code()) || stop.stop_requested()) {
        throw;
      }
      if (attempt >= options.attempts) {
        throw error.WithContext(std::to_string(attempt) + " attempts, the last");
      }
      log.Warn("restore={} attempt={}  {}", options.job, attempt, error.message());
    }
    options.pause(options.retry_pause * (1 << std::min(attempt - 1, kMostDoublings)), stop);
  }
}

}  // namespace tidemark::delivery
