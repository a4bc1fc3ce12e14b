#pragma once

#include <optional>

#include "base/mutex.h"
#include "engine/run_context.h"

namespace tidemark::engine {

// Sums what several threads have done and passes it on at most ten times a second. Synchronized.
class ProgressMeter {
 public:
  // `context` must outlive the meter. `totals` holds the phase and the totals.
  ProgressMeter(const RunContext& context, Progress totals)
      : context_(context), progress_(std::move(totals)) {}

  void AddDocuments(std::uint64_t documents, std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  // They were added, and will be again.
  void TakeBack(std::uint64_t documents, std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  void AddCollection() TIDEMARK_EXCLUDES(mutex_);
  // The final counts, whenever the last report was.
  void ReportEnd() TIDEMARK_EXCLUDES(mutex_);

 private:
  void ReportIfDue() TIDEMARK_EXCLUDES(mutex_);

  const RunContext& context_;
  Mutex mutex_;
  Progress progress_ TIDEMARK_GUARDED_BY(mutex_);
  std::optional<Instant> last_report_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::engine
