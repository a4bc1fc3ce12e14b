#include "service/compliance_service.h"

namespace tidemark::service {
namespace {

constexpr std::int64_t kBatch = 100;

[[noreturn]] void RefuseWeakening(const ProjectId& project, const std::string& why) {
  throw Refusal(Reason::kComplianceWeakened,
                ErrorCode::kPermissionDenied,
                "changing the compliance policy of project " + project.ToString() + ": " + why,
                {why});
}

}  // namespace

std::optional<domain::CompliancePolicy> ComplianceService::Find(const ProjectId& project) {
  return env_.store.FindCompliancePolicy(project);
}

domain::CompliancePolicy ComplianceService::Put(const Caller& caller,
                                                domain::CompliancePolicy policy,
                                                WeakSchedules weak) {
  const auto before = Find(policy.project);
  if (before) {
    domain::KeepIds(before->items, policy.items);
  }
  const std::string problem = domain::ComplianceProblem(policy);
  if (!problem.empty()) {
    throw Refusal(
        Reason::kInvalidValue,
        ErrorCode::kInvalidArgument,
        "changing the compliance policy of project " + policy.project.ToString() + ": " + problem,
        {"policy"});
  }
  const Instant now = env_.clock.Now();
  if (before) {
    const std::string weakening = domain::WeakeningOf(*before, policy);
    if (!weakening.empty()) {
      RefuseWeakening(policy.project, weakening);
    }
    policy.revision = before->revision;
  }
  for (domain::ComplianceItem& item : policy.items) {
    if (item.id.IsZero()) {
      item.id = domain::PolicyItemId::Generate(now, env_.random);
    }
  }
  policy.updated = now;
  policy.updated_by = caller.key.public_name;
  if (weak == WeakSchedules::kRefuse) {
    RefuseWeakSchedules(policy);
  }
  // Before the policy, so that it never says what is not so, and after it, because a schedule may
  // have been changed between.
  RaiseSchedules(policy);
  if (!env_.store.PutCompliancePolicy(policy)) {
    throw Error(ErrorCode::kUnavailable,
                "changing the compliance policy of project " + policy.project.ToString() +
                    ": somebody else has just changed it",
                "try again");
  }
  ++policy.revision;
  RaiseSchedules(policy);
  env_.log.Warn("project={} key={} items={}  compliance policy in force",
                policy.project.ToString(),
                policy.updated_by,
                policy.items.size());
  return policy;
}

void ComplianceService::Disable(const ProjectId& project) {
  if (Find(project)) {
    RefuseWeakening(project, "nobody can disable it");
  }
}

template <class Visit>
void ComplianceService::ForEachCluster(const ProjectId& project, const Visit& visit) {
  domain::Page page{.size = kBatch};
  for (;; ++page.number) {
    const auto listing = env_.store.ListClusters(project, page);
    for (const domain::Cluster& cluster : listing.rows) {
      visit(cluster);
    }
    if (static_cast<std::int64_t>(listing.rows.size()) < kBatch) {
      return;
    }
  }
}

void ComplianceService::RefuseWeakSchedules(const domain::CompliancePolicy& policy) {
  ForEachCluster(policy.project, [&](const domain::Cluster& cluster) {
    const std::string shortfall = domain::ShortfallOf(schedules_.Find(cluster), policy);
    if (!shortfall.empty()) {
      throw Refusal(Reason::kSchedulesTooWeak,
                    ErrorCode::kInvalidArgument,
                    "cluster " + cluster.name + ": " + shortfall,
                    {"cluster " + cluster.name + ": " + shortfall});
    }
  });
}

void ComplianceService::RaiseSchedules(const domain::CompliancePolicy& policy) {
  ForEachCluster(policy.project,
                 [&](const domain::Cluster& cluster) { schedules_.Raise(cluster, policy); });
}

}  // namespace tidemark::service
