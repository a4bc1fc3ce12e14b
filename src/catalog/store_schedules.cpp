// Schedules. A change counts only while the row still has the revision it was made from: of two
// nodes that look at the same schedule one goes on.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

domain::PolicyItem ReadItem(const Query& row) {
  domain::PolicyItem item;
  row.Read(item.frequency, item.interval, item.unit, item.retention, item.id);
  return item;
}

std::vector<domain::PolicyItem> ReadItems(Session& session, const ClusterId& cluster) {
  return FindRows(session,
                  ReadItem,
                  "SELECT frequency, interval, unit, retention, id FROM schedule_items "
                  "WHERE cluster = ?1 ORDER BY position",
                  cluster);
}

constexpr std::int64_t kOnDemand = 5;  // in the column `frequency` of an extra retention

domain::ExtraRetention ReadExtra(const Query& row) {
  domain::ExtraRetention extra;
  std::int64_t frequency = 0;
  row.Read(frequency, extra.days);
  if (frequency != kOnDemand) {
    extra.frequency = static_cast<domain::Frequency>(frequency);
  }
  return extra;
}

// What lies in rows of its own.
void ReadParts(Session& session, domain::Schedule& schedule) {
  schedule.items = ReadItems(session, schedule.cluster);
  schedule.extra = FindRows(session,
                            ReadExtra,
                            "SELECT frequency, days FROM schedule_extra WHERE cluster = ?1 "
                            "ORDER BY position",
                            schedule.cluster);
}

domain::Schedule ReadSchedule(const Query& row) {
  domain::Schedule schedule;
  domain::ScheduleRun& run = schedule.run;
  domain::Verification verification;
  std::optional<Instant> verified;
  std::int64_t took = 0;
  domain::ExportBucketId bucket;
  domain::Frequency frequency = domain::Frequency::kMonthly;
  row.Read(schedule.cluster,
           schedule.enabled,
           schedule.reference_minute,
           schedule.keep_last,
           schedule.point_in_time_hours,
           schedule.checkpoint_minutes,
           run.next_due,
           run.due,
           run.attempt,
           run.snapshot,
           run.settled,
           run.retry_at,
           run.missed,
           run.last_missed,
           run.missed_reason,
           schedule.verify_days,
           verified,
           verification.snapshot,
           took,
           verification.failure,
           schedule.revision,
           schedule.policy,
           schedule.names_in_export_prefix,
           schedule.auto_export,
           bucket,
           frequency);
  if (!bucket.IsZero()) {
    schedule.export_to = {bucket, frequency};
  }
  if (verified) {
    verification.finished = *verified;
    verification.took = std::chrono::milliseconds(took);
    schedule.verified = std::move(verification);
  }
  return schedule;
}

void InsertParts(Session& session, const domain::Schedule& schedule) {
  std::int64_t position = 0;
  for (const domain::PolicyItem& item : schedule.items) {
    Query(session,
          "INSERT INTO schedule_items (cluster, position, frequency, interval, unit, retention, "
          "id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
          schedule.cluster,
          position++,
          item.frequency,
          item.interval,
          item.unit,
          item.retention,
          item.id)
        .Run();
  }
  position = 0;
  for (const domain::ExtraRetention& extra : schedule.extra) {
    Query(session,
          "INSERT INTO schedule_extra (cluster, position, frequency, days) "
          "VALUES (?1, ?2, ?3, ?4)",
          schedule.cluster,
          position++,
          extra.frequency ? static_cast<std::int64_t>(*extra.frequency) : kOnDemand,
          extra.days)
        .Run();
  }
}

void RequireExportBucket(Session& session, const domain::Schedule& schedule) {
  if (schedule.export_to &&
      CountRows(session,
                "SELECT count(*) FROM export_buckets b JOIN clusters c ON c.project = b.project "
                "WHERE b.id = ?1 AND c.id = ?2",
                schedule.export_to->bucket,
                schedule.cluster) == 0) {
    throw Error(ErrorCode::kNotFound,
                "changing the schedule of cluster " + schedule.cluster.ToString() +
                    ": its project has no export bucket " + schedule.export_to->bucket.ToString());
  }
}

// Runs a statement that inserts or changes a schedule: ?1 is its cluster, ?2 its revision, the
// others are the columns in the order of kInsert. The parts are not touched.
std::int64_t RunWithSchedule(Session& session,
                             std::string_view sql,
                             const domain::Schedule& schedule) {
  const domain::ScheduleRun& run = schedule.run;
  const std::optional<domain::AutoExport>& to = schedule.export_to;
  return Query(session,
               sql,
               schedule.cluster,
               schedule.revision,
               schedule.enabled,
               schedule.reference_minute,
               schedule.keep_last,
               schedule.point_in_time_hours,
               schedule.checkpoint_minutes,
               run.next_due,
               run.due,
               run.attempt,
               run.snapshot,
               run.settled,
               run.retry_at,
               run.missed,
               run.last_missed,
               run.missed_reason,
               domain::WakeAt(schedule),
               schedule.verify_days,
               schedule.policy,
               schedule.names_in_export_prefix,
               schedule.auto_export,
               to ? std::optional(to->bucket) : std::nullopt,
               to ? std::optional(to->frequency) : std::nullopt)
      .Run();
}

constexpr std::string_view kInsert =
    "INSERT INTO schedules (cluster, revision, enabled, reference_minute, keep_last, "
    "point_in_time_hours, checkpoint_minutes, next_due, due, attempt, snapshot, settled, retry_at, "
    "missed, last_missed, missed_reason, wake_at, verify_days, policy, names_in_export_prefix, "
    "auto_export, export_bucket, export_frequency, verified_ms, verify_failure) VALUES (?1, ?2, "
    "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
    "?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, 0, '') ON CONFLICT (cluster) DO NOTHING";

// Changes nothing when somebody else has changed it.
constexpr std::string_view kUpdate =
    "UPDATE schedules SET enabled = ?3, reference_minute = ?4, keep_last = ?5, "
    "point_in_time_hours = ?6, checkpoint_minutes = ?7, next_due = ?8, due = ?9, attempt = ?10, "
    "snapshot = ?11, settled = ?12, retry_at = ?13, missed = ?14, last_missed = ?15, "
    "missed_reason = ?16, wake_at = ?17, verify_days = ?18, policy = ?19, "
    "names_in_export_prefix = ?20, auto_export = ?21, export_bucket = ?22, export_frequency = ?23, "
    "revision = revision + 1 WHERE cluster = ?1 AND revision = ?2";

// `rest` begins behind FROM and calls the table s.
std::string SelectSchedules(std::string_view rest) {
  return "SELECT s.cluster, enabled, reference_minute, keep_last, point_in_time_hours, "
         "checkpoint_minutes, next_due, due, attempt, snapshot, settled, retry_at, missed, "
         "last_missed, missed_reason, verify_days, verified, verified_snapshot, verified_ms, "
         "verify_failure, revision, policy, names_in_export_prefix, auto_export, "
         "export_bucket, export_frequency FROM " +
         std::string(rest);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kFindSchedule = SelectSchedules("schedules s WHERE s.cluster = ?1");
const std::string kToStep = SelectSchedules(
    "schedules s JOIN clusters c ON c.id = s.cluster AND c.removed IS NULL "
    "WHERE s.cluster IN (SELECT cluster FROM schedules WHERE wake_at <= ?1 UNION "
    "SELECT w.cluster FROM schedules w JOIN snapshots n ON n.id = w.snapshot "
    "WHERE w.settled = 0 AND n.state >= 3) ORDER BY s.wake_at, s.cluster LIMIT ?2");

}  // namespace

bool SqliteStore::AddSchedule(const domain::Schedule& schedule) {
  WriteScope scope(pool_);
  if (RunWithSchedule(scope, kInsert, schedule) == 0) {
    return false;
  }
  InsertParts(scope, schedule);
  scope.Commit();
  return true;
}

std::optional<domain::Schedule> SqliteStore::FindSchedule(const ClusterId& cluster) {
  const ReadScope scope(pool_);
  auto schedule = FindRow(scope, ReadSchedule, kFindSchedule, cluster);
  if (schedule) {
    ReadParts(scope, *schedule);
  }
  return schedule;
}

bool SqliteStore::UpdateSchedule(const domain::Schedule& schedule) {
  WriteScope scope(pool_);
  if (RunWithSchedule(scope, kUpdate, schedule) == 0) {
    return false;
  }
  RequireExportBucket(scope, schedule);
  Query(scope, "DELETE FROM schedule_items WHERE cluster = ?1", schedule.cluster).Run();
  Query(scope, "DELETE FROM schedule_extra WHERE cluster = ?1", schedule.cluster).Run();
  InsertParts(scope, schedule);
  scope.Commit();
  return true;
}

bool SqliteStore::AdvanceSchedule(const domain::Schedule& schedule,
                                  const domain::ScheduleRun& run,
                                  const std::optional<QueuedSnapshot>& queued) {
  domain::Schedule next = schedule;
  next.run = run;
  bool saved = false;
  OrConflict("cannot queue a snapshot of cluster " + schedule.cluster.ToString() +
                 ": the attempt at its due time has been made",
             [&] {
               WriteScope scope(pool_);
               saved = RunWithSchedule(scope, kUpdate, next) == 1;
               if (saved && queued) {
                 InsertSnapshot(scope, queued->snapshot);
                 InsertJob(scope, queued->job);
               }
               scope.Commit();
             });
  return saved;
}

std::vector<domain::Cluster> SqliteStore::ListUnscheduledClusters(std::int64_t limit) {
  const Reader reader(pool_);
  return FindRows(reader,
                  ReadCluster,
                  "SELECT id, project, name, tier, topology, mongodb_version, replica_set_name, "
                  "connection_string, encryption_at_rest, paused, require_quiet, allow_lossy, "
                  "created, removed FROM clusters_unscheduled u JOIN clusters ON id = u.cluster "
                  "ORDER BY u.cluster LIMIT ?1",
                  limit);
}

std::vector<domain::Schedule> SqliteStore::ListSchedulesToStep(Instant now, std::int64_t limit) {
  const ReadScope scope(pool_);
  auto schedules = FindRows(scope, ReadSchedule, kToStep, now, limit);
  for (domain::Schedule& schedule : schedules) {
    ReadParts(scope, schedule);
  }
  return schedules;
}

std::optional<Store::SnapshotToVerify> SqliteStore::FindSnapshotToVerify(Instant now) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    SnapshotToVerify found;
    row.Read(found.cluster, found.snapshot, found.project, found.cluster_name);
    return found;
  };
  return FindRow(reader,
                 read,
                 "SELECT s.cluster, n.id, n.project, n.cluster_name FROM schedules s "
                 "JOIN clusters c ON c.id = s.cluster AND c.removed IS NULL "
                 "JOIN snapshots n ON n.id = (SELECT id FROM snapshots "
                 "WHERE cluster = s.cluster AND deleted IS NULL AND state = 3 "
                 "ORDER BY scheduled DESC, id DESC LIMIT 1) "
                 "WHERE s.verify_days > 0 AND NOT EXISTS "
                 "(SELECT 1 FROM drills d WHERE d.cluster = s.cluster AND d.state < 2) "
                 // More than a day ahead: the clock was set back since.
                 "AND (s.verified IS NULL OR s.verified > ?1 + 86400000000 "
                 "OR s.verified <= ?1 - s.verify_days * 86400000000) "
                 "ORDER BY s.verified, s.cluster LIMIT 1",
                 now);
}

void SqliteStore::SaveVerification(const ClusterId& cluster,
                                   const domain::Verification& verification) {
  RunAlone(pool_,
           "UPDATE schedules SET verified = ?2, verified_snapshot = ?3, verified_ms = ?4, "
           "verify_failure = ?5 WHERE cluster = ?1",
           cluster,
           verification.finished,
           verification.snapshot,
           static_cast<std::int64_t>(verification.took.count()),
           verification.failure);
}

std::optional<Instant> SqliteStore::FindDueBefore(const ClusterId& cluster, Instant due) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    Instant found;
    row.Read(found);
    return found;
  };
  return FindRow(reader,
                 read,
                 "SELECT due FROM snapshots WHERE cluster = ?1 AND due IS NOT NULL AND due < ?2 "
                 "AND state = 3 ORDER BY due DESC LIMIT 1",
                 cluster,
                 due);
}

}  // namespace tidemark::catalog
