#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "delivery/cluster_restore.h"
#include "domain/drill.h"
#include "jobs/runner.h"
#include "service/cluster_service.h"
#include "service/schedule_service.h"

namespace tidemark::service {

struct DrillSettings {
  std::optional<domain::Cluster> target;  // drills restore into it; nullopt: they read and decode
  int interval_days = 0;                  // of the schedule; 0: only when somebody asks
};

// Absent members change nothing.
struct DrillChange {
  std::optional<std::string> target;  // name of a cluster of the same project; "": none
  std::optional<int> interval_days;
};

// Restore drills: the newest snapshot of a cluster is restored into a scratch target, read back as
// every restore is, and wiped; without a target it is read and decoded wholly. Only a cluster that
// the operator has marked is ever wiped, and never the one that the snapshot is of, whatever name
// it is registered under. Synchronized; every call blocks. The caller's right on the project has
// been checked.
class DrillService {
 public:
  DrillService(Environment& environment,
               ClusterService& clusters,
               ScheduleService& schedules,
               delivery::RestoreOptions options)
      : env_(environment),
        clusters_(clusters),
        schedules_(schedules),
        options_(std::move(options)) {}

  // The operator's word that all that the cluster holds may be thrown away, and its end: drills
  // that have begun go on.
  void MarkScratch(const domain::Cluster& cluster);
  // Stops drills into it. kClusterBusy, with the mark off, until a running one has left it: ask
  // again before anything that is to stay is written there.
  void UnmarkScratch(const domain::Cluster& cluster);
  bool IsScratch(const domain::Cluster& cluster);

  DrillSettings FindSettings(const domain::Cluster& cluster);
  // kInvalidValue: the target is the cluster itself, not marked or sharded, or the interval is out
  // of range. kClusterNotFound.
  DrillSettings Change(const domain::Cluster& cluster, const DrillChange& change);

  // Of the newest completed snapshot, now: kSnapshotNotFound without one, kClusterBusy while a
  // drill of the cluster is unfinished, kInvalidValue when its target has lost its mark.
  domain::Drill Start(const domain::Cluster& cluster);
  domain::Listing<domain::Drill> List(const domain::Cluster& cluster, const domain::Page& page);
  // Of that cluster; nullopt otherwise.
  std::optional<domain::Drill> Find(const domain::Cluster& cluster, const domain::DrillId& id);
  std::optional<domain::Job> FindJob(const domain::DrillId& id);
  // The newest that passed or failed.
  std::optional<domain::Drill> FindLast(const domain::Cluster& cluster);
  std::optional<domain::Drill> FindLastOf(const SnapshotId& snapshot);

  // Queues the drill that has been due longest. False when none is.
  bool QueueNext();
  // The body of a thread: queues what is due, looks every minute; returns soon after `stop`.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  // The handler of JobKind::kDrill.
  void Run(const jobs::JobContext& context);

 private:
  domain::Drill MakeDrill(const domain::Cluster& cluster, const SnapshotId& snapshot);
  bool Queue(const domain::Drill& drill);
  void CheckTarget(const domain::Cluster& cluster, const domain::Cluster& target);

  Environment& env_;
  ClusterService& clusters_;
  ScheduleService& schedules_;
  const delivery::RestoreOptions options_;
  Mutex mutex_;
  CondVar stopped_;
};

}  // namespace tidemark::service
