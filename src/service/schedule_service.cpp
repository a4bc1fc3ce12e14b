#include "service/schedule_service.h"

namespace tidemark::service {
namespace {

constexpr int kChangeAttempts = 5;  // the scheduler moves on once in seconds

bool IsDueOtherwise(const domain::Schedule& before, const domain::Schedule& after) {
  return before.enabled != after.enabled || before.items != after.items ||
         before.reference_minute != after.reference_minute;
}

void CheckValid(const domain::Schedule& schedule, const std::string& cluster) {
  const std::string problem = domain::ScheduleProblem(schedule);
  if (!problem.empty()) {
    const std::string member = problem.substr(0, problem.find(':'));
    throw Refusal(Reason::kInvalidValue,
                  ErrorCode::kInvalidArgument,
                  "changing the schedule of cluster " + cluster + ": " + problem,
                  {member});
  }
}

}  // namespace

domain::Schedule ScheduleService::Find(const domain::Cluster& cluster) {
  if (auto found = env_.store.FindSchedule(cluster.id)) {
    return *std::move(found);
  }
  domain::Schedule made = domain::DefaultSchedule(cluster, env_.clock.Now());
  if (env_.store.AddSchedule(made)) {
    return made;
  }
  auto found = env_.store.FindSchedule(cluster.id);  // somebody else has just made it
  TIDEMARK_CHECK(found.has_value());
  return *std::move(found);
}

std::optional<domain::Snapshot> ScheduleService::FindLast(const domain::Schedule& schedule) {
  return schedule.run.snapshot.IsZero() ? std::nullopt
                                        : env_.store.FindSnapshot(schedule.run.snapshot);
}

domain::Schedule ScheduleService::Change(const domain::Cluster& cluster,
                                         const std::function<void(domain::Schedule&)>& edit) {
  for (int attempt = 0; attempt < kChangeAttempts; ++attempt) {
    const domain::Schedule before = Find(cluster);
    domain::Schedule after = before;
    edit(after);
    CheckValid(after, cluster.name);
    if (IsDueOtherwise(before, after)) {
      after.run.next_due = after.enabled ? domain::NextDue(after, env_.clock.Now()) : std::nullopt;
      after.run.retry_at.reset();
    }
    if (env_.store.UpdateSchedule(after)) {
      ++after.revision;
      env_.log.Info("cluster={} enabled={}  schedule changed", cluster.name, after.enabled);
      return after;
    }
  }
  throw Error(ErrorCode::kUnavailable,
              "changing the schedule of cluster " + cluster.name + ": it keeps changing",
              "try again");
}

}  // namespace tidemark::service
