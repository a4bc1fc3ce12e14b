#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/mutex.h"
#include "delivery/internal/selection.h"
#include "engine/run_context.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// The counters of a restore, reported at most ten times a second, and how far each namespace of the
// selection is, by its number. Synchronized.
class RestoreProgress {
 public:
  // All must outlive it.
  RestoreProgress(const Selection& selection,
                  const RestoreOptions& options,
                  const engine::RunContext& run);

  void Written(std::size_t ns, std::uint64_t documents, std::uint64_t bytes)
      TIDEMARK_EXCLUDES(mutex_);
  // An attempt has failed: what it wrote does not count.
  void Forget(std::size_t ns, std::uint64_t documents, std::uint64_t bytes)
      TIDEMARK_EXCLUDES(mutex_);
  void NamespaceFinished() TIDEMARK_EXCLUDES(mutex_);
  // REQUIRES: calls for one namespace do not overlap.
  void Reached(std::size_t ns, NamespaceStage stage) TIDEMARK_EXCLUDES(mutex_);
  void Failed(std::size_t ns, const Error& why) TIDEMARK_EXCLUDES(mutex_);

  engine::Progress Now() TIDEMARK_EXCLUDES(mutex_);

 private:
  struct OfNamespace {
    NamespaceStage stage = NamespaceStage::kLoading;
    std::uint64_t documents = 0;
    Instant told;
  };

  void Report() TIDEMARK_EXCLUDES(mutex_);
  void Tell(std::size_t ns, const std::string& failure = {}) TIDEMARK_EXCLUDES(mutex_);

  const Selection& selection_;
  const RestoreOptions& options_;
  const engine::RunContext& run_;
  Mutex mutex_;
  std::vector<OfNamespace> namespaces_ TIDEMARK_GUARDED_BY(mutex_);
  engine::Progress now_ TIDEMARK_GUARDED_BY(mutex_);
  Instant reported_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::delivery
