#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "base/units.h"
#include "delivery/cluster_restore.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {

RestorePlan PlanRestore(const repo::Manifest& manifest, RestoreTarget& target) {
  RestorePlan plan;
  plan.snapshot = manifest.snapshot;
  plan.drop_databases = target.ListUserDatabases();
  const mongo::ServerFacts facts = target.Facts();
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    plan.writes.push_back({entry.database,
                           entry.collection,
                           std::string(KindName(entry.kind)),
                           entry.digest.documents,
                           entry.logical_bytes,
                           entry.indexes.size()});
    AddLosses(facts, entry, plan.losses);
  }
  std::ranges::sort(plan.writes, [](const RestorePlan::Write& a, const RestorePlan::Write& b) {
    return std::tie(b.bytes, a.database, a.collection) <
           std::tie(a.bytes, b.database, b.collection);
  });
  return plan;
}

std::string FormatPlan(const RestorePlan& plan) {
  std::string text = fmt::format("restore of snapshot {}\n", plan.snapshot.ToString());
  for (const std::string& database : plan.drop_databases) {
    text += fmt::format("  drop  database {}\n", database);
  }
  for (const RestorePlan::Write& write : plan.writes) {
    text += fmt::format("  write {} {}.{}: {} documents, {}, {} indexes\n",
                        write.kind,
                        write.database,
                        write.collection,
                        write.documents,
                        FormatBytes({write.bytes}),
                        write.indexes);
  }
  for (const std::string& loss : plan.losses) {
    text += fmt::format("  lost  {}\n", loss);
  }
  return text;
}

}  // namespace tidemark::delivery
