#pragma once

#include <cstdint>

#include "base/mutex.h"
#include "engine/run_context.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// The counters of a restore, reported at most ten times a second. Synchronized.
class RestoreProgress {
 public:
  // `run` must outlive it.
  RestoreProgress(const repo::Manifest& manifest, const engine::RunContext& run);

  void Written(std::uint64_t documents, std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  // An attempt has failed: what it wrote does not count.
  void Forget(std::uint64_t documents, std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  void NamespaceFinished() TIDEMARK_EXCLUDES(mutex_);

  engine::Progress Now() TIDEMARK_EXCLUDES(mutex_);

 private:
  void Report() TIDEMARK_EXCLUDES(mutex_);

  const engine::RunContext& run_;
  Mutex mutex_;
  engine::Progress now_ TIDEMARK_GUARDED_BY(mutex_);
  Instant reported_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::delivery
