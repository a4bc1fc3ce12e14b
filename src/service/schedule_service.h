#pragma once

#include <functional>
#include <optional>

#include "domain/schedule.h"
#include "service/environment.h"
#include "service/refusal.h"

namespace tidemark::service {

// Whether this server acts on schedules (setting `schedules`).
enum class Schedules { kOff, kOn };

// Schedules of registered clusters: each has one, from the first look at it on. Synchronized; every
// call blocks on the catalog.
class ScheduleService {
 public:
  ScheduleService(Environment& environment, Schedules schedules)
      : env_(environment), schedules_(schedules) {}

  Schedules schedules() const { return schedules_; }

  // The cluster's; the default one of its tier when it has none yet.
  domain::Schedule Find(const domain::Cluster& cluster);
  // The snapshot that it has queued last.
  std::optional<domain::Snapshot> FindLast(const domain::Schedule& schedule);
  // Calls `edit` on the schedule and stores the result; `edit` may be called again when the
  // schedule has moved on meanwhile, and touches neither `run` nor `revision`. Nothing is due
  // before the first new due time after now; snapshots that exist keep their expiry. kInvalidValue
  // with the member.
  domain::Schedule Change(const domain::Cluster& cluster,
                          const std::function<void(domain::Schedule&)>& edit);

 private:
  Environment& env_;
  const Schedules schedules_;
};

}  // namespace tidemark::service
