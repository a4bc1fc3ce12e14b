#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "base/one_line.h"
#include "base/units.h"
#include "delivery/cluster_restore.h"
#include "delivery/internal/accounts.h"
#include "delivery/internal/delta.h"
#include "delivery/internal/selection.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {

namespace {

// What a restore of that scope takes away before or while it writes.
void AddDrops(const Selection& selection,
              const RestoreScope& scope,
              RestoreTarget& target,
              RestorePlan& plan) {
  if (scope.IsWhole() && scope.mode == RestoreMode::kReplace) {
    plan.drop_databases = target.ListUserDatabases();
  } else if (scope.IsWhole()) {
    const ForeignNamespaces foreign = FindForeign(selection.manifest, target);
    plan.drop_databases = foreign.databases;
    for (const auto& [database, collection] : foreign.collections) {
      std::string name = database;
      name.append(".").append(collection);
      plan.drop_collections.push_back(std::move(name));
    }
  } else if (scope.mode == RestoreMode::kReplace && !scope.filter) {
    for (const repo::NamespaceEntry& entry : selection.manifest.namespaces) {
      if (target.FindNamespace(entry.database, entry.collection)) {
        plan.drop_collections.push_back(NameOf(entry));
      }
    }
  }
}

// What a delta cannot compare.
void AddObstacles(const Selection& selection, RestoreTarget& target, RestorePlan& plan) {
  const mongo::ServerFacts facts = target.Facts();
  for (const repo::NamespaceEntry& entry : selection.manifest.namespaces) {
    if (entry.kind == repo::NamespaceKind::kView) {
      continue;
    }
    const auto found = target.FindNamespace(entry.database, entry.collection);
    const std::string obstacle = found ? PlanInPlace(facts, entry, *found).obstacle : "";
    if (!obstacle.empty()) {
      plan.notes.push_back(NameOf(entry) + " will be written anew: " + obstacle);
    }
  }
}

void AddAccounts(const repo::Accounts& accounts,
                 const mongo::ServerFacts& facts,
                 RestorePlan& plan) {
  AddAccountLosses(facts, accounts, plan.losses);
  if (TargetTakesAccounts(facts)) {
    plan.notes.push_back(
        fmt::format("{} users and {} roles take the place of the target's, but for our own login",
                    accounts.users.size(),
                    accounts.roles.size()));
  }
}

}  // namespace

RestorePlan PlanRestore(const repo::Manifest& manifest,
                        RestoreTarget& target,
                        const RestoreScope& scope) {
  const Selection selection = Select(manifest, scope);
  RestorePlan plan;
  plan.snapshot = manifest.snapshot;
  plan.notes = selection.notes;
  AddDrops(selection, scope, target, plan);
  if (scope.mode == RestoreMode::kDelta && !scope.filter) {
    AddObstacles(selection, target, plan);
  }
  const mongo::ServerFacts facts = target.Facts();
  for (std::size_t i = 0; i < selection.sources.size(); ++i) {
    const repo::NamespaceEntry& entry = selection.manifest.namespaces[i];
    const bool renamed = selection.sources[i] != NameOf(entry);
    plan.writes.push_back({entry.database,
                           entry.collection,
                           std::string(KindName(entry.kind)),
                           entry.digest.documents,
                           entry.logical_bytes,
                           entry.indexes.size(),
                           renamed ? selection.sources[i] : ""});
    AddLosses(facts, entry, plan.losses);
  }
  if (scope.IsWhole() && !manifest.accounts.empty()) {
    AddAccounts(manifest.accounts, facts, plan);
  }
  if (scope.IsWhole() && !manifest.accounts.left_out.empty()) {
    plan.notes.push_back(AccountsNotTaken(manifest.accounts));
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
    text += fmt::format("  drop  database {}\n", OneLine(database));
  }
  for (const std::string& collection : plan.drop_collections) {
    text += fmt::format("  drop  {}\n", OneLine(collection));
  }
  for (const RestorePlan::Write& write : plan.writes) {
    text += fmt::format("  write {} {}.{}{}: {} documents, {}, {} indexes\n",
                        write.kind,
                        OneLine(write.database),
                        OneLine(write.collection),
                        write.source.empty() ? "" : " from " + OneLine(write.source),
                        write.documents,
                        FormatBytes({write.bytes}),
                        write.indexes);
  }
  for (const std::string& loss : plan.losses) {
    text += fmt::format("  lost  {}\n", OneLine(loss));
  }
  for (const std::string& note : plan.notes) {
    text += fmt::format("  note  {}\n", OneLine(note));
  }
  return text;
}

}  // namespace tidemark::delivery
