#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/object_id.h"
#include "domain/frequency.h"
#include "domain/schedule.h"

// What a project promises about its backups and cannot take back: Atlas' backup compliance policy.
// Rules only; who may ask for it, and that it holds, is decided in service and catalog.
namespace tidemark::domain {

// Snapshots of a kind exist at least so often and are kept at least so long.
struct ComplianceItem {
  std::optional<Frequency> frequency;  // absent: those that a person asks for
  int interval = 0;                    // as in PolicyItem; 0 on demand
  RetentionUnit unit = RetentionUnit::kDays;
  int retention = 1;
  PolicyItemId id = {};  // zero until it is stored

  bool operator==(const ComplianceItem&) const = default;
};

struct CompliancePolicy {
  ProjectId project;
  // The person who answers for it, as given.
  std::string email;
  std::string first_name;
  std::string last_name;
  std::vector<ComplianceItem> items;
  int window_days = 0;  // restore window that schedules ask for at least; 0: none
  Instant updated;
  std::string updated_by;     // public name of the key
  std::int64_t revision = 0;  // grows with every stored change
};

// So many days are never less than the retention, whatever the calendar: a month counts 31 days, a
// year 12 months.
std::chrono::days LongestDays(RetentionUnit unit, int count);

// Whether `count` of `unit` is at least as long as `least` of `least_unit`, whatever the calendar.
bool IsAtLeast(RetentionUnit unit, int count, RetentionUnit least_unit, int least);

// What is wrong with it, as a sentence; empty when nothing is.
std::string ComplianceProblem(const CompliancePolicy& policy);

// Items without an id get the one of an item of `before` that they stand for.
void KeepIds(const std::vector<ComplianceItem>& before, std::vector<ComplianceItem>& items);

// What `after` promises less than `before`, as a sentence; empty when nothing. REQUIRES: KeepIds.
std::string WeakeningOf(const CompliancePolicy& before, const CompliancePolicy& after);

// What the schedule lacks to keep the policy, as a sentence; empty when nothing.
std::string ShortfallOf(const Schedule& schedule, const CompliancePolicy& policy);

// Changes the schedule to what keeps the policy, and no more than that. `run.next_due` is left.
void RaiseTo(const CompliancePolicy& policy, Schedule& schedule);

}  // namespace tidemark::domain
