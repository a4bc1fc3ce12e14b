// The job queue. A write of a worker counts only while `fence = its fence AND state = 1` (running)
// holds: a newer claim raises the fence, and release, finish and stop leave the state.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// In the order of MembersOf, then the checkpoint.
constexpr std::string_view kColumns =
    "id, kind, subject, state, owner, lease_until, fence, attempts, phase, documents_done, "
    "documents_total, bytes_done, bytes_total, collections_done, collections_total, created, "
    "checkpoint";

// For a job to be read (const) and one to be written.
template <class Job>
auto MembersOf(Job& job) {
  return std::tie(job.id,
                  job.kind,
                  job.subject,
                  job.state,
                  job.owner,
                  job.lease_until,
                  job.fence,
                  job.attempts,
                  job.progress.phase,
                  job.progress.documents_done,
                  job.progress.documents_total,
                  job.progress.bytes_done,
                  job.progress.bytes_total,
                  job.progress.collections_done,
                  job.progress.collections_total,
                  job.created);
}

domain::Job ReadJob(const Query& row) {
  domain::Job job;
  row.Read(MembersOf(job), job.checkpoint);
  return job;
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kInsertJob = InsertInto("jobs", kColumns);
const std::string kFindBySubject =
    "SELECT " + std::string(kColumns) + " FROM jobs WHERE subject = ?1";

// What may not run now. A snapshot (kind 0) would read a cluster that a restore (1) or a drill (5)
// is wiping and loading: it waits, unless it is read from a dump. A restore waits for the end of a
// drill that has been told to leave its target, or for the end of that one's lease. One drill runs
// at a time, so that some workers are left for people.
//
// What goes first: a restore counts as 6 hours older than a snapshot or whatever else there is, and
// these as 18 hours older than a drill (in microseconds). Nothing waits for ever behind newer jobs.
const std::string kTakeNext =
    "UPDATE jobs SET state = 1, owner = ?1, lease_until = ?3, fence = fence + 1, "
    "attempts = attempts + 1 WHERE id = ("
    "SELECT j.id FROM jobs j WHERE j.state < 2 AND (j.state = 0 OR j.lease_until <= ?2) "
    "AND NOT (j.kind = 0 AND EXISTS (SELECT 1 FROM snapshots s WHERE s.id = j.subject "
    "AND s.id NOT IN (SELECT snapshot FROM imports) AND (s.cluster IN "
    "(SELECT target_cluster FROM restores WHERE state < 3 AND target_cluster IS NOT NULL) "
    "OR s.cluster IN (SELECT d.target FROM jobs w JOIN drills d ON d.id = w.subject "
    "WHERE w.state < 2 AND w.state = 1 AND w.kind = 5 AND w.lease_until > ?2 "
    "AND d.target IS NOT NULL)))) "
    "AND NOT (j.kind = 1 AND EXISTS (SELECT 1 FROM jobs w JOIN drills d ON d.id = w.subject "
    "JOIN restores r ON r.target_cluster = d.target WHERE r.id = j.subject AND w.state < 2 "
    "AND w.state = 1 AND w.kind = 5 AND w.lease_until > ?2)) "
    "AND NOT (j.kind = 5 AND (EXISTS (SELECT 1 FROM jobs w WHERE w.state < 2 AND w.state = 1 "
    "AND w.kind = 5 AND w.lease_until > ?2) OR EXISTS (SELECT 1 FROM drills d "
    "WHERE d.id = j.subject AND d.stopping = 0 AND d.target IS NOT NULL AND (EXISTS "
    "(SELECT 1 FROM restores r WHERE r.target_cluster = d.target AND r.state < 3) OR EXISTS "
    "(SELECT 1 FROM jobs w JOIN snapshots s ON s.id = w.subject WHERE w.state < 2 "
    "AND w.state = 1 AND w.kind = 0 AND s.cluster = d.target "
    "AND s.id NOT IN (SELECT snapshot FROM imports)))))) "
    "ORDER BY j.created + CASE j.kind WHEN 1 THEN 0 WHEN 5 THEN 86400000000 ELSE 21600000000 END, "
    "j.id LIMIT 1) "
    "RETURNING " +
    std::string(kColumns);

std::optional<domain::Job> TakeNext(Session& session,
                                    std::string_view owner,
                                    Instant now,
                                    Instant until) {
  Query query(session, kTakeNext, owner, now, until);
  if (!query.Next()) {
    return std::nullopt;
  }
  domain::Job job = ReadJob(query);
  query.Run();
  return job;
}

void MoveSubjectToRunning(Session& session, const domain::Job& job, Instant now) {
  switch (job.kind) {
    case domain::JobKind::kTakeSnapshot:
      Query(session,
            "UPDATE snapshots SET state = 2, started = coalesce(started, ?2) "
            "WHERE id = ?1 AND state < 3",
            job.subject,
            now)
          .Run();
      return;
    case domain::JobKind::kRestore:
      Query(session, "UPDATE restores SET state = 2 WHERE id = ?1 AND state < 3", job.subject)
          .Run();
      return;
    case domain::JobKind::kExport:
      Query(session, "UPDATE exports SET state = 2 WHERE id = ?1 AND state < 3", job.subject).Run();
      return;
    case domain::JobKind::kDrill:
      Query(session,
            "UPDATE drills SET state = 1, started = coalesce(started, ?2) "
            "WHERE id = ?1 AND state < 2",
            job.subject,
            now)
          .Run();
      return;
  }
}

void SaveOutcome(Session& session, const ObjectId& id, const domain::Snapshot& snapshot) {
  Query(session,
        "UPDATE snapshots SET state = ?2, finished = ?3, mongodb_version = ?4, consistent = ?5, "
        "inconsistent_reason = ?6, position_seconds = ?7, position_increment = ?8, "
        "failure = ?9, collections = ?10, documents = ?11, logical_bytes = ?12, "
        "stored_bytes = ?13, expires = CASE WHEN ?2 = 3 AND retention_days IS NOT NULL "
        "THEN max(expires, expires + ?3 - scheduled) ELSE expires END "
        "WHERE id = ?1 AND state < 3",
        id,
        snapshot.state,
        snapshot.finished,
        snapshot.mongodb_version,
        snapshot.consistent,
        snapshot.inconsistent_reason,
        snapshot.position.seconds,
        snapshot.position.increment,
        snapshot.failure,
        snapshot.collections,
        snapshot.documents,
        snapshot.logical_bytes,
        snapshot.stored_bytes)
      .Run();
}

}  // namespace

std::optional<ObjectId> FinishJob(Session& session,
                                  const domain::Lease& lease,
                                  domain::JobKind kind) {
  Query query(session,
              "UPDATE jobs SET state = 2, owner = '', lease_until = NULL "
              "WHERE id = ?1 AND fence = ?2 AND state = 1 AND kind = ?3 RETURNING subject",
              lease.job,
              lease.fence,
              kind);
  if (!query.Next()) {
    return std::nullopt;
  }
  ObjectId subject;
  query.Read(subject);
  query.Run();
  return subject;
}

void InsertJob(Session& session, const domain::Job& job) {
  Query(session, kInsertJob, MembersOf(job), Blob{job.checkpoint}).Run();
}

std::optional<domain::Job> SqliteStore::ClaimJob(std::string_view owner,
                                                 Instant now,
                                                 std::chrono::seconds lease) {
  WriteScope scope(pool_);
  const std::optional<domain::Job> job = TakeNext(scope, owner, now, now + lease);
  if (job) {
    MoveSubjectToRunning(scope, *job, now);
    scope.Commit();
  }
  return job;
}

bool SqliteStore::ExtendLease(const domain::Lease& lease, Instant until) {
  return RunAlone(pool_,
                  "UPDATE jobs SET lease_until = ?3 WHERE id = ?1 AND fence = ?2 AND state = 1",
                  lease.job,
                  lease.fence,
                  until) == 1;
}

bool SqliteStore::SaveProgress(const domain::Lease& lease, const domain::JobProgress& progress) {
  return RunAlone(pool_,
                  "UPDATE jobs SET phase = ?3, documents_done = ?4, documents_total = ?5, "
                  "bytes_done = ?6, bytes_total = ?7, collections_done = ?8, "
                  "collections_total = ?9 WHERE id = ?1 AND fence = ?2 AND state = 1",
                  lease.job,
                  lease.fence,
                  progress.phase,
                  progress.documents_done,
                  progress.documents_total,
                  progress.bytes_done,
                  progress.bytes_total,
                  progress.collections_done,
                  progress.collections_total) == 1;
}

bool SqliteStore::SaveCheckpoint(const domain::Lease& lease, std::string_view checkpoint) {
  return RunAlone(pool_,
                  "UPDATE jobs SET checkpoint = ?3 WHERE id = ?1 AND fence = ?2 AND state = 1",
                  lease.job,
                  lease.fence,
                  Blob{checkpoint}) == 1;
}

bool SqliteStore::FinishSnapshot(const domain::Lease& lease, const domain::Snapshot& snapshot) {
  TIDEMARK_CHECK(domain::IsFinal(snapshot.state));
  WriteScope scope(pool_);
  const std::optional<ObjectId> subject = FinishJob(scope, lease, domain::JobKind::kTakeSnapshot);
  if (!subject) {
    return false;
  }
  SaveOutcome(scope, *subject, snapshot);
  scope.Commit();
  return true;
}

bool SqliteStore::FinishRestore(const domain::Lease& lease,
                                domain::RestoreState state,
                                std::string_view failure,
                                Instant now) {
  TIDEMARK_CHECK(domain::IsFinal(state));
  WriteScope scope(pool_);
  const std::optional<ObjectId> subject = FinishJob(scope, lease, domain::JobKind::kRestore);
  if (!subject) {
    return false;
  }
  Query(scope,
        "UPDATE restores SET state = ?2, failure = ?3, finished = ?4 WHERE id = ?1 AND state < 3",
        *subject,
        state,
        failure,
        now)
      .Run();
  scope.Commit();
  return true;
}

bool SqliteStore::ReleaseJob(const domain::Lease& lease) {
  return RunAlone(pool_,
                  "UPDATE jobs SET state = 0, owner = '', lease_until = NULL "
                  "WHERE id = ?1 AND fence = ?2 AND state = 1",
                  lease.job,
                  lease.fence) == 1;
}

// `state < 2` lets the statement use the index of unfinished jobs instead of reading all there ever
// were.
void SqliteStore::BreakAllLeases() {
  RunAlone(pool_,
           "UPDATE jobs SET state = 0, owner = '', lease_until = NULL "
           "WHERE state = 1 AND state < 2");
}

std::optional<domain::Job> SqliteStore::FindJobBySubject(const ObjectId& subject) {
  const Reader reader(pool_);
  return FindRow(reader, ReadJob, kFindBySubject, subject);
}

}  // namespace tidemark::catalog
