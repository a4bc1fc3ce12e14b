#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/mutex.h"
#include "engine/run_context.h"

namespace tidemark::delivery {

// What an interrupted restore has done, as text: the line "wiped", then one line with the number of
// each finished namespace of the manifest. Synchronized; every change is durable when it returns.
class Checkpoint {
 public:
  // Continues from run.checkpoint; kCorrupt when that is not what Checkpoint writes.
  // `run` must outlive it.
  explicit Checkpoint(const engine::RunContext& run);

  bool IsWiped() TIDEMARK_EXCLUDES(mutex_);
  bool IsFinished(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  void MarkWiped() TIDEMARK_EXCLUDES(mutex_);
  void MarkFinished(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);

 private:
  void Save() TIDEMARK_REQUIRES(mutex_);

  const engine::RunContext& run_;
  Mutex mutex_;
  bool wiped_ TIDEMARK_GUARDED_BY(mutex_) = false;
  std::set<std::size_t> finished_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::delivery
