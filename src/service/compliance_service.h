#pragma once

#include <optional>
#include <string>

#include "domain/compliance.h"
#include "service/caller.h"
#include "service/environment.h"
#include "service/refusal.h"
#include "service/schedule_service.h"

namespace tidemark::service {

// What becomes of schedules that do not keep a new policy.
enum class WeakSchedules { kRefuse, kRaise };

// Backup compliance policies: write-once protection that no role can take back. The rules about
// policies are here, about schedules in ScheduleService, about snapshots and projects in the
// catalog (catalog/protection.h), which this folder translates. Synchronized; every call blocks on
// the catalog.
class ComplianceService {
 public:
  // Has no state of its own: may be made for one call.
  explicit ComplianceService(ScheduleService& schedules)
      : env_(schedules.environment()), schedules_(schedules) {}

  std::optional<domain::CompliancePolicy> Find(const ProjectId& project);
  // Stores `policy`, whose ids, revision and `updated...` are filled in, in the place of the one
  // there is. Then every registered cluster's schedule keeps it, and snapshots that exist are kept
  // as long as it says. kInvalidValue; kComplianceWeakened when it promises less than the one there
  // is; kSchedulesTooWeak with kRefuse.
  domain::CompliancePolicy Put(const Caller& caller,
                               domain::CompliancePolicy policy,
                               WeakSchedules weak);
  // kComplianceWeakened when there is one: nobody can disable it.
  void Disable(const ProjectId& project);

 private:
  void RefuseWeakSchedules(const domain::CompliancePolicy& policy);
  void RaiseSchedules(const domain::CompliancePolicy& policy);
  template <class Visit>
  void ForEachCluster(const ProjectId& project, const Visit& visit);

  Environment& env_;
  ScheduleService& schedules_;
};

}  // namespace tidemark::service
