#pragma once

#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "base/mutex.h"
#include "engine/check.h"
#include "engine/repair.h"
#include "repo/maintenance.h"
#include "service/environment.h"

namespace tidemark::service {

enum class TaskState { kPending, kRunning, kCompleted, kFailed };

// "PENDING", "RUNNING", "COMPLETED", "FAILED".
std::string_view TaskStateName(TaskState state);

enum class DryRun { kNo, kYes };

struct CheckRequest {
  double read_percent = 0;  // engine::CheckOptions
};

struct CollectRequest {
  DryRun dry_run = DryRun::kNo;
  int rewrite_below_percent = repo::CollectionOptions().rewrite_below_percent;
};

struct RepairRequest {
  // Where documents are taken from: the clusters that the snapshots were taken of, one other, or
  // nowhere.
  enum class From { kOwnClusters, kNamedCluster, kNowhere };

  DryRun dry_run = DryRun::kNo;
  From from = From::kOwnClusters;
  std::string cluster;  // kNamedCluster: its name
};

// Long work on one project's part of the repository.
struct RepositoryTask {
  ObjectId id;
  ProjectId project;
  std::variant<CheckRequest, CollectRequest, RepairRequest> request;
  TaskState state = TaskState::kPending;
  Instant created;
  std::optional<Instant> finished;
  std::string failure;  // of a failed one; damage that was found is no failure
  engine::Progress progress;
  std::optional<engine::CheckReport> report;        // of a completed check
  std::optional<repo::CollectionResult> collected;  // of a completed collection
  std::optional<repo::RepairReport> repaired;       // of a completed repair
};

// Checks, collections, repairs and statistics. Synchronized.
//
// Tasks wait in memory for the one thread that runs them, at most kMaxPending of them; the newest
// kMaxFinished finished ones are remembered. They are not durable: a server that starts anew knows
// none, and repeating one is safe.
class RepositoryService {
 public:
  static constexpr std::size_t kMaxPending = 16;
  static constexpr std::size_t kMaxFinished = 64;

  explicit RepositoryService(Environment& environment) : env_(environment) {}

  // Queue one. kUnavailable when kMaxPending wait; kInvalidArgument for a share out of range.
  RepositoryTask StartCheck(const ProjectId& project, const CheckRequest& request);
  RepositoryTask StartCollection(const ProjectId& project, const CollectRequest& request);
  // Also kClusterNotFound.
  RepositoryTask StartRepair(const ProjectId& project, const RepairRequest& request);
  // Of that project; nullopt when there is none, or it was forgotten.
  std::optional<RepositoryTask> Find(const ProjectId& project, const ObjectId& id) const
      TIDEMARK_EXCLUDES(mutex_);
  // Blocks while manifests and list chunks are read: about a second for each TiB that is stored.
  // kUnavailable while another call is at it, so that at most one thread is held.
  repo::RepositoryStats ReadStats(const ProjectId& project);

  // The body of the thread that runs tasks; returns soon after `stop`.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  // Runs the task that has waited longest. False when none waits.
  bool RunNext(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);

 private:
  RepositoryTask Queue(RepositoryTask task) TIDEMARK_EXCLUDES(mutex_);
  std::optional<RepositoryTask> TakeNext() TIDEMARK_EXCLUDES(mutex_);
  void Execute(RepositoryTask& task, const std::stop_token& stop);
  repo::CollectionResult Collect(const ProjectId& project,
                                 const CollectRequest& request,
                                 const std::stop_token& stop);
  repo::RepairReport Repair(const ProjectId& project,
                            const RepairRequest& request,
                            const engine::RunContext& run);
  void Finish(RepositoryTask task) TIDEMARK_EXCLUDES(mutex_);
  void Tell(const RepositoryTask& task);
  void KeepProgress(const ObjectId& id, const engine::Progress& progress) TIDEMARK_EXCLUDES(mutex_);
  void WaitForWork(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  void ForgetOldest() TIDEMARK_REQUIRES(mutex_);

  Environment& env_;
  mutable Mutex mutex_;
  CondVar queued_;
  std::deque<RepositoryTask> tasks_ TIDEMARK_GUARDED_BY(mutex_);  // oldest first
  bool reading_stats_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::service
