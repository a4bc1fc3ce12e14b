#include "domain/compliance.h"

#include <algorithm>

namespace tidemark::domain {
namespace {

constexpr int kDaysOfWeek = 7;
constexpr int kMonthsOfYear = 12;
constexpr int kShortestMonth = 28;
constexpr int kLongestMonth = 31;
constexpr std::size_t kMaxItems = 16;
constexpr std::size_t kMaxText = 256;
constexpr int kMaxWindowDays = 366;

// A retention is a number of days, or of months.
struct Length {
  bool months = false;
  int count = 0;
};

Length LengthOf(RetentionUnit unit, int count) {
  switch (unit) {
    case RetentionUnit::kDays:
      return {.count = count};
    case RetentionUnit::kWeeks:
      return {.count = count * kDaysOfWeek};
    case RetentionUnit::kMonths:
      return {.months = true, .count = count};
    case RetentionUnit::kYears:
      return {.months = true, .count = count * kMonthsOfYear};
  }
  return {};
}

std::string KindOf(const ComplianceItem& item) {
  return item.frequency ? std::string(FrequencyName(*item.frequency)) : "on-demand";
}

std::string RetentionText(RetentionUnit unit, int count) {
  return std::to_string(count) + " " + std::string(RetentionUnitName(unit));
}

// Whether an item that is due every `interval` comes at least as often as `least` asks for. Weekly,
// monthly and yearly ones do on any day.
bool IsAsFrequent(Frequency frequency, int interval, int least) {
  return frequency != Frequency::kHourly || interval <= least;
}

bool Covers(const PolicyItem& item, const ComplianceItem& least) {
  return least.frequency == item.frequency &&
         IsAsFrequent(item.frequency, item.interval, least.interval) &&
         IsAtLeast(item.unit, item.retention, least.unit, least.retention);
}

// The rules of an item are those of a schedule's.
std::string ItemProblem(const ComplianceItem& item) {
  Schedule schedule;
  schedule.items = {{.frequency = item.frequency.value_or(Frequency::kDaily),
                     .interval = item.frequency ? item.interval : 1,
                     .unit = item.unit,
                     .retention = item.retention}};
  return ScheduleProblem(schedule);
}

PolicyItemId IdFor(const ComplianceItem& item,
                   const std::vector<ComplianceItem>& before,
                   const std::vector<ComplianceItem>& items) {
  std::vector<ComplianceItem> left;
  for (const ComplianceItem& old : before) {
    if (old.frequency == item.frequency &&
        std::ranges::find(items, old.id, &ComplianceItem::id) == items.end()) {
      left.push_back(old);
    }
  }
  const auto same = std::ranges::find(left, item.interval, &ComplianceItem::interval);
  if (same != left.end()) {
    return same->id;
  }
  return left.size() == 1 ? left.front().id : PolicyItemId();
}

}  // namespace

std::chrono::days LongestDays(RetentionUnit unit, int count) {
  const Length length = LengthOf(unit, count);
  return std::chrono::days{length.months ? length.count * kLongestMonth : length.count};
}

bool IsAtLeast(RetentionUnit unit, int count, RetentionUnit least_unit, int least) {
  const Length a = LengthOf(unit, count);
  const Length b = LengthOf(least_unit, least);
  if (a.months == b.months) {
    return a.count >= b.count;
  }
  return a.months ? a.count * kShortestMonth >= b.count : a.count >= b.count * kLongestMonth;
}

std::string ComplianceProblem(const CompliancePolicy& policy) {
  if (policy.email.empty()) {
    return "authorizedEmail is empty";
  }
  for (const std::string& text : {policy.email, policy.first_name, policy.last_name}) {
    if (text.size() > kMaxText) {
      return "authorizedEmail, authorizedUserFirstName and authorizedUserLastName have at most "
             "256 bytes";
    }
  }
  if (policy.window_days < 0 || policy.window_days > kMaxWindowDays) {
    return "restoreWindowDays is from 1 to 366";
  }
  if (policy.items.size() > kMaxItems) {
    return "there are at most 16 policy items";
  }
  for (const ComplianceItem& item : policy.items) {
    if (std::string problem = ItemProblem(item); !problem.empty()) {
      return problem;
    }
  }
  for (const ComplianceItem& item : policy.items) {
    if (!item.id.IsZero() && std::ranges::count(policy.items, item.id, &ComplianceItem::id) > 1) {
      return "there are two policy items with id " + item.id.ToString();
    }
  }
  const std::optional<Frequency> on_demand;
  if (std::ranges::count(policy.items, on_demand, &ComplianceItem::frequency) > 1) {
    return "there is at most one on-demand policy item";
  }
  return "";
}

void KeepIds(const std::vector<ComplianceItem>& before, std::vector<ComplianceItem>& items) {
  for (ComplianceItem& item : items) {
    if (item.id.IsZero()) {
      item.id = IdFor(item, before, items);
    }
  }
}

std::string WeakeningOf(const CompliancePolicy& before, const CompliancePolicy& after) {
  for (const ComplianceItem& old : before.items) {
    const auto item = std::ranges::find(after.items, old.id, &ComplianceItem::id);
    if (item == after.items.end() || item->frequency != old.frequency) {
      return "the " + KindOf(old) + " policy item would be gone";
    }
    if (old.frequency && !IsAsFrequent(*old.frequency, item->interval, old.interval)) {
      return "the " + KindOf(old) + " policy item would be due less often";
    }
    if (!IsAtLeast(item->unit, item->retention, old.unit, old.retention)) {
      return "the " + KindOf(old) + " policy item keeps " + RetentionText(old.unit, old.retention) +
             ", " + RetentionText(item->unit, item->retention) + " would be less";
    }
  }
  return after.window_days < before.window_days ? "restoreWindowDays would be less" : "";
}

std::string ShortfallOf(const Schedule& schedule, const CompliancePolicy& policy) {
  const bool asks = std::ranges::any_of(
      policy.items, [](const ComplianceItem& item) { return item.frequency.has_value(); });
  if (asks && !schedule.enabled) {
    return "the schedule would be off";
  }
  for (const ComplianceItem& least : policy.items) {
    if (!least.frequency) {
      continue;
    }
    const std::string needed =
        "the policy asks for " + KindOf(least) + " snapshots that are kept for " +
        RetentionText(least.unit, least.retention) +
        (least.frequency == Frequency::kHourly
             ? ", every " + std::to_string(least.interval) + " hours at least"
             : "");
    bool covered = false;
    for (const PolicyItem& item : schedule.items) {
      covered = covered || Covers(item, least);
      if (item.frequency == *least.frequency &&
          !IsAtLeast(item.unit, item.retention, least.unit, least.retention)) {
        return needed;
      }
    }
    if (!covered) {
      return needed;
    }
  }
  constexpr int kHours = 24;
  return schedule.point_in_time_hours < policy.window_days * kHours
             ? "the policy asks for a restore window of " + std::to_string(policy.window_days) +
                   " days"
             : "";
}

void RaiseTo(const CompliancePolicy& policy, Schedule& schedule) {
  for (const ComplianceItem& least : policy.items) {
    if (!least.frequency) {
      continue;
    }
    schedule.enabled = true;
    bool covered = false;
    for (PolicyItem& item : schedule.items) {
      if (item.frequency != *least.frequency) {
        continue;
      }
      if (!IsAtLeast(item.unit, item.retention, least.unit, least.retention)) {
        item.unit = least.unit;
        item.retention = least.retention;
      }
      if (item.frequency == Frequency::kHourly) {
        item.interval = std::min(item.interval, least.interval);
      }
      covered = true;
    }
    if (!covered) {
      schedule.items.push_back({.frequency = *least.frequency,
                                .interval = least.interval,
                                .unit = least.unit,
                                .retention = least.retention});
    }
  }
  constexpr int kHours = 24;
  schedule.point_in_time_hours =
      std::max(schedule.point_in_time_hours, policy.window_days * kHours);
}

}  // namespace tidemark::domain
