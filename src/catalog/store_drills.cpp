// Restore drills and the clusters that they may wipe.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// In the order of MembersOf.
constexpr std::string_view kColumns =
    "id, project, cluster, cluster_name, snapshot, target, target_name, state, stopping, created, "
    "started, finished, restored, collections, documents, bytes, failure, notes";

std::string SelectDrills(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM drills WHERE " + std::string(rest);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kFindDrill = SelectDrills("id = ?1");
const std::string kListDrills =
    SelectDrills("cluster = ?1 ORDER BY created DESC, id DESC LIMIT ?2 OFFSET ?3");
const std::string kFindLast =
    SelectDrills("cluster = ?1 AND state IN (2, 3) ORDER BY created DESC, id DESC LIMIT 1");
const std::string kFindLastOf =
    SelectDrills("snapshot = ?1 AND state IN (2, 3) ORDER BY created DESC, id DESC LIMIT 1");
const std::string kInsertDrill = InsertInto("drills", kColumns);

// For a drill to be read (const) and one to be written.
template <class Drill>
auto MembersOf(Drill& drill) {
  return std::tie(drill.id,
                  drill.project,
                  drill.cluster,
                  drill.cluster_name,
                  drill.snapshot,
                  drill.target,
                  drill.target_name,
                  drill.state,
                  drill.stopping,
                  drill.created,
                  drill.started,
                  drill.finished,
                  drill.restored,
                  drill.collections,
                  drill.documents,
                  drill.bytes,
                  drill.failure,
                  drill.notes);
}

domain::Drill ReadDrill(const Query& row) {
  domain::Drill drill;
  row.Read(MembersOf(drill));
  return drill;
}

// With their jobs.
void ForgetOldDrills(Session& session, const ClusterId& cluster) {
  Query(session,
        "DELETE FROM jobs WHERE kind = 5 AND subject IN (SELECT id FROM drills "
        "WHERE cluster = ?1 AND state >= 2 ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?2)",
        cluster,
        domain::kDrillsKept)
      .Run();
  Query(session,
        "DELETE FROM drills WHERE id IN (SELECT id FROM drills WHERE cluster = ?1 AND state >= 2 "
        "ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?2)",
        cluster,
        domain::kDrillsKept)
      .Run();
}

void SaveOutcome(Session& session, const ObjectId& id, const domain::Drill& drill) {
  Query(session,
        "UPDATE drills SET state = ?2, finished = ?3, restored = ?4, collections = ?5, "
        "documents = ?6, bytes = ?7, failure = ?8, notes = ?9 WHERE id = ?1 AND state < 2",
        id,
        drill.state,
        drill.finished,
        drill.restored,
        drill.collections,
        drill.documents,
        drill.bytes,
        drill.failure,
        drill.notes)
      .Run();
}

// The trigger on it makes the event of a failure.
void SaveAsVerification(Session& session, const domain::Drill& drill) {
  const Instant finished = drill.finished.value_or(drill.created);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      finished - drill.started.value_or(finished));
  Query(session,
        "UPDATE schedules SET verified = ?2, verified_snapshot = ?3, verified_ms = ?4, "
        "verify_failure = ?5 WHERE cluster = ?1",
        drill.cluster,
        finished,
        drill.snapshot,
        static_cast<std::int64_t>(took.count()),
        drill.failure)
      .Run();
}

void InsertPassed(Session& session, const domain::Drill& drill) {
  Query(session,
        "INSERT INTO events (kind, at, project, cluster, object, reason) "
        "VALUES (?1, ?2, ?3, ?4, ?5, '')",
        domain::EventKind::kDrillPassed,
        drill.finished.value_or(drill.created),
        drill.project,
        drill.cluster_name,
        drill.id)
      .Run();
}

}  // namespace

void TakeScratchMark(Session& session,
                     const ClusterId& cluster,
                     std::string_view reason,
                     Instant now) {
  Query(session, "DELETE FROM scratch_targets WHERE cluster = ?1", cluster).Run();
  StopDrillsInto(session, cluster, reason, now);
}

void StopDrillsInto(Session& session,
                    const ClusterId& target,
                    std::string_view reason,
                    Instant now) {
  Query(session,
        "UPDATE drills SET state = 4, failure = ?2, finished = ?3 WHERE target = ?1 AND state < 2 "
        "AND id IN (SELECT subject FROM jobs WHERE state = 0)",
        target,
        reason,
        now)
      .Run();
  Query(session,
        "UPDATE jobs SET state = 2 WHERE state = 0 AND state < 2 AND kind = 5 "
        "AND subject IN (SELECT id FROM drills WHERE target = ?1 AND state = 4)",
        target)
      .Run();
  Query(session,
        "UPDATE drills SET stopping = 1, failure = ?2 WHERE target = ?1 AND state < 2",
        target,
        reason)
      .Run();
}

void SqliteStore::MarkScratch(const ClusterId& cluster, Instant now) {
  RunAlone(pool_,
           "INSERT INTO scratch_targets (cluster, marked) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
           cluster,
           now);
}

// A drill looks at the mark after its claim has made it running: it either does not find the mark
// or is told here.
bool SqliteStore::UnmarkScratch(const ClusterId& cluster, std::string_view reason, Instant now) {
  WriteScope scope(pool_);
  TakeScratchMark(scope, cluster, reason, now);
  const std::int64_t running =
      CountRows(scope, "SELECT count(*) FROM drills WHERE target = ?1 AND state < 2", cluster);
  scope.Commit();
  return running == 0;
}

bool SqliteStore::IsScratch(const ClusterId& cluster) {
  const Reader reader(pool_);
  return CountRows(reader, "SELECT count(*) FROM scratch_targets WHERE cluster = ?1", cluster) > 0;
}

void SqliteStore::SetDrillTarget(const ClusterId& cluster, const std::optional<ClusterId>& target) {
  if (!target) {
    RunAlone(pool_, "DELETE FROM drill_targets WHERE cluster = ?1", cluster);
    return;
  }
  RunAlone(pool_,
           "INSERT INTO drill_targets (cluster, target) VALUES (?1, ?2) "
           "ON CONFLICT (cluster) DO UPDATE SET target = ?2",
           cluster,
           *target);
}

std::optional<ClusterId> SqliteStore::FindDrillTarget(const ClusterId& cluster) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    ClusterId found;
    row.Read(found);
    return found;
  };
  return FindRow(reader, read, "SELECT target FROM drill_targets WHERE cluster = ?1", cluster);
}

bool SqliteStore::AddDrill(const domain::Drill& drill, const domain::Job& job) {
  WriteScope scope(pool_);
  if (CountRows(scope,
                "SELECT count(*) FROM drills WHERE cluster = ?1 AND state < 2",
                drill.cluster) > 0) {
    return false;
  }
  ForgetOldDrills(scope, drill.cluster);
  Query(scope, kInsertDrill, MembersOf(drill)).Run();
  InsertJob(scope, job);
  scope.Commit();
  return true;
}

std::optional<domain::Drill> SqliteStore::FindDrill(const domain::DrillId& id) {
  const Reader reader(pool_);
  return FindRow(reader, ReadDrill, kFindDrill, id);
}

domain::Listing<domain::Drill> SqliteStore::ListDrills(const ClusterId& cluster,
                                                       const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Drill> listing;
  listing.total = CountRows(scope, "SELECT count(*) FROM drills WHERE cluster = ?1", cluster);
  listing.rows = FindRows(scope, ReadDrill, kListDrills, cluster, page.size, page.Offset());
  return listing;
}

std::optional<domain::Drill> SqliteStore::FindLastDrill(const ClusterId& cluster) {
  const Reader reader(pool_);
  return FindRow(reader, ReadDrill, kFindLast, cluster);
}

std::optional<domain::Drill> SqliteStore::FindLastDrillOf(const SnapshotId& snapshot) {
  const Reader reader(pool_);
  return FindRow(reader, ReadDrill, kFindLastOf, snapshot);
}

bool SqliteStore::FinishDrill(const domain::Lease& lease, const domain::Drill& drill) {
  TIDEMARK_CHECK(domain::IsFinal(drill.state));
  WriteScope scope(pool_);
  const std::optional<ObjectId> subject = FinishJob(scope, lease, domain::JobKind::kDrill);
  if (!subject) {
    return false;
  }
  SaveOutcome(scope, *subject, drill);
  if (drill.state != domain::DrillState::kStopped) {
    SaveAsVerification(scope, drill);
  }
  if (drill.state == domain::DrillState::kPassed) {
    InsertPassed(scope, drill);
  }
  scope.Commit();
  return true;
}

}  // namespace tidemark::catalog
