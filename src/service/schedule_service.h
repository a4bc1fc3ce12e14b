#pragma once

#include <functional>
#include <optional>

#include "domain/compliance.h"
#include "domain/schedule.h"
#include "service/environment.h"
#include "service/refusal.h"

namespace tidemark::service {

// Whether this server acts on schedules (setting `schedules`).
enum class Schedules { kOff, kOn };

// What a change of retention does to snapshots that were taken before.
enum class ExistingSnapshots { kStay, kFollow };

// Schedules of registered clusters: each has one, from the first look at it on. Synchronized; every
// call blocks on the catalog.
class ScheduleService {
 public:
  ScheduleService(Environment& environment, Schedules schedules)
      : env_(environment), schedules_(schedules) {}

  Schedules schedules() const { return schedules_; }

  Environment& environment() const { return env_; }

  // The cluster's; the default one of its tier when it has none yet.
  domain::Schedule Find(const domain::Cluster& cluster);
  // The snapshot that it has queued last.
  std::optional<domain::Snapshot> FindLast(const domain::Schedule& schedule);
  // Calls `edit` on the schedule and stores the result; `edit` may be called again when the
  // schedule has moved on meanwhile, and touches neither `run` nor `revision`. Nothing is due
  // before the first new due time after now. kInvalidValue with the member; kExportBucketNotFound;
  // kSchedulesTooWeak when the result does not keep the project's compliance policy. With kFollow,
  // snapshots that were taken for items of the schedule expire as its items say now, unless a
  // person has decided, an item of theirs is gone or the project has a compliance policy: then not
  // earlier than before.
  domain::Schedule Change(const domain::Cluster& cluster,
                          const std::function<void(domain::Schedule&)>& edit,
                          ExistingSnapshots existing = ExistingSnapshots::kStay);
  // Takes all items off, and what is said of exports: nothing is due until a change brings some.
  // kSchedulesTooWeak in a project with a compliance policy.
  domain::Schedule Delete(const domain::Cluster& cluster);
  // Changes what does not keep the policy, and nothing else.
  void Raise(const domain::Cluster& cluster, const domain::CompliancePolicy& policy);

 private:
  enum class Items { kNeeded, kMayGo };

  domain::Schedule Edit(const domain::Cluster& cluster,
                        const std::function<void(domain::Schedule&)>& edit,
                        Items items);
  enum class Following { kBothWays, kLongerOnly };

  void Follow(const domain::Schedule& schedule, Following following);

  Environment& env_;
  const Schedules schedules_;
};

}  // namespace tidemark::service
