#include "service/schedule_service.h"

#include <algorithm>

#include "service/internal/new_schedule.h"

namespace tidemark::service {
namespace {

constexpr int kChangeAttempts = 5;  // the scheduler moves on once in seconds
constexpr std::int64_t kFollowBatch = 500;

bool IsDueOtherwise(const domain::Schedule& before, const domain::Schedule& after) {
  const auto same = [](const domain::PolicyItem& a, const domain::PolicyItem& b) {
    return a.frequency == b.frequency && a.interval == b.interval;
  };
  return before.enabled != after.enabled || before.reference_minute != after.reference_minute ||
         !std::ranges::equal(before.items, after.items, same);
}

[[noreturn]] void RefuseValue(const std::string& problem, const std::string& cluster) {
  throw Refusal(Reason::kInvalidValue,
                ErrorCode::kInvalidArgument,
                "changing the schedule of cluster " + cluster + ": " + problem,
                {problem.substr(0, problem.find(':'))});
}

void CheckValid(const domain::Schedule& schedule, const std::string& cluster) {
  const std::string problem = domain::ScheduleProblem(schedule);
  if (!problem.empty()) {
    RefuseValue(problem, cluster);
  }
}

void RefuseWeak(const std::optional<domain::CompliancePolicy>& policy,
                const domain::Schedule& schedule,
                const std::string& cluster) {
  const std::string shortfall = policy ? domain::ShortfallOf(schedule, *policy) : "";
  if (!shortfall.empty()) {
    throw Refusal(Reason::kSchedulesTooWeak,
                  ErrorCode::kPermissionDenied,
                  "changing the schedule of cluster " + cluster + ": " + shortfall,
                  {shortfall});
  }
}

// False: somebody else has changed it.
bool Update(catalog::Store& store, const domain::Schedule& schedule) {
  try {
    return store.UpdateSchedule(schedule);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound || !schedule.export_to) {
      throw;
    }
    throw Refusal(Reason::kExportBucketNotFound,
                  ErrorCode::kNotFound,
                  std::string(error.message()),
                  {schedule.export_to->bucket.ToString()});
  }
}

// False: a compliance policy that has just come allows no shorter ones.
bool SetExpiries(catalog::Store& store,
                 const std::vector<std::pair<SnapshotId, Instant>>& expiries) {
  try {
    store.SetExpiries(expiries);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kPermissionDenied) {
      throw;
    }
    return false;
  }
}

// When a snapshot expires that was taken for items of the schedule, by what they say now.
Instant FollowingExpiry(const domain::Schedule& schedule,
                        const catalog::Store::ScheduledSnapshot& snapshot) {
  std::vector<domain::PolicyItem> items;
  for (const domain::PolicyItemId& id : snapshot.policy_items) {
    const auto item = std::ranges::find(schedule.items, id, &domain::PolicyItem::id);
    if (item != schedule.items.end()) {
      items.push_back(*item);
    }
  }
  if (items.empty()) {
    return snapshot.expires;
  }
  const Instant expires = domain::ExpiryOf(schedule, snapshot.scheduled, items);
  const bool whole = items.size() == snapshot.policy_items.size();
  return whole ? expires : std::max(expires, snapshot.expires);
}

}  // namespace

domain::Schedule NewSchedule(Environment& environment,
                             const domain::Cluster& cluster,
                             Instant now) {
  domain::Schedule schedule = domain::DefaultSchedule(cluster, now);
  if (const auto policy = environment.store.FindCompliancePolicy(cluster.project)) {
    domain::RaiseTo(*policy, schedule);
    schedule.run.next_due = domain::NextDue(schedule, now);
  }
  domain::GiveIds(schedule, now, environment.random);
  return schedule;
}

domain::Schedule ScheduleService::Find(const domain::Cluster& cluster) {
  if (auto found = env_.store.FindSchedule(cluster.id)) {
    return *std::move(found);
  }
  domain::Schedule made = NewSchedule(env_, cluster, env_.clock.Now());
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

domain::Schedule ScheduleService::Edit(const domain::Cluster& cluster,
                                       const std::function<void(domain::Schedule&)>& edit,
                                       Items items) {
  for (int attempt = 0; attempt < kChangeAttempts; ++attempt) {
    const domain::Schedule before = Find(cluster);
    domain::Schedule after = before;
    edit(after);
    CheckValid(after, cluster.name);
    if (after.items.empty() && !before.items.empty() && items == Items::kNeeded) {
      RefuseValue("items: there is at least 1", cluster.name);
    }
    RefuseWeak(env_.store.FindCompliancePolicy(cluster.project), after, cluster.name);
    domain::KeepIds(before.items, after.items);
    domain::GiveIds(after, env_.clock.Now(), env_.random);
    if (IsDueOtherwise(before, after)) {
      after.run.next_due = after.enabled ? domain::NextDue(after, env_.clock.Now()) : std::nullopt;
      after.run.retry_at.reset();
    }
    if (Update(env_.store, after)) {
      ++after.revision;
      env_.log.Info("cluster={} enabled={} items={}  schedule changed",
                    cluster.name,
                    after.enabled,
                    after.items.size());
      return after;
    }
  }
  throw Error(ErrorCode::kUnavailable,
              "changing the schedule of cluster " + cluster.name + ": it keeps changing",
              "try again");
}

domain::Schedule ScheduleService::Change(const domain::Cluster& cluster,
                                         const std::function<void(domain::Schedule&)>& edit,
                                         ExistingSnapshots existing) {
  domain::Schedule changed = Edit(cluster, edit, Items::kNeeded);
  // A policy that has come between the look at it and the change.
  const auto policy = env_.store.FindCompliancePolicy(cluster.project);
  if (policy) {
    Raise(cluster, *policy);
    changed = Find(cluster);
  }
  if (existing == ExistingSnapshots::kFollow) {
    Follow(changed, policy ? Following::kLongerOnly : Following::kBothWays);
  }
  return changed;
}

domain::Schedule ScheduleService::Delete(const domain::Cluster& cluster) {
  const auto edit = [](domain::Schedule& schedule) {
    schedule.items.clear();
    schedule.auto_export = false;
    schedule.export_to.reset();
    schedule.names_in_export_prefix = false;
  };
  return Edit(cluster, edit, Items::kMayGo);
}

void ScheduleService::Raise(const domain::Cluster& cluster,
                            const domain::CompliancePolicy& policy) {
  if (!domain::ShortfallOf(Find(cluster), policy).empty()) {
    Edit(
        cluster,
        [&](domain::Schedule& schedule) { domain::RaiseTo(policy, schedule); },
        Items::kNeeded);
  }
}

void ScheduleService::Follow(const domain::Schedule& schedule, Following following) {
  SnapshotId after;
  for (;;) {
    const auto rows = env_.store.ListScheduled(schedule.cluster, after, kFollowBatch);
    std::vector<std::pair<SnapshotId, Instant>> expiries;
    for (const auto& row : rows) {
      const Instant expires = FollowingExpiry(schedule, row);
      const bool allowed = following == Following::kBothWays || expires > row.expires;
      if (expires != row.expires && allowed) {
        expiries.emplace_back(row.id, expires);
      }
    }
    if (!expiries.empty() && !SetExpiries(env_.store, expiries)) {
      following = Following::kLongerOnly;  // the batch once more
      continue;
    }
    if (static_cast<std::int64_t>(rows.size()) < kFollowBatch) {
      return;
    }
    after = rows.back().id;
  }
}

}  // namespace tidemark::service
