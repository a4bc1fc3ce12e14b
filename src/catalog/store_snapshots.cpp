// Snapshots.
#include <algorithm>

#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// Ids as one text: 24 hex digits each, a comma between.
constexpr std::size_t kIdSize = 24;

std::string FormatIds(const std::vector<domain::PolicyItemId>& ids) {
  std::string text;
  for (const domain::PolicyItemId& id : ids) {
    text += (text.empty() ? "" : ",") + id.ToString();
  }
  return text;
}

// In the order of MembersOf, then the policy items.
constexpr std::string_view kColumns =
    "id, project, cluster, cluster_name, state, description, scheduled, started, finished, "
    "expires, deleted, mongodb_version, consistent, inconsistent_reason, position_seconds, "
    "position_increment, failure, collections, documents, logical_bytes, stored_bytes, due, "
    "attempt, do_not_delete, frequency, retention_days, policy_items";

// For a snapshot to be read (const) and one to be written.
template <class Snapshot>
auto MembersOf(Snapshot& snapshot) {
  return std::tie(snapshot.id,
                  snapshot.project,
                  snapshot.cluster,
                  snapshot.cluster_name,
                  snapshot.state,
                  snapshot.description,
                  snapshot.scheduled,
                  snapshot.started,
                  snapshot.finished,
                  snapshot.expires,
                  snapshot.deleted,
                  snapshot.mongodb_version,
                  snapshot.consistent,
                  snapshot.inconsistent_reason,
                  snapshot.position.seconds,
                  snapshot.position.increment,
                  snapshot.failure,
                  snapshot.collections,
                  snapshot.documents,
                  snapshot.logical_bytes,
                  snapshot.stored_bytes,
                  snapshot.due,
                  snapshot.attempt,
                  snapshot.do_not_delete,
                  snapshot.frequency,
                  snapshot.retention_days);
}

// A snapshot's columns, then `rest`.
std::string SelectSnapshots(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " " + std::string(rest);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kInsertSnapshot = InsertInto("snapshots", kColumns);
const std::string kFindSnapshot = SelectSnapshots("FROM snapshots WHERE id = ?1");
// The index alone skips to the page.
const std::string kListSnapshots = SelectSnapshots(
    "FROM (SELECT id AS listed FROM snapshots "
    "WHERE cluster = ?1 AND deleted IS NULL AND state BETWEEN ?4 AND ?5 "
    "ORDER BY scheduled DESC, id DESC LIMIT ?2 OFFSET ?3) "
    "JOIN snapshots ON id = listed ORDER BY scheduled DESC, id DESC");
const std::string kListOldestFirst = SelectSnapshots(
    "FROM (SELECT id AS listed FROM snapshots WHERE cluster = ?1 AND deleted IS NULL "
    "ORDER BY scheduled, id LIMIT ?2 OFFSET ?3) "
    "JOIN snapshots ON id = listed ORDER BY scheduled, id");

domain::Snapshot ReadSnapshot(const Query& row) {
  domain::Snapshot snapshot;
  std::string policy_items;
  row.Read(MembersOf(snapshot), policy_items);
  snapshot.policy_items = ParsePolicyItems(policy_items);
  return snapshot;
}

ObjectId ReadId(const Query& row) {
  ObjectId id;
  row.Read(id);
  return id;
}

void RefuseWhileBeingRestored(Session& session, const SnapshotId& id) {
  const std::optional<ObjectId> reader =
      FindRow(session,
              ReadId,
              "SELECT id FROM restores WHERE snapshot = ?1 AND state < 3 ORDER BY id LIMIT 1",
              id);
  if (reader) {
    throw Error(ErrorCode::kConflict,
                "cannot delete snapshot " + id.ToString() + ": restore job " + reader->ToString() +
                    " reads it",
                "delete it when the restore job has finished");
  }
}

void RefuseWhileBeingExported(Session& session, const SnapshotId& id) {
  const std::optional<ObjectId> reader =
      FindRow(session, ReadId, "SELECT id FROM exports WHERE snapshot = ?1 AND state < 3", id);
  if (reader) {
    throw Error(
        ErrorCode::kConflict,
        "cannot delete snapshot " + id.ToString() + ": export " + reader->ToString() + " reads it",
        "delete it when the export has finished");
  }
}

void RefuseWhileDownloadable(Session& session, const SnapshotId& id, Instant now) {
  const std::optional<ObjectId> download =
      FindRow(session,
              ReadId,
              "SELECT r.id FROM restores r JOIN downloads d ON d.restore = r.id "
              "WHERE r.snapshot = ?1 AND r.delivery = 1 AND r.expires > ?2 "
              "AND d.complete < d.max_downloads ORDER BY r.id LIMIT 1",
              id,
              now);
  if (download) {
    throw Error(ErrorCode::kConflict,
                "cannot delete snapshot " + id.ToString() + ": download " + download->ToString() +
                    " can still be fetched",
                "delete it when the download has expired, or end the download");
  }
}

}  // namespace

std::vector<domain::PolicyItemId> ParsePolicyItems(std::string_view text) {
  std::vector<domain::PolicyItemId> ids;
  while (text.size() >= kIdSize) {
    const auto id = domain::PolicyItemId::Parse(text.substr(0, kIdSize));
    TIDEMARK_CHECK(id.has_value());
    ids.push_back(*id);
    text.remove_prefix(std::min(kIdSize + 1, text.size()));
  }
  return ids;
}

void InsertSnapshot(Session& session, const domain::Snapshot& snapshot) {
  Query(session, kInsertSnapshot, MembersOf(snapshot), FormatIds(snapshot.policy_items)).Run();
}

namespace {

void QueueSnapshot(Session& session, const domain::Snapshot& snapshot, const domain::Job& job) {
  RequireRegistered(session,
                    snapshot.cluster,
                    "cannot take a snapshot of cluster '" + snapshot.cluster_name + "'");
  OrConflict("cannot add snapshot " + snapshot.id.ToString() + ": it or its job exists", [&] {
    InsertSnapshot(session, snapshot);
    InsertJob(session, job);
  });
}

}  // namespace

void SqliteStore::AddSnapshot(const domain::Snapshot& snapshot, const domain::Job& job) {
  WriteScope scope(pool_);
  QueueSnapshot(scope, snapshot, job);
  scope.Commit();
}

bool SqliteStore::AddSnapshotAlone(const domain::Snapshot& snapshot, const domain::Job& job) {
  WriteScope scope(pool_);
  if (CountRows(scope,
                "SELECT count(*) FROM snapshots WHERE cluster = ?1 AND state < 3 AND due IS NULL "
                "AND deleted IS NULL AND id NOT IN (SELECT snapshot FROM imports)",
                snapshot.cluster) > 0) {
    return false;
  }
  QueueSnapshot(scope, snapshot, job);
  scope.Commit();
  return true;
}

std::optional<domain::Snapshot> SqliteStore::FindSnapshot(const SnapshotId& id) {
  const Reader reader(pool_);
  return FindRow(reader, ReadSnapshot, kFindSnapshot, id);
}

domain::Listing<domain::Snapshot> SqliteStore::ListSnapshots(const ClusterId& cluster,
                                                             const domain::Page& page) {
  return ListSnapshots(cluster, SnapshotStates{}, page);
}

domain::Listing<domain::Snapshot> SqliteStore::ListSnapshots(const ClusterId& cluster,
                                                             const SnapshotStates& states,
                                                             const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Snapshot> listing;
  listing.total = CountRows(scope,
                            "SELECT count(*) FROM snapshots WHERE cluster = ?1 "
                            "AND deleted IS NULL AND state BETWEEN ?2 AND ?3",
                            cluster,
                            states.first,
                            states.last);
  listing.rows = FindRows(scope,
                          ReadSnapshot,
                          kListSnapshots,
                          cluster,
                          page.size,
                          page.Offset(),
                          states.first,
                          states.last);
  return listing;
}

domain::Listing<domain::Snapshot> SqliteStore::ListSnapshotsOldestFirst(const ClusterId& cluster,
                                                                        const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<domain::Snapshot> listing;
  listing.total = CountRows(
      scope, "SELECT count(*) FROM snapshots WHERE cluster = ?1 AND deleted IS NULL", cluster);
  listing.rows = FindRows(scope, ReadSnapshot, kListOldestFirst, cluster, page.size, page.Offset());
  return listing;
}

bool SqliteStore::MarkSnapshotDeleted(const SnapshotId& id, Instant now) {
  WriteScope scope(pool_);
  RefuseWhileBeingRestored(scope, id);
  RefuseWhileBeingExported(scope, id);
  RefuseWhileDownloadable(scope, id, now);
  const std::int64_t changed = Query(scope,
                                     "UPDATE snapshots SET deleted = ?2 "
                                     "WHERE id = ?1 AND deleted IS NULL AND state >= 3 "
                                     "AND do_not_delete = 0",
                                     id,
                                     now)
                                   .Run();
  scope.Commit();
  return changed == 1;
}

}  // namespace tidemark::catalog
