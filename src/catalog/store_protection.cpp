// How long snapshots are kept, and the policies that nobody takes back. What the triggers of
// migration 0009 refuse comes as kPermissionDenied.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kOnDemand = 5;  // in the column `frequency` of compliance_items

Protection::ScheduledSnapshot ReadScheduled(const Query& row) {
  Protection::ScheduledSnapshot snapshot;
  std::string policy_items;
  row.Read(snapshot.id, snapshot.scheduled, snapshot.expires, policy_items);
  snapshot.policy_items = ParsePolicyItems(policy_items);
  return snapshot;
}

domain::ComplianceItem ReadItem(const Query& row) {
  domain::ComplianceItem item;
  std::int64_t frequency = 0;
  row.Read(frequency, item.interval, item.unit, item.retention, item.id);
  if (frequency != kOnDemand) {
    item.frequency = static_cast<domain::Frequency>(frequency);
  }
  return item;
}

domain::CompliancePolicy ReadPolicy(const Query& row) {
  domain::CompliancePolicy policy;
  row.Read(policy.project,
           policy.email,
           policy.first_name,
           policy.last_name,
           policy.window_days,
           policy.updated,
           policy.updated_by,
           policy.revision);
  return policy;
}

// False when somebody else has changed it.
bool SavePolicy(Session& session, const domain::CompliancePolicy& policy) {
  return Query(session,
               "INSERT INTO compliance_policies (project, email, first_name, last_name, "
               "window_days, updated, updated_by, revision) "
               "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1 WHERE ?8 = 0 OR EXISTS "
               "(SELECT 1 FROM compliance_policies WHERE project = ?1) "
               "ON CONFLICT (project) DO UPDATE SET email = ?2, first_name = ?3, last_name = ?4, "
               "window_days = ?5, updated = ?6, updated_by = ?7, revision = revision + 1 "
               "WHERE revision = ?8",
               policy.project,
               policy.email,
               policy.first_name,
               policy.last_name,
               policy.window_days,
               policy.updated,
               policy.updated_by,
               policy.revision)
             .Run() == 1;
}

void SaveItems(Session& session, const domain::CompliancePolicy& policy) {
  for (const domain::ComplianceItem& item : policy.items) {
    const std::chrono::microseconds floor = domain::LongestDays(item.unit, item.retention);
    Query(session,
          "INSERT INTO compliance_items (project, id, frequency, interval, unit, retention, floor) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (project, id) DO UPDATE SET "
          "frequency = ?3, interval = ?4, unit = ?5, retention = ?6, floor = ?7",
          policy.project,
          item.id,
          item.frequency ? static_cast<std::int64_t>(*item.frequency) : kOnDemand,
          item.interval,
          item.unit,
          item.retention,
          static_cast<std::int64_t>(floor.count()))
        .Run();
  }
}

// Failed ones have no data.
void KeepSnapshots(Session& session, const ProjectId& project) {
  Query(session,
        "UPDATE snapshots SET expires = scheduled + (SELECT max(i.floor) FROM compliance_items i "
        "WHERE i.project = ?1 AND i.frequency = coalesce(snapshots.frequency, 5)) "
        "WHERE project = ?1 AND deleted IS NULL AND state <> 4 "
        "AND expires < scheduled + (SELECT max(i.floor) FROM compliance_items i "
        "WHERE i.project = ?1 AND i.frequency = coalesce(snapshots.frequency, 5))",
        project)
      .Run();
}

}  // namespace

std::vector<Protection::ScheduledSnapshot> SqliteStore::ListScheduled(const ClusterId& cluster,
                                                                      const SnapshotId& after,
                                                                      std::int64_t limit) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadScheduled,
                  "SELECT id, scheduled, expires, policy_items FROM snapshots "
                  "WHERE cluster = ?1 AND (?2 IS NULL OR id > ?2) AND deleted IS NULL "
                  "AND state <> 4 "
                  "AND policy_items <> '' AND by_hand = 0 ORDER BY id LIMIT ?3",
                  cluster,
                  after,
                  limit);
}

void SqliteStore::SetExpiries(const std::vector<std::pair<SnapshotId, Instant>>& expiries) {
  WriteScope scope(pool_);
  for (const auto& [id, expires] : expiries) {
    Query(scope,
          "UPDATE snapshots SET expires = ?2 WHERE id = ?1 AND deleted IS NULL AND by_hand = 0",
          id,
          expires)
        .Run();
  }
  scope.Commit();
}

std::optional<domain::CompliancePolicy> SqliteStore::FindCompliancePolicy(
    const ProjectId& project) {
  const ReadScope scope(pool_);
  auto policy = FindRow(scope,
                        ReadPolicy,
                        "SELECT project, email, first_name, last_name, window_days, updated, "
                        "updated_by, revision FROM compliance_policies WHERE project = ?1",
                        project);
  if (policy) {
    policy->items = FindRows(scope,
                             ReadItem,
                             "SELECT frequency, interval, unit, retention, id "
                             "FROM compliance_items WHERE project = ?1 ORDER BY frequency, id",
                             project);
  }
  return policy;
}

bool SqliteStore::PutCompliancePolicy(const domain::CompliancePolicy& policy) {
  WriteScope scope(pool_);
  if (!SavePolicy(scope, policy)) {
    return false;
  }
  SaveItems(scope, policy);
  KeepSnapshots(scope, policy.project);
  scope.Commit();
  return true;
}

}  // namespace tidemark::catalog
