#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"
#include "domain/cluster.h"
#include "domain/snapshot.h"

// When snapshots of a cluster are taken and how long they are kept. Rules only: the moment and all
// that is known come as arguments. All of it is UTC.
namespace tidemark::domain {

// Persistent: never renumber.
enum class Frequency { kHourly = 0, kDaily = 1, kWeekly = 2, kMonthly = 3, kYearly = 4 };
enum class RetentionUnit { kDays = 0, kWeeks = 1, kMonths = 2, kYears = 3 };

// The `interval` of a monthly item that means the last day of the month (Atlas' number for it).
inline constexpr int kLastDayOfMonth = 40;

// One line of a schedule, the policy item of Atlas' cloud backup. The legacy and shared-tier
// schedules are made of the same lines. Its due times cut time into periods; the first completed
// snapshot of each period is kept for its retention.
struct PolicyItem {
  Frequency frequency = Frequency::kDaily;
  // Hourly: hours, one of 1, 2, 4, 6, 8, 12, 24, counted from the reference time. Daily: 1. Weekly:
  // the weekday, 1 (Monday) to 7. Monthly: the day, 1 to 28 or kLastDayOfMonth. Yearly: the month,
  // 1 to 12, on its first day.
  int interval = 1;
  RetentionUnit unit = RetentionUnit::kDays;
  int retention = 1;  // at least 1

  bool operator==(const PolicyItem&) const = default;
};

// Where a schedule stands.
struct ScheduleRun {
  std::optional<Instant> next_due;  // absent while the schedule is off
  std::optional<Instant> due;       // that the newest queued snapshot is for
  int attempt = 0;                  // at it, from 1
  SnapshotId snapshot;              // the newest queued one
  bool settled = true;              // its end has been looked at
  std::optional<Instant> retry_at;  // of its due time, after a failure
  std::int64_t missed = 0;          // due times without a snapshot, ever
  std::optional<Instant> last_missed;
  std::string missed_reason;  // of the last missed one, for people

  bool operator==(const ScheduleRun&) const = default;
};

// What reading and decoding all of a snapshot showed.
struct Verification {
  SnapshotId snapshot;
  Instant finished;
  std::chrono::milliseconds took{0};
  std::string failure;  // empty: every document is what was stored

  bool operator==(const Verification&) const = default;
};

// The snapshots of one cluster.
struct Schedule {
  ClusterId cluster;
  bool enabled = true;
  int reference_minute = 0;  // minute of the day, 0 to 1439
  // So many completed snapshots of the cluster stay whatever their age: at least 1.
  int keep_last = 1;
  std::vector<PolicyItem> items;
  int point_in_time_hours = 0;  // how far back any moment should be restorable
  int checkpoint_minutes = 15;  // sharded clusters
  int verify_days = 0;          // the newest snapshot is read so often; 0: never
  ScheduleRun run;
  std::optional<Verification> verified;  // the last time
  std::int64_t revision = 0;  // grows with every stored change; what another node changed is seen
};

// What Atlas gives a new cluster: one snapshot a day of which the last 8 are kept (shared and flex
// tier, contract.md 7.1), or the legacy schedule (contract.md 7.3). The reference time is the time
// of day of its creation, so that many clusters are not due at once. Nothing is due before the
// first due time after `now`.
Schedule DefaultSchedule(const Cluster& cluster, Instant now);

// What is wrong with it, as a sentence that begins with the own API's name of the member; empty
// when nothing is.
std::string ScheduleProblem(const Schedule& schedule);

// The first due time after `after`; nullopt without items.
std::optional<Instant> NextDue(const Schedule& schedule, Instant after);

// How long a snapshot for `due` is kept, when `earlier` is the due time of the completed scheduled
// snapshot before it: of each item in whose period it is the first the retention counts, and the
// longest wins. So what stands in for a missed weekly snapshot is kept like one. REQUIRES: there
// are items.
Instant ExpiryOf(const Schedule& schedule, Instant due, std::optional<Instant> earlier);

// What a look at the schedule leads to: the new state, and whether a snapshot for `run.due` is to
// be queued.
struct ScheduleStep {
  ScheduleRun run;
  bool take = false;
};

inline constexpr int kScheduleAttempts = 3;  // at one due time

// The next step at `now`, nullopt when there is nothing to do. `last` is the snapshot run.snapshot,
// if there is one. A due time that passes is one of these: queued; missed, because a newer one has
// passed too (one snapshot stands for all that were missed), because the snapshot before it still
// runs, or because every attempt failed. A paused cluster is down on purpose: nothing is queued or
// missed.
std::optional<ScheduleStep> NextStep(const Schedule& schedule,
                                     Instant now,
                                     const std::optional<Snapshot>& last,
                                     bool paused);

// When NextStep may have something to do even if no snapshot ends before.
std::optional<Instant> WakeAt(const Schedule& schedule);

// "hourly", "daily", "weekly", "monthly", "yearly"; "days", "weeks", "months", "years"; and back.
std::string_view FrequencyName(Frequency frequency);
std::optional<Frequency> ParseFrequency(std::string_view name);
std::string_view RetentionUnitName(RetentionUnit unit);
std::optional<RetentionUnit> ParseRetentionUnit(std::string_view name);

}  // namespace tidemark::domain
