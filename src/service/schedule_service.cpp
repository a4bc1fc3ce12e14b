#include "service/schedule_service.h"

#include <algorithm>

namespace tidemark::service {
namespace {

constexpr int kChangeAttempts = 5;  // the scheduler moves on once in seconds

bool IsDueOtherwise(const domain::Schedule& before, const domain::Schedule& after) {
  const auto same = [](const domain::PolicyItem& a, const domain::PolicyItem& b) {
    return a.frequency == b.frequency && a.interval == b.interval;
  };
  return before.enabled != after.enabled || before.reference_minute != after.reference_minute ||
         !std::ranges::equal(before.items, after.items, same);
}

// An edit does not leave a schedule without items: that is what deleting it is for.
void CheckValid(const domain::Schedule& before,
                const domain::Schedule& after,
                const std::string& cluster) {
  std::string problem = domain::ScheduleProblem(after);
  if (after.items.empty() && !before.items.empty()) {
    problem = "items: there is at least 1";
  }
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
  domain::GiveIds(made, env_.clock.Now(), env_.random);
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
    CheckValid(before, after, cluster.name);
    domain::KeepIds(before.items, after.items);
    domain::GiveIds(after, env_.clock.Now(), env_.random);
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
