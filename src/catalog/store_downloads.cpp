// Downloads: links to archives, and who is fetching them.
#include <cstdint>

#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

enum class RunState { kReserved = 0, kComplete = 1, kReleased = 2 };  // persistent

// What an archive may be sent of in one download beyond itself, for pieces that are asked for
// twice. The rest counts as another download.
constexpr std::int64_t kMostSent = 2;
constexpr std::int64_t kMaxOpen = 16;  // requests of one download at once
// Downloads of one job that broke off and may be gone on with.
constexpr std::int64_t kMaxReleased = 16;

struct Run {
  std::int64_t id = 0;
  RunState state = RunState::kReserved;
};

Run ReadRun(const Query& row) {
  Run run;
  row.Read(run.id, run.state);
  return run;
}

void DropStaleRuns(Session& session, const RestoreJobId& restore, Instant now) {
  Query(session,
        "DELETE FROM download_runs WHERE restore = ?1 AND open = 0 AND touched <= ?2",
        restore,
        now - domain::kContinueWithin)
      .Run();
}

// Whoever was let in a moment before the download was cancelled or its project deleted comes too
// late.
bool IsOffered(Session& session, const RestoreJobId& restore, Instant now) {
  return CountRows(session,
                   "SELECT count(*) FROM restores WHERE id = ?1 AND expires > ?2",
                   restore,
                   now) == 1;
}

bool HasPlace(Session& session, const RestoreJobId& restore) {
  return CountRows(session,
                   "SELECT count(*) FROM downloads d WHERE d.restore = ?1 AND d.max_downloads > "
                   "d.complete + (SELECT count(*) FROM download_runs r "
                   "WHERE r.restore = ?1 AND r.state = 0)",
                   restore) == 1;
}

// What a request that begins amid the archive goes on with: rather what keeps its place, then what
// broke off, then what has come to its end.
std::optional<Run> FindBegun(Session& session, const RestoreJobId& restore) {
  return FindRow(session,
                 ReadRun,
                 "SELECT r.id, r.state FROM download_runs r JOIN downloads d "
                 "ON d.restore = r.restore WHERE r.restore = ?1 "
                 "AND (d.size IS NULL OR r.sent < ?2 * d.size) AND r.open < ?3 "
                 "ORDER BY CASE r.state WHEN 0 THEN 0 WHEN 2 THEN 1 ELSE 2 END, "
                 "r.touched DESC, r.id DESC LIMIT 1",
                 restore,
                 kMostSent,
                 kMaxOpen);
}

bool Join(Session& session, const RestoreJobId& restore, const Run& run, Instant now) {
  if (run.state == RunState::kReleased && !HasPlace(session, restore)) {
    return false;
  }
  Query(session,
        "UPDATE download_runs SET open = open + 1, touched = ?2, "
        "state = CASE state WHEN 2 THEN 0 ELSE state END WHERE id = ?1",
        run.id,
        now)
      .Run();
  return true;
}

std::optional<std::int64_t> Begin(Session& session, const RestoreJobId& restore, Instant now) {
  if (!HasPlace(session, restore)) {
    return std::nullopt;
  }
  Query query(session,
              "INSERT INTO download_runs (restore, state, open, sent, touched) "
              "VALUES (?1, 0, 1, 0, ?2) RETURNING id",
              restore,
              now);
  std::int64_t id = 0;
  TIDEMARK_CHECK(query.Next());
  query.Read(id);
  query.Run();
  return id;
}

void CountComplete(Session& session, const DownloadTicket& ticket) {
  const std::int64_t changed =
      Query(session, "UPDATE download_runs SET state = 1 WHERE id = ?1 AND state <> 1", ticket.run)
          .Run();
  if (changed == 1) {
    Query(session,
          "UPDATE downloads SET complete = min(complete + 1, max_downloads) WHERE restore = ?1",
          ticket.restore)
        .Run();
  }
}

void Release(Session& session, const DownloadTicket& ticket) {
  Query(session,
        "UPDATE download_runs SET state = 2 WHERE id = ?1 AND state = 0 AND open = 0",
        ticket.run)
      .Run();
  Query(session,
        "DELETE FROM download_runs WHERE restore = ?1 AND state = 2 AND id NOT IN "
        "(SELECT id FROM download_runs WHERE restore = ?1 AND state = 2 "
        "ORDER BY touched DESC, id DESC LIMIT ?2)",
        ticket.restore,
        kMaxReleased)
      .Run();
}

}  // namespace

void InsertDownload(Session& session, const domain::RestoreJob& restore) {
  TIDEMARK_CHECK(restore.download.has_value());
  const domain::Download& download = *restore.download;
  Query(session,
        "INSERT INTO downloads (restore, key_hash, sealed_key, file_name, expiration_hours, "
        "max_downloads, complete, size, sha1) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, NULL, '')",
        restore.id,
        download.key_hash,
        Blob{download.sealed_key},
        download.file_name,
        download.expiration_hours,
        download.max_downloads)
      .Run();
}

std::optional<DownloadTicket> SqliteStore::ReserveDownload(const RestoreJobId& id,
                                                           DownloadPart part,
                                                           Instant now) {
  WriteScope scope(pool_);
  if (!IsOffered(scope, id, now)) {
    return std::nullopt;
  }
  DropStaleRuns(scope, id, now);
  std::optional<std::int64_t> run;
  if (part == DownloadPart::kContinuation) {
    const std::optional<Run> begun = FindBegun(scope, id);
    if (begun && Join(scope, id, *begun, now)) {
      run = begun->id;
    }
  }
  if (!run) {
    run = Begin(scope, id, now);
  }
  if (!run) {
    return std::nullopt;
  }
  scope.Commit();
  return DownloadTicket{id, *run};
}

void SqliteStore::EndDownload(const DownloadTicket& ticket,
                              DownloadOutcome outcome,
                              std::uint64_t sent,
                              Instant now) {
  WriteScope scope(pool_);
  Query(scope,
        "UPDATE download_runs SET open = open - 1, sent = sent + ?2, touched = ?3 "
        "WHERE id = ?1 AND open > 0",
        ticket.run,
        static_cast<std::int64_t>(sent),
        now)
      .Run();
  switch (outcome) {
    case DownloadOutcome::kComplete:
      CountComplete(scope, ticket);
      break;
    case DownloadOutcome::kPart:
      break;
    case DownloadOutcome::kBroken:
      Release(scope, ticket);
      break;
  }
  scope.Commit();
}

void SqliteStore::SaveArchiveFacts(const RestoreJobId& id,
                                   std::optional<std::uint64_t> size,
                                   std::string_view sha1) {
  RunAlone(pool_, "UPDATE downloads SET size = ?2, sha1 = ?3 WHERE restore = ?1", id, size, sha1);
}

bool SqliteStore::ExpireDownload(const RestoreJobId& id, Instant now) {
  return RunAlone(pool_,
                  "UPDATE restores SET expires = ?2 WHERE id = ?1 AND delivery = 1 "
                  "AND expires > ?2",
                  id,
                  now) == 1;
}

bool SqliteStore::CancelDownload(const RestoreJobId& id, Instant now) {
  return RunAlone(pool_,
                  "UPDATE restores SET expires = ?2, cancelled = ?2 WHERE id = ?1 "
                  "AND delivery = 1 AND expires > ?2",
                  id,
                  now) == 1;
}

void SqliteStore::EndAllDownloads() {
  RunAlone(pool_,
           "UPDATE download_runs SET open = 0, state = CASE state WHEN 0 THEN 2 ELSE state END "
           "WHERE open > 0");
}

}  // namespace tidemark::catalog
