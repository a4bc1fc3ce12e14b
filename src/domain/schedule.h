#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"
#include "base/random.h"
#include "domain/cluster.h"
#include "domain/export.h"
#include "domain/frequency.h"
#include "domain/snapshot.h"

// When snapshots of a cluster are taken and how long they are kept. Rules only: the moment and all
// that is known come as arguments. All of it is UTC.
namespace tidemark::domain {

// Persistent: never renumber.
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
  int retention = 1;     // at least 1
  PolicyItemId id = {};  // zero until it is stored

  bool operator==(const PolicyItem&) const = default;
};

// Days that snapshots of a kind are kept beyond their retention.
struct ExtraRetention {
  std::optional<Frequency> frequency;  // absent: those that a person asked for
  int days = 0;

  bool operator==(const ExtraRetention&) const = default;
};

// The completed snapshots that a schedule exports, each once: those that were taken for an item of
// the frequency, maybe among others.
struct AutoExport {
  ExportBucketId bucket;
  Frequency frequency = Frequency::kMonthly;  // not hourly

  bool operator==(const AutoExport&) const = default;
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
  PolicyId policy;                      // zero until it is stored
  std::vector<PolicyItem> items;        // none: deleted, nothing is due until there are some again
  std::vector<ExtraRetention> extra;    // at most one of a kind
  bool names_in_export_prefix = false;  // of organization and project, not their ids
  bool auto_export = false;             // export_to is acted upon
  std::optional<AutoExport> export_to;
  int point_in_time_hours = 0;  // how far back any moment should be restorable
  int checkpoint_minutes = 15;  // sharded clusters
  int verify_days = 0;          // the newest snapshot is read so often; 0: never
  ScheduleRun run;
  std::optional<Verification> verified;  // the last time
  std::int64_t revision = 0;  // grows with every stored change; what another node changed is seen
};

// What Atlas gives a new cluster: one snapshot a day of which the last 8 are kept (shared and flex
// tier, contract.md 7.1), or the cloud backup's default policy (contract.md 7.4). Without ids. The
// reference time is the time of day of its creation, so that many clusters are not due at once.
// Nothing is due before the first due time after `now`.
Schedule DefaultSchedule(const Cluster& cluster, Instant now);

// Items without an id get the one of an item of `before` that they stand for: same frequency and
// interval, or else the only one left of that frequency. For views that do not know ids.
void KeepIds(const std::vector<PolicyItem>& before, std::vector<PolicyItem>& items);
// New ids for what has none.
void GiveIds(Schedule& schedule, Instant now, RandomSource& random);

// What is wrong with it, as a sentence that begins with the own API's name of the member; empty
// when nothing is. A schedule without items is right.
std::string ScheduleProblem(const Schedule& schedule);

// The first due time after `after`; nullopt without items.
std::optional<Instant> NextDue(const Schedule& schedule, Instant after);

// The items that a snapshot for `due` is taken for, when `earlier` is the due time of the completed
// scheduled snapshot before it: those in whose period it is the first, so that what stands in for a
// missed weekly snapshot counts as one. A schedule that was changed may leave none: then the one
// that keeps shortest. REQUIRES: there are items.
std::vector<PolicyItem> ItemsFor(const Schedule& schedule,
                                 Instant due,
                                 std::optional<Instant> earlier);

// When what was taken at `at` for `items` expires: the longest retention wins, each with the extra
// one of its frequency. REQUIRES: there are items.
Instant ExpiryOf(const Schedule& schedule, Instant at, const std::vector<PolicyItem>& items);
// The extra days of that kind of snapshot.
std::chrono::days ExtraOf(const Schedule& schedule, std::optional<Frequency> frequency);

// The same for a snapshot for `due` with `earlier` before it. REQUIRES: there are items.
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

// Calendar arithmetic: a month after the 31st of January is the last of February.
Instant AddRetention(Instant at, RetentionUnit unit, int count);

// "days", "weeks", "months", "years", and back.
std::string_view RetentionUnitName(RetentionUnit unit);
std::optional<RetentionUnit> ParseRetentionUnit(std::string_view name);

}  // namespace tidemark::domain
