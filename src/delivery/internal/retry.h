#pragma once

#include <functional>
#include <stop_token>

#include "base/error.h"
#include "delivery/cluster_restore.h"

namespace tidemark::delivery {

// Runs `step` until it succeeds, fails for good, or options.attempts are used up; only errors that
// IsRetryable are tried again, after options.retry_pause, doubled each time up to 16 times. The
// last error says how many attempts there were. `step` must be repeatable.
void Retry(const RestoreOptions& options,
           Log& log,
           const std::stop_token& stop,
           const std::function<void()>& step);

}  // namespace tidemark::delivery
