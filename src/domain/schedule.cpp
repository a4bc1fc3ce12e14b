#include "domain/schedule.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tidemark::domain {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kSharedSnapshots = 8;        // contract.md 7.1
constexpr int kCloudWindowHours = 7 * 24;  // contract.md 7.4
constexpr std::int64_t kMinutesOfDay = std::int64_t{24} * 60;

// Bounds of what a person may ask for: years of retention, not forever by mistake.
constexpr int kMaxItems = 16;
constexpr int kMaxKeepLast = 1000;
constexpr int kMaxPointInTimeHours = 366 * 24;
constexpr int kMaxVerifyDays = 366;
constexpr int kMaxExtraDays = 3660;
constexpr std::array kMaxRetention{3660, 520, 120, 10};  // by RetentionUnit
constexpr std::array kHourlyIntervals{1, 2, 4, 6, 8, 12, 24};

// A longer gap is told as this many missed ones: nobody counts them.
constexpr std::int64_t kMaxMissedAtOnce = 10'000;

// Before attempts 2 and 3: most failures of a source are over by then.
constexpr std::array kRetryDelays{minutes{5}, minutes{20}};
static_assert(kRetryDelays.size() + 1 == kScheduleAttempts);

template <class Enum>
struct Name {
  Enum value;
  std::string_view name;
};

constexpr std::array kFrequencies{Name<Frequency>{Frequency::kHourly, "hourly"},
                                  Name<Frequency>{Frequency::kDaily, "daily"},
                                  Name<Frequency>{Frequency::kWeekly, "weekly"},
                                  Name<Frequency>{Frequency::kMonthly, "monthly"},
                                  Name<Frequency>{Frequency::kYearly, "yearly"}};

constexpr std::array kUnits{Name<RetentionUnit>{RetentionUnit::kDays, "days"},
                            Name<RetentionUnit>{RetentionUnit::kWeeks, "weeks"},
                            Name<RetentionUnit>{RetentionUnit::kMonths, "months"},
                            Name<RetentionUnit>{RetentionUnit::kYears, "years"}};

template <class Table, class Enum>
std::string_view NameOf(const Table& table, Enum value) {
  const auto row = std::ranges::find(table, value, [](const auto& entry) { return entry.value; });
  TIDEMARK_CHECK(row != table.end());
  return row->name;
}

template <class Enum, std::size_t kSize>
std::optional<Enum> Named(const std::array<Name<Enum>, kSize>& table, std::string_view name) {
  const auto row = std::ranges::find(table, name, &Name<Enum>::name);
  return row == table.end() ? std::nullopt : std::optional(row->value);
}

// Whether a daily, weekly, monthly or yearly item is due on that day.
bool FallsOn(const PolicyItem& item, sys_days day) {
  const year_month_day date(day);
  switch (item.frequency) {
    case Frequency::kHourly:
    case Frequency::kDaily:
      return true;
    case Frequency::kWeekly:
      return std::chrono::weekday(day).iso_encoding() == static_cast<unsigned>(item.interval);
    case Frequency::kMonthly:
      return item.interval == kLastDayOfMonth
                 ? year_month_day(day + days{1}).day() == std::chrono::day{1}
                 : date.day() == std::chrono::day{static_cast<unsigned>(item.interval)};
    case Frequency::kYearly:
      return date.day() == std::chrono::day{1} &&
             date.month() == std::chrono::month{static_cast<unsigned>(item.interval)};
  }
  return false;
}

// The start of the period of `item` that `at` lies in: its newest due time that is not later.
Instant PeriodStart(const PolicyItem& item, minutes reference, Instant at) {
  sys_days day = std::chrono::floor<days>(at - reference);
  if (item.frequency == Frequency::kHourly) {
    const Instant base = Instant(day) + reference;
    return base + (at - base) / hours{item.interval} * hours{item.interval};
  }
  while (!FallsOn(item, day)) {  // a year of days at most
    day -= days{1};
  }
  return Instant(day) + reference;
}

Instant NextStart(const PolicyItem& item, minutes reference, Instant after) {
  if (item.frequency == Frequency::kHourly) {
    return PeriodStart(item, reference, after) + hours{item.interval};
  }
  sys_days day = std::chrono::floor<days>(after - reference) + days{1};
  while (!FallsOn(item, day)) {
    day += days{1};
  }
  return Instant(day) + reference;
}

// Calendar arithmetic: a month after the 31st of January is the last of February.
Instant AddMonths(Instant at, int count) {
  const sys_days day = std::chrono::floor<days>(at);
  year_month_day date = year_month_day(day) + std::chrono::months{count};
  if (!date.ok()) {
    date = date.year() / date.month() / std::chrono::last;
  }
  return Instant(sys_days(date)) + (at - Instant(day));
}

Instant ExpiryOfItem(const Schedule& schedule, Instant at, const PolicyItem& item) {
  return AddRetention(at, item.unit, item.retention) + ExtraOf(schedule, item.frequency);
}

// As recorded from Atlas: contract.md 7.4.
std::vector<PolicyItem> CloudItems() {
  return {
      {.frequency = Frequency::kHourly,
       .interval = 6,
       .unit = RetentionUnit::kDays,
       .retention = 7},
      {.frequency = Frequency::kDaily, .interval = 1, .unit = RetentionUnit::kDays, .retention = 7},
      {.frequency = Frequency::kWeekly,
       .interval = 6,
       .unit = RetentionUnit::kWeeks,
       .retention = 4},
      {.frequency = Frequency::kMonthly,
       .interval = kLastDayOfMonth,
       .unit = RetentionUnit::kMonths,
       .retention = 12},
      {.frequency = Frequency::kYearly,
       .interval = 12,
       .unit = RetentionUnit::kYears,
       .retention = 1}};
}

bool IsInterval(const PolicyItem& item) {
  const int value = item.interval;
  switch (item.frequency) {
    case Frequency::kHourly:
      return std::ranges::find(kHourlyIntervals, value) != kHourlyIntervals.end();
    case Frequency::kDaily:
      return value == 1;
    case Frequency::kWeekly:
      return value >= 1 && value <= 7;
    case Frequency::kMonthly:
      return (value >= 1 && value <= 28) || value == kLastDayOfMonth;
    case Frequency::kYearly:
      return value >= 1 && value <= 12;
  }
  return false;
}

std::string ItemProblem(const PolicyItem& item) {
  if (!IsInterval(item)) {
    return "items: " + std::to_string(item.interval) + " is no interval of a " +
           std::string(FrequencyName(item.frequency)) +
           " item (hourly: 1, 2, 4, 6, 8, 12 or 24 hours; daily: 1; weekly: weekday 1 to 7; "
           "monthly: day 1 to 28, or 40 for the last; yearly: month 1 to 12)";
  }
  const int most = kMaxRetention.at(static_cast<std::size_t>(item.unit));
  if (item.retention < 1 || item.retention > most) {
    return "items: a retention in " + std::string(RetentionUnitName(item.unit)) + " is from 1 to " +
           std::to_string(most);
  }
  return "";
}

std::string ExtraProblem(const std::vector<ExtraRetention>& extra) {
  for (const ExtraRetention& one : extra) {
    if (one.days < 0 || one.days > kMaxExtraDays) {
      return "extraRetention: its days are from 0 to " + std::to_string(kMaxExtraDays);
    }
    if (std::ranges::count(extra, one.frequency, &ExtraRetention::frequency) > 1) {
      return "extraRetention: there is at most one of a frequency";
    }
  }
  return "";
}

std::string ExportProblem(const Schedule& schedule) {
  if (!schedule.export_to) {
    return schedule.auto_export
               ? "autoExportEnabled: it needs an export with exportBucketId and frequencyType"
               : "";
  }
  const Frequency frequency = schedule.export_to->frequency;
  if (frequency == Frequency::kHourly) {
    return "export: its frequencyType is daily, weekly, monthly or yearly";
  }
  if (schedule.auto_export &&
      std::ranges::find(schedule.items, frequency, &PolicyItem::frequency) ==
          schedule.items.end()) {
    return "export: its frequencyType is " + std::string(FrequencyName(frequency)) +
           ", and the schedule has no such item";
  }
  return "";
}

// The id of the item of `before` that `item` stands for, that none of `items` has; zero when there
// is none.
PolicyItemId IdFor(const PolicyItem& item,
                   const std::vector<PolicyItem>& before,
                   const std::vector<PolicyItem>& items) {
  std::vector<PolicyItem> left;
  for (const PolicyItem& old : before) {
    if (old.frequency == item.frequency &&
        std::ranges::find(items, old.id, &PolicyItem::id) == items.end()) {
      left.push_back(old);
    }
  }
  const auto same = std::ranges::find(left, item.interval, &PolicyItem::interval);
  if (same != left.end()) {
    return same->id;
  }
  const bool alone = std::ranges::count(items, item.frequency, &PolicyItem::frequency) == 1;
  return left.size() == 1 && alone ? left.front().id : PolicyItemId();
}

void Miss(ScheduleRun& run, Instant when, std::int64_t count, std::string reason) {
  run.missed += count;
  run.last_missed = when;
  run.missed_reason = std::move(reason);
}

// The newest due time up to `now`, and how many there are from next_due on. REQUIRES: next_due is
// one of them.
struct Passed {
  Instant newest;
  Instant before_newest;
  std::int64_t count = 0;
};

Passed PassedDueTimes(const Schedule& schedule, Instant now) {
  const std::optional<Instant>& first = schedule.run.next_due;
  TIDEMARK_CHECK(first.has_value());
  Passed passed{.newest = *first, .before_newest = {}, .count = 1};
  for (auto next = NextDue(schedule, passed.newest); next && *next <= now;
       next = NextDue(schedule, passed.newest)) {
    passed.before_newest = passed.newest;
    passed.newest = *next;
    passed.count = std::min(passed.count + 1, kMaxMissedAtOnce);
  }
  return passed;
}

// The end of the queued snapshot: done, or when to try again, or missed.
ScheduleRun Settle(const Schedule& schedule, Instant now, const std::optional<Snapshot>& last) {
  ScheduleRun run = schedule.run;
  run.settled = true;
  if (!last || last->state == SnapshotState::kCompleted || !run.due) {
    return run;
  }
  if (run.attempt < kScheduleAttempts && run.attempt >= 1) {
    const Instant retry = now + kRetryDelays.at(static_cast<std::size_t>(run.attempt) - 1);
    if (run.next_due && retry < *run.next_due) {
      run.retry_at = retry;
      return run;
    }
  }
  Miss(run, *run.due, 1, "snapshot " + last->id.ToString() + " failed: " + last->failure);
  return run;
}

ScheduleStep PassOver(const Schedule& schedule, Instant now) {
  ScheduleStep step{.run = schedule.run};
  step.run.next_due = NextDue(schedule, now);
  step.run.retry_at.reset();
  return step;
}

ScheduleStep Catch(const Schedule& schedule, Instant now) {
  ScheduleStep step = PassOver(schedule, now);
  const Passed passed = PassedDueTimes(schedule, now);
  if (!schedule.run.settled) {
    Miss(step.run,
         passed.newest,
         passed.count,
         "snapshot " + schedule.run.snapshot.ToString() + " was still being taken");
    return step;
  }
  if (schedule.run.retry_at && schedule.run.due) {  // its time is over
    Miss(step.run, *schedule.run.due, 1, "it failed, and the next one was due before another try");
  }
  if (passed.count > 1) {
    Miss(step.run,
         passed.before_newest,
         passed.count - 1,
         "it passed while no server was running; one snapshot stands for all that were due");
  }
  step.run.due = passed.newest;
  step.run.attempt = 1;
  step.take = true;
  return step;
}

}  // namespace

Schedule DefaultSchedule(const Cluster& cluster, Instant now) {
  Schedule schedule;
  schedule.cluster = cluster.id;
  const auto since_midnight = cluster.created - std::chrono::floor<days>(cluster.created);
  schedule.reference_minute =
      static_cast<int>(std::chrono::duration_cast<minutes>(since_midnight).count());
  if (cluster.tier == Tier::kDedicated) {
    schedule.items = CloudItems();
    schedule.point_in_time_hours = kCloudWindowHours;
  } else {
    schedule.items = {{.frequency = Frequency::kDaily,
                       .interval = 1,
                       .unit = RetentionUnit::kDays,
                       .retention = kSharedSnapshots}};
    schedule.keep_last = kSharedSnapshots;
  }
  schedule.run.next_due = NextDue(schedule, now);
  return schedule;
}

void KeepIds(const std::vector<PolicyItem>& before, std::vector<PolicyItem>& items) {
  for (PolicyItem& item : items) {
    if (item.id.IsZero()) {
      item.id = IdFor(item, before, items);
    }
  }
}

void GiveIds(Schedule& schedule, Instant now, RandomSource& random) {
  if (schedule.policy.IsZero()) {
    schedule.policy = PolicyId::Generate(now, random);
  }
  for (PolicyItem& item : schedule.items) {
    if (item.id.IsZero()) {
      item.id = PolicyItemId::Generate(now, random);
    }
  }
}

std::string ScheduleProblem(const Schedule& schedule) {
  if (schedule.reference_minute < 0 || schedule.reference_minute >= kMinutesOfDay) {
    return "referenceHourOfDay: the reference time is from 00:00 to 23:59";
  }
  if (schedule.keep_last < 1 || schedule.keep_last > kMaxKeepLast) {
    return "keepLast: it is from 1 to " + std::to_string(kMaxKeepLast);
  }
  if (schedule.point_in_time_hours < 0 || schedule.point_in_time_hours > kMaxPointInTimeHours) {
    return "pointInTimeWindowHours: it is from 0 to " + std::to_string(kMaxPointInTimeHours);
  }
  if (schedule.verify_days < 0 || schedule.verify_days > kMaxVerifyDays) {
    return "verifyIntervalDays: it is from 0 to " + std::to_string(kMaxVerifyDays);
  }
  if (schedule.items.size() > kMaxItems) {
    return "items: there are 1 to " + std::to_string(kMaxItems);
  }
  for (const PolicyItem& item : schedule.items) {
    if (std::string problem = ItemProblem(item); !problem.empty()) {
      return problem;
    }
  }
  std::string problem = ExtraProblem(schedule.extra);
  return problem.empty() ? ExportProblem(schedule) : problem;
}

std::optional<Instant> NextDue(const Schedule& schedule, Instant after) {
  std::optional<Instant> next;
  for (const PolicyItem& item : schedule.items) {
    const Instant start = NextStart(item, minutes{schedule.reference_minute}, after);
    next = next ? std::min(*next, start) : start;
  }
  return next;
}

Instant AddRetention(Instant at, RetentionUnit unit, int count) {
  switch (unit) {
    case RetentionUnit::kDays:
      return at + days{count};
    case RetentionUnit::kWeeks:
      return at + days{7 * count};
    case RetentionUnit::kMonths:
      return AddMonths(at, count);
    case RetentionUnit::kYears:
      return AddMonths(at, 12 * count);
  }
  return at;
}

days ExtraOf(const Schedule& schedule, std::optional<Frequency> frequency) {
  const auto found = std::ranges::find(schedule.extra, frequency, &ExtraRetention::frequency);
  return days{found == schedule.extra.end() ? 0 : found->days};
}

std::vector<PolicyItem> ItemsFor(const Schedule& schedule,
                                 Instant due,
                                 std::optional<Instant> earlier) {
  TIDEMARK_CHECK(!schedule.items.empty());
  std::vector<PolicyItem> first;
  for (const PolicyItem& item : schedule.items) {
    const Instant start = PeriodStart(item, minutes{schedule.reference_minute}, due);
    if (!earlier || *earlier < start) {
      first.push_back(item);
    }
  }
  if (first.empty()) {
    first.push_back(*std::ranges::min_element(schedule.items, {}, [&](const PolicyItem& item) {
      return ExpiryOfItem(schedule, due, item);
    }));
  }
  return first;
}

Instant ExpiryOf(const Schedule& schedule, Instant at, const std::vector<PolicyItem>& items) {
  TIDEMARK_CHECK(!items.empty());
  Instant expiry = at;
  for (const PolicyItem& item : items) {
    expiry = std::max(expiry, ExpiryOfItem(schedule, at, item));
  }
  return expiry;
}

Instant ExpiryOf(const Schedule& schedule, Instant due, std::optional<Instant> earlier) {
  return ExpiryOf(schedule, due, ItemsFor(schedule, due, earlier));
}

std::optional<ScheduleStep> NextStep(const Schedule& schedule,
                                     Instant now,
                                     const std::optional<Snapshot>& last,
                                     bool paused) {
  const ScheduleRun& run = schedule.run;
  if (!run.settled && (!last || IsFinal(last->state))) {
    return ScheduleStep{.run = Settle(schedule, now, last)};
  }
  if (!schedule.enabled || !run.next_due) {
    return std::nullopt;
  }
  const bool due = *run.next_due <= now;
  const bool retry = run.retry_at && *run.retry_at <= now;
  if (paused && (due || retry)) {
    return PassOver(schedule, now);
  }
  if (due) {
    return Catch(schedule, now);
  }
  if (!retry) {
    return std::nullopt;
  }
  ScheduleStep step{.run = run, .take = true};
  step.run.retry_at.reset();
  ++step.run.attempt;
  return step;
}

std::optional<Instant> WakeAt(const Schedule& schedule) {
  if (!schedule.enabled || !schedule.run.next_due) {
    return std::nullopt;
  }
  return schedule.run.retry_at ? std::min(*schedule.run.retry_at, *schedule.run.next_due)
                               : *schedule.run.next_due;
}

std::string_view FrequencyName(Frequency frequency) {
  return NameOf(kFrequencies, frequency);
}

std::optional<Frequency> ParseFrequency(std::string_view name) {
  return Named(kFrequencies, name);
}

std::string_view RetentionUnitName(RetentionUnit unit) {
  return NameOf(kUnits, unit);
}

std::optional<RetentionUnit> ParseRetentionUnit(std::string_view name) {
  return Named(kUnits, name);
}

}  // namespace tidemark::domain
