#include "service/scheduler.h"

#include <algorithm>

#include "base/error.h"
#include "service/internal/export_queue.h"
#include "service/internal/new_schedule.h"
#include "service/internal/new_snapshot.h"

namespace tidemark::service {
namespace {

constexpr std::int64_t kBatch = 100;  // rows that one statement returns
constexpr int kMaxBatches = 1000;     // of one kind in a pass; the next pass goes on

// A failed snapshot has no data. It is listed for so long, to be seen.
constexpr std::chrono::hours kFailedKept{24 * 8};

// So long is a deleted one told apart from one that never was (contract.md 8, step 4).
constexpr std::chrono::hours kDeletedRemembered{24 * 90};

// Calls `part`; a failure of one part of a pass does not keep the others from running.
template <class Part>
void Try(Log& log, std::string_view doing, const Part& part) {
  try {
    part();
  } catch (const Error& error) {
    log.Error("{}: {}", doing, error.message());
  } catch (const std::exception& error) {
    log.Error("{}: {}", doing, error.what());
  }
}

// `work` handles one batch and returns how many rows it was.
template <class Work>
void InBatches(const Work& work) {
  for (int batch = 0; batch < kMaxBatches; ++batch) {
    if (static_cast<std::int64_t>(work()) < kBatch) {
      return;
    }
  }
}

// What the snapshot is taken for, and so how long it is kept.
void TakeFor(const std::vector<domain::PolicyItem>& items,
             const domain::Schedule& schedule,
             domain::Snapshot& snapshot) {
  snapshot.frequency = std::ranges::max(items, {}, &domain::PolicyItem::frequency).frequency;
  for (const domain::PolicyItem& item : items) {
    snapshot.policy_items.push_back(item.id);
  }
  snapshot.expires = domain::ExpiryOf(schedule, snapshot.scheduled, items);
}

}  // namespace

void Scheduler::RunOnce() {
  const Instant now = env_.clock.Now();
  Try(env_.log, "making schedules", [&] { MakeSchedules(now); });
  if (!last_pass_ || now < *last_pass_) {
    Try(env_.log, "looking at the clock", [&] { Realign(now); });
  }
  last_pass_ = now;
  Try(env_.log, "following schedules", [&] { StepSchedules(now); });
  // Before what has expired goes: a server that was down for long still exports it.
  Try(env_.log, "queueing exports", [&] { QueueExports(); });
  Try(env_.log, "expiring snapshots", [&] { Expire(now); });
  Try(env_.log, "sweeping deleted snapshots", [&] { Sweep(now); });
  if (options_.collect_every.count() > 0) {
    Try(env_.log, "collecting garbage", [&] { Collect(now); });
  }
}

void Scheduler::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    stopped_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    RunOnce();
    const Deadline next = std::chrono::steady_clock::now() + options_.poll;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < next) {
      stopped_.WaitFor(mutex_, next - std::chrono::steady_clock::now());
    }
  }
}

void Scheduler::MakeSchedules(Instant now) {
  InBatches([&] {
    const auto clusters = env_.store.ListUnscheduledClusters(kBatch);
    for (const domain::Cluster& cluster : clusters) {
      env_.store.AddSchedule(NewSchedule(env_, cluster, now));
    }
    return clusters.size();
  });
}

void Scheduler::Realign(Instant now) {
  for (const domain::Schedule& schedule :
       env_.store.ListSchedulesToStep(Instant::max(), kBatch * kMaxBatches)) {
    const std::optional<Instant> next = domain::NextDue(schedule, now);
    const std::optional<Instant> was = schedule.run.next_due;
    if (!next || !was || *was <= *next) {
      continue;
    }
    domain::ScheduleRun run = schedule.run;
    run.next_due = next;
    if (run.retry_at > next) {
      run.retry_at.reset();
    }
    if (env_.store.AdvanceSchedule(schedule, run, std::nullopt)) {
      env_.log.Warn(
          "cluster={} next={} was={}  the clock was set back: its next snapshot is due "
          "sooner than it was told",
          schedule.cluster.ToString(),
          FormatInstant(*next),
          FormatInstant(*was));
    }
  }
}

void Scheduler::SkipTaken(const domain::Schedule& schedule, Instant next_due) {
  domain::ScheduleRun run = schedule.run;
  run.next_due = next_due;
  run.retry_at.reset();
  if (env_.store.AdvanceSchedule(schedule, run, std::nullopt)) {
    env_.log.Warn(
        "cluster={} next={}  there is a snapshot for this due time: the clock was set back",
        schedule.cluster.ToString(),
        FormatInstant(next_due));
  }
}

void Scheduler::StepSchedules(Instant now) {
  // A schedule may need two steps: its snapshot has ended, and the next one is due.
  for (int round = 0; round < kMaxBatches; ++round) {
    const auto schedules = env_.store.ListSchedulesToStep(now, kBatch);
    bool moved = false;
    for (const domain::Schedule& schedule : schedules) {
      Try(env_.log, "following the schedule of cluster " + schedule.cluster.ToString(), [&] {
        moved = Step(schedule, now) || moved;
      });
    }
    if (!moved) {
      return;
    }
  }
}

bool Scheduler::Step(const domain::Schedule& schedule, Instant now) {
  const auto cluster = env_.store.FindCluster(schedule.cluster);
  TIDEMARK_CHECK(cluster.has_value());
  const auto last =
      schedule.run.settled ? std::nullopt : env_.store.FindSnapshot(schedule.run.snapshot);
  auto step = domain::NextStep(schedule, now, last, cluster->paused);
  if (!step) {
    return false;
  }
  std::optional<catalog::Store::QueuedSnapshot> queued;
  if (step->take) {
    TIDEMARK_CHECK(step->run.due.has_value());
    const Instant due = *step->run.due;
    queued = NewSnapshot(env_, *cluster, now);
    queued->snapshot.description = "scheduled";
    queued->snapshot.scheduled = due;
    queued->snapshot.due = due;
    queued->snapshot.attempt = step->run.attempt;
    TakeFor(domain::ItemsFor(schedule, due, env_.store.FindDueBefore(cluster->id, due)),
            schedule,
            queued->snapshot);
    step->run.snapshot = queued->snapshot.id;
    step->run.settled = false;
  }
  try {
    if (!env_.store.AdvanceSchedule(schedule, step->run, queued)) {
      return true;  // another node, or a person, was quicker
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict || !step->run.next_due) {
      throw;
    }
    SkipTaken(schedule, *step->run.next_due);
    return true;
  }
  if (step->run.missed > schedule.run.missed) {
    env_.log.Warn("cluster={} missed={} last={}  scheduled snapshots missed: {}",
                  cluster->name,
                  step->run.missed - schedule.run.missed,
                  FormatInstant(step->run.last_missed.value_or(now)),
                  step->run.missed_reason);
  }
  if (queued) {
    env_.log.Info("snapshot={} cluster={} due={} attempt={}  scheduled snapshot queued",
                  queued->snapshot.id.ToString(),
                  cluster->name,
                  FormatInstant(queued->snapshot.scheduled),
                  queued->snapshot.attempt);
    env_.wake_runner();
  }
  return true;
}

void Scheduler::QueueExports() {
  SnapshotId after;
  InBatches([&] {
    const auto due = env_.store.ListDueExports(after, kBatch);
    for (const catalog::Store::DueExport& one : due) {
      Try(env_.log, "queueing the export of snapshot " + one.snapshot.ToString(), [&] {
        QueueDueExport(env_, one);
      });
      after = one.snapshot;
    }
    return due.size();
  });
}

void Scheduler::Expire(Instant now) {
  InBatches([&] {
    const auto expired = env_.store.ExpireSnapshots(now, now - kFailedKept, kBatch);
    for (const catalog::Store::DeletedSnapshot& snapshot : expired) {
      env_.log.Info("snapshot={} cluster={} expires={}  snapshot expired",
                    snapshot.id.ToString(),
                    snapshot.cluster_name,
                    FormatInstant(snapshot.expires));
    }
    return expired.size();
  });
}

void Scheduler::Sweep(Instant now) {
  InBatches([&] {
    const auto deleted = env_.store.ListSnapshotsToSweep(kBatch);
    for (const catalog::Store::DeletedSnapshot& snapshot : deleted) {
      env_.repository.DeleteManifest(snapshot.project, snapshot.id);
      env_.store.MarkSnapshotSwept(snapshot, now);
    }
    return deleted.size();
  });
  InBatches([&] { return env_.store.PurgeSnapshots(now - kDeletedRemembered, kBatch); });
}

void Scheduler::Collect(Instant now) {
  LookAtCollections();
  const Instant before = now - options_.collect_every;
  for (const ProjectId& project : env_.store.ListGarbage(before, kBatch)) {
    try {
      collecting_[project] = repository_.StartCollection(project, {}).id;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kUnavailable) {
        return;  // enough are waiting; the next pass goes on
      }
      throw;
    }
    env_.store.TakeGarbage(project, before, now);
  }
}

// What a collection could not delete yet, or left because it failed, is still garbage.
void Scheduler::LookAtCollections() {
  std::erase_if(collecting_, [&](const auto& entry) {
    const auto task = repository_.Find(entry.first, entry.second);
    if (task && task->state != TaskState::kCompleted && task->state != TaskState::kFailed) {
      return false;
    }
    const bool done = task && task->collected.has_value() &&
                      task->collected->state != repo::CollectionState::kWaiting;
    if (!done) {
      env_.store.AddGarbage(entry.first);
    }
    return true;
  });
}

}  // namespace tidemark::service
