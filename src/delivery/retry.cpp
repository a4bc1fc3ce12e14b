#include "delivery/internal/retry.h"

#include <algorithm>

namespace tidemark::delivery {
namespace {

constexpr int kMostDoublings = 4;

}  // namespace

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
