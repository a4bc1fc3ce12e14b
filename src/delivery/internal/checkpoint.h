#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "base/mutex.h"
#include "domain/restore_job.h"
#include "engine/run_context.h"

namespace tidemark::delivery {

// What an interrupted restore has done, as text: the line "wiped", then "begun" and its number for
// each large namespace that has been created but not finished, then one line for each finished
// namespace of the selection: its number and, when documents were compared, how many were left
// alone, replaced, inserted and deleted. Synchronized; every change is durable when it returns.
class Checkpoint {
 public:
  // Continues from run.checkpoint; kCorrupt when that is not what Checkpoint writes.
  // `run` must outlive it.
  explicit Checkpoint(const engine::RunContext& run);

  bool IsWiped() TIDEMARK_EXCLUDES(mutex_);
  bool IsFinished(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  bool IsBegun(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  bool IsClaimed(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  void MarkWiped() TIDEMARK_EXCLUDES(mutex_);
  void MarkBegun(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  // The target had no namespace of that name: what is there from now on is ours.
  void MarkClaimed(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  void TakeBackClaim(std::size_t ns) TIDEMARK_EXCLUDES(mutex_);
  void MarkFinished(std::size_t ns, const domain::RestoreChanges& changes = {})
      TIDEMARK_EXCLUDES(mutex_);
  // Of all finished namespaces.
  domain::RestoreChanges Changes() TIDEMARK_EXCLUDES(mutex_);

 private:
  void Save() TIDEMARK_REQUIRES(mutex_);

  const engine::RunContext& run_;
  Mutex mutex_;
  bool wiped_ TIDEMARK_GUARDED_BY(mutex_) = false;
  std::set<std::size_t> begun_ TIDEMARK_GUARDED_BY(mutex_);
  std::set<std::size_t> claimed_ TIDEMARK_GUARDED_BY(mutex_);
  std::map<std::size_t, domain::RestoreChanges> finished_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::delivery
