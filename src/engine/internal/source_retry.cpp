#include "engine/internal/source_retry.h"

#include <algorithm>

namespace tidemark::engine {
namespace {

constexpr int kMostDoublings = 4;

}  // namespace

void SourceRetry::PauseOrThrow(const Error& error, const std::stop_token& stop) {
  if (inside_ || !IsRetryable(error.code()) || stop.stop_requested()) {
    throw;
  }
  if (std::exchange(progressed_, false) && !counts_all_) {
    attempt_ = 0;
  }
  if (++attempt_ >= options_.attempts) {
    throw error.WithContext(std::to_string(attempt_) + " attempts, the last");
  }
  log_.Warn("snapshot={} attempt={} reading={}  {}",
            options_.snapshot.ToString(),
            attempt_,
            what_,
            error.message());
  options_.pause(options_.retry_pause * (1 << std::min(attempt_ - 1, kMostDoublings)), stop);
}

}  // namespace tidemark::engine
