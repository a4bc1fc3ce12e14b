#include "service/drill_service.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "service/internal/drill_run.h"
#include "service/internal/job_run.h"
#include "service/refusal.h"

namespace tidemark::service {
namespace {

constexpr std::chrono::minutes kPoll{1};
// How soon a drill leaves its target to a person's restore: a look at one row each time.
constexpr std::chrono::milliseconds kStopPoll{250};
constexpr std::int64_t kLookedAt = 1;

[[noreturn]] void RefuseTarget(const std::string& target, const std::string& why) {
  throw Refusal(Reason::kInvalidValue,
                ErrorCode::kInvalidArgument,
                "drilling with cluster " + target + ": " + why,
                {"targetClusterName"});
}

// Stops what runs under token() when the job has to stop, or when somebody restores into the
// drill's target.
class StopWatch {
 public:
  StopWatch(Environment& environment, const jobs::JobContext& context)
      : env_(environment),
        drill_(context.job.subject),
        link_(context.stop, [this] { stop_.request_stop(); }),
        thread_([this](const std::stop_token& done) { Watch(done); }) {}

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void Watch(const std::stop_token& done) TIDEMARK_EXCLUDES(mutex_) {
    const std::stop_callback wake(done, [this] {
      const MutexLock lock(mutex_);
      tick_.NotifyAll();
    });
    while (!done.stop_requested() && !stop_.stop_requested()) {
      if (IsStopping()) {
        stop_.request_stop();
        return;
      }
      const Deadline next = std::chrono::steady_clock::now() + kStopPoll;
      const MutexLock lock(mutex_);
      while (!done.stop_requested() && std::chrono::steady_clock::now() < next) {
        tick_.WaitFor(mutex_, next - std::chrono::steady_clock::now());
      }
    }
  }

  // A catalog that is busy is asked again at the next tick.
  bool IsStopping() {
    try {
      const auto drill = env_.store.FindDrill(drill_);
      return !drill || drill->stopping;
    } catch (const Error& error) {
      env_.log.Warn(
          "drill={}  cannot look whether to stop: {}", drill_.ToString(), error.message());
      return false;
    }
  }

  Environment& env_;
  const domain::DrillId drill_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> link_;
  Mutex mutex_;
  CondVar tick_;
  std::jthread thread_;
};

}  // namespace

void DrillService::MarkScratch(const domain::Cluster& cluster) {
  env_.store.MarkScratch(cluster.id, env_.clock.Now());
  env_.log.Info("cluster={}  marked as a scratch target: drills may wipe it", cluster.name);
}

void DrillService::UnmarkScratch(const domain::Cluster& cluster) {
  const bool free = env_.store.UnmarkScratch(
      cluster.id,
      "stopped: the mark of a scratch target was taken off " + cluster.name,
      env_.clock.Now());
  env_.log.Info("cluster={}  is no longer a scratch target", cluster.name);
  if (!free) {
    throw Refusal(Reason::kClusterBusy,
                  ErrorCode::kConflict,
                  "taking the mark of a scratch target off cluster " + cluster.name +
                      ": it is off, but a drill that was running is only now leaving it",
                  {cluster.name});
  }
}

bool DrillService::IsScratch(const domain::Cluster& cluster) {
  return env_.store.IsScratch(cluster.id);
}

DrillSettings DrillService::FindSettings(const domain::Cluster& cluster) {
  DrillSettings settings{.interval_days = schedules_.Find(cluster).verify_days};
  if (const auto target = env_.store.FindDrillTarget(cluster.id)) {
    settings.target = env_.store.FindCluster(*target);
  }
  return settings;
}

void DrillService::CheckTarget(const domain::Cluster& cluster, const domain::Cluster& target) {
  if (target.id == cluster.id) {
    RefuseTarget(target.name, "it is the one that the snapshots are of");
  }
  if (!env_.store.IsScratch(target.id)) {
    RefuseTarget(target.name, "it is not marked as a scratch target");
  }
  if (target.topology == domain::Topology::kSharded) {
    RefuseTarget(target.name, "it is sharded");
  }
}

DrillSettings DrillService::Change(const domain::Cluster& cluster, const DrillChange& change) {
  if (change.target && !change.target->empty()) {
    CheckTarget(cluster, clusters_.Find(cluster.project, *change.target));
  }
  if (change.interval_days) {
    schedules_.Change(
        cluster, [&](domain::Schedule& schedule) { schedule.verify_days = *change.interval_days; });
  }
  if (change.target) {
    env_.store.SetDrillTarget(
        cluster.id,
        change.target->empty() ? std::nullopt
                               : std::optional(clusters_.Find(cluster.project, *change.target).id));
  }
  return FindSettings(cluster);
}

domain::Drill DrillService::MakeDrill(const domain::Cluster& cluster, const SnapshotId& snapshot) {
  const Instant now = env_.clock.Now();
  domain::Drill drill;
  drill.id = domain::DrillId::Generate(now, env_.random);
  drill.project = cluster.project;
  drill.cluster = cluster.id;
  drill.cluster_name = cluster.name;
  drill.snapshot = snapshot;
  drill.created = now;
  drill.target = env_.store.FindDrillTarget(cluster.id);
  if (drill.target) {
    const auto target = env_.store.FindCluster(*drill.target);
    drill.target_name = target ? target->name : "";
  }
  return drill;
}

bool DrillService::Queue(const domain::Drill& drill) {
  domain::Job job;
  job.id = JobId::Generate(drill.created, env_.random);
  job.kind = domain::JobKind::kDrill;
  job.subject = drill.id.raw();
  job.created = drill.created;
  if (!env_.store.AddDrill(drill, job)) {
    return false;
  }
  env_.log.Info("drill={} snapshot={} cluster={} target={}  drill queued",
                drill.id.ToString(),
                drill.snapshot.ToString(),
                drill.cluster_name,
                drill.target_name);
  env_.wake_runner();
  return true;
}

domain::Drill DrillService::Start(const domain::Cluster& cluster) {
  const DrillSettings settings =
      FindSettings(cluster);  // also makes the schedule that keeps results
  if (settings.target) {
    CheckTarget(cluster, *settings.target);
  }
  const auto newest = env_.store.ListSnapshots(
      cluster.id,
      {domain::SnapshotState::kCompleted, domain::SnapshotState::kCompleted},
      {.size = kLookedAt});
  if (newest.rows.empty()) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "drilling cluster " + cluster.name + ": it has no completed snapshot",
                  {"newest", cluster.name});
  }
  const domain::Drill drill = MakeDrill(cluster, newest.rows.front().id);
  if (!Queue(drill)) {
    throw Refusal(Reason::kClusterBusy,
                  ErrorCode::kConflict,
                  "drilling cluster " + cluster.name + ": a drill of it is unfinished",
                  {cluster.name});
  }
  return drill;
}

domain::Listing<domain::Drill> DrillService::List(const domain::Cluster& cluster,
                                                  const domain::Page& page) {
  return env_.store.ListDrills(cluster.id, page);
}

std::optional<domain::Drill> DrillService::Find(const domain::Cluster& cluster,
                                                const domain::DrillId& id) {
  auto found = env_.store.FindDrill(id);
  return found && found->cluster == cluster.id ? found : std::nullopt;
}

std::optional<domain::Job> DrillService::FindJob(const domain::DrillId& id) {
  return env_.store.FindJobBySubject(id.raw());
}

std::optional<domain::Drill> DrillService::FindLast(const domain::Cluster& cluster) {
  return env_.store.FindLastDrill(cluster.id);
}

std::optional<domain::Drill> DrillService::FindLastOf(const SnapshotId& snapshot) {
  return env_.store.FindLastDrillOf(snapshot);
}

bool DrillService::QueueNext() {
  const auto found = env_.store.FindSnapshotToVerify(env_.clock.Now());
  if (!found) {
    return false;
  }
  const auto cluster = env_.store.FindCluster(found->cluster);
  return cluster && Queue(MakeDrill(*cluster, found->snapshot));
}

void DrillService::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    stopped_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    try {
      if (QueueNext()) {
        continue;
      }
    } catch (const std::exception& error) {
      env_.log.Error("queueing drills: {}", error.what());
    }
    const Deadline next = std::chrono::steady_clock::now() + kPoll;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < next) {
      stopped_.WaitFor(mutex_, next - std::chrono::steady_clock::now());
    }
  }
}

void DrillService::Run(const jobs::JobContext& context) {
  auto drill = env_.store.FindDrill(domain::DrillId(context.job.subject));
  TIDEMARK_CHECK(drill.has_value());
  drill->state = domain::DrillState::kPassed;
  try {
    const StopWatch watch(env_, context);
    jobs::JobContext watched = context;
    watched.stop = watch.token();
    if (drill->stopping) {
      throw Error(ErrorCode::kCancelled, drill->failure);
    }
    DrillRun(env_, clusters_, options_, watched).Run(*drill);
  } catch (const Error& error) {
    if (context.stop.stop_requested()) {
      throw;  // handed back, or no longer ours
    }
    const auto snapshot = env_.store.FindSnapshot(drill->snapshot);
    const auto now = env_.store.FindDrill(drill->id);
    drill->restored = false;
    if (now && now->stopping) {
      drill->state = domain::DrillState::kStopped;
      drill->failure = now->failure;
    } else if (!snapshot || snapshot->deleted) {
      drill->state = domain::DrillState::kStopped;
      drill->failure = "stopped: the snapshot has been deleted";
    } else {
      drill->state = domain::DrillState::kFailed;
      drill->failure = FailureText(error);
    }
  }
  drill->finished = env_.clock.Now();
  if (!env_.store.FinishDrill(context.lease, *drill)) {
    env_.log.Warn("drill={}  finished without its lease: the result is dropped",
                  drill->id.ToString());
    return;
  }
  env_.wake_runner();  // a restore may wait for the target
  if (drill->state == domain::DrillState::kFailed) {
    env_.log.Error("drill={} snapshot={} cluster={}  the snapshot cannot be restored: {}",
                   drill->id.ToString(),
                   drill->snapshot.ToString(),
                   drill->cluster_name,
                   drill->failure);
  } else {
    env_.log.Info("drill={} snapshot={} cluster={} documents={}  drill {}",
                  drill->id.ToString(),
                  drill->snapshot.ToString(),
                  drill->cluster_name,
                  drill->documents,
                  domain::DrillStateName(drill->state));
  }
}

}  // namespace tidemark::service
