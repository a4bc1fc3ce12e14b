// Restores that are asked for by collection. What a worker writes counts only under its lease
// (store_jobs.cpp).
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

using domain::RestoredNamespace;

constexpr std::string_view kColumns =
    "SELECT source, target, effective, state, index_state, index_failure, documents_total, "
    "documents_restored FROM restored_namespaces ";

// Static: a session keeps the statements that it has prepared by their text.
const std::string kReadAll = std::string(kColumns) + "WHERE restore = ?1 ORDER BY position";
const std::string kFind = std::string(kColumns) + "WHERE restore = ?1 AND source = ?2";
constexpr std::string_view kFiltered =
    "WHERE restore = ?1 AND (?2 IS NULL OR state = ?2) AND (?3 = '' OR source = ?3) "
    "AND (?4 = '' OR target = ?4) ";
const std::string kList =
    std::string(kColumns) + std::string(kFiltered) + "ORDER BY position LIMIT ?5 OFFSET ?6";
const std::string kCountListed =
    "SELECT count(*) FROM restored_namespaces " + std::string(kFiltered);

RestoredNamespace ReadNamespace(const Query& row) {
  RestoredNamespace ns;
  row.Read(ns.source,
           ns.target,
           ns.effective,
           ns.state,
           ns.indexes,
           ns.index_failure,
           ns.documents_total,
           ns.documents_restored);
  return ns;
}

void InsertChoices(Session& session,
                   const RestoreJobId& id,
                   const std::vector<domain::NamespaceChoice>& choices,
                   bool whole) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    Query(session,
          "INSERT INTO collection_restore_choices (restore, whole, position, source, target) "
          "VALUES (?1, ?2, ?3, ?4, ?5)",
          id,
          whole,
          i,
          choices[i].source,
          choices[i].target)
        .Run();
  }
}

std::vector<domain::NamespaceChoice> ReadChoices(Session& session,
                                                 const RestoreJobId& id,
                                                 bool whole) {
  const auto read = [](const Query& row) {
    domain::NamespaceChoice choice;
    row.Read(choice.source, choice.target);
    return choice;
  };
  return FindRows(session,
                  read,
                  "SELECT source, target FROM collection_restore_choices "
                  "WHERE restore = ?1 AND whole = ?2 ORDER BY position",
                  id,
                  whole);
}

// The restore that the lease works on; nullopt when it is lost.
std::optional<RestoreJobId> SubjectOf(Session& session, const domain::Lease& lease) {
  const auto read = [](const Query& row) {
    RestoreJobId id;
    row.Read(id);
    return id;
  };
  return FindRow(session,
                 read,
                 "SELECT subject FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 1",
                 lease.job,
                 lease.fence);
}

void InsertNamespace(Session& session,
                     const RestoreJobId& id,
                     std::size_t position,
                     const RestoredNamespace& ns) {
  Query(session,
        "INSERT INTO restored_namespaces (restore, position, source, target, effective, state, "
        "index_state, index_failure, documents_total, documents_restored) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        id,
        position,
        ns.source,
        ns.target,
        ns.effective,
        ns.state,
        ns.indexes,
        ns.index_failure,
        ns.documents_total,
        ns.documents_restored)
      .Run();
}

}  // namespace

void SqliteStore::AddCollectionRestore(const domain::RestoreJob& restore,
                                       const domain::CollectionRestore& request,
                                       const domain::Job& job,
                                       std::string_view stopped_reason) {
  TIDEMARK_CHECK(restore.by_collection);
  WriteScope scope(pool_);
  QueueRestore(scope, restore, job, stopped_reason);
  Query(scope,
        "INSERT INTO collection_restores (restore, write_strategy, index_strategy, "
        "database_suffix, collection_suffix) VALUES (?1, ?2, ?3, ?4, ?5)",
        restore.id,
        request.write,
        request.indexes,
        request.database_suffix,
        request.collection_suffix)
      .Run();
  InsertChoices(scope, restore.id, request.databases, true);
  InsertChoices(scope, restore.id, request.collections, false);
  scope.Commit();
}

std::optional<domain::CollectionRestore> SqliteStore::FindCollectionRestore(
    const RestoreJobId& id) {
  const ReadScope scope(pool_);
  const auto read = [](const Query& row) {
    domain::CollectionRestore request;
    bool has_database_suffix = false;
    bool has_collection_suffix = false;
    std::string database_suffix;
    std::string collection_suffix;
    row.Read(request.write,
             request.indexes,
             has_database_suffix,
             database_suffix,
             has_collection_suffix,
             collection_suffix);
    if (has_database_suffix) {
      request.database_suffix = std::move(database_suffix);
    }
    if (has_collection_suffix) {
      request.collection_suffix = std::move(collection_suffix);
    }
    return request;
  };
  auto found = FindRow(scope,
                       read,
                       "SELECT write_strategy, index_strategy, database_suffix IS NOT NULL, "
                       "coalesce(database_suffix, ''), collection_suffix IS NOT NULL, "
                       "coalesce(collection_suffix, '') FROM collection_restores "
                       "WHERE restore = ?1",
                       id);
  if (found) {
    found->databases = ReadChoices(scope, id, true);
    found->collections = ReadChoices(scope, id, false);
  }
  return found;
}

bool SqliteStore::AddRestoredNamespaces(const domain::Lease& lease,
                                        const std::vector<RestoredNamespace>& namespaces) {
  WriteScope scope(pool_);
  const std::optional<RestoreJobId> id = SubjectOf(scope, lease);
  if (!id) {
    return false;
  }
  if (CountRows(scope, "SELECT count(*) FROM restored_namespaces WHERE restore = ?1", *id) == 0) {
    for (std::size_t i = 0; i < namespaces.size(); ++i) {
      InsertNamespace(scope, *id, i, namespaces[i]);
    }
    scope.Commit();
  }
  return true;
}

bool SqliteStore::SaveRestoredNamespace(const domain::Lease& lease, const RestoredNamespace& row) {
  return RunAlone(pool_,
                  "UPDATE restored_namespaces SET state = ?4, index_state = ?5, "
                  "index_failure = ?6, documents_restored = ?7 WHERE source = ?3 AND restore = "
                  "(SELECT subject FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 1)",
                  lease.job,
                  lease.fence,
                  row.source,
                  row.state,
                  row.indexes,
                  row.index_failure,
                  row.documents_restored) == 1;
}

bool SqliteStore::FailRestoredNamespaces(const domain::Lease& lease) {
  WriteScope scope(pool_);
  const std::optional<RestoreJobId> id = SubjectOf(scope, lease);
  if (!id) {
    return false;
  }
  // An index build that was going on has failed, one that had not begun never will.
  Query(scope,
        "UPDATE restored_namespaces SET state = CASE state WHEN 0 THEN 7 ELSE 8 END, "
        "index_state = CASE index_state WHEN 0 THEN 4 WHEN 1 THEN 3 ELSE index_state END "
        "WHERE restore = ?1 AND state < 3",
        *id)
      .Run();
  scope.Commit();
  return true;
}

domain::Listing<RestoredNamespace> SqliteStore::ListRestoredNamespaces(
    const RestoreJobId& id, const NamespaceFilter& filter, const domain::Page& page) {
  const ReadScope scope(pool_);
  domain::Listing<RestoredNamespace> listing;
  listing.total = CountRows(scope, kCountListed, id, filter.state, filter.source, filter.target);
  listing.rows = FindRows(scope,
                          ReadNamespace,
                          kList,
                          id,
                          filter.state,
                          filter.source,
                          filter.target,
                          page.size,
                          page.Offset());
  return listing;
}

std::vector<RestoredNamespace> SqliteStore::ReadRestoredNamespaces(const RestoreJobId& id) {
  const Reader reader(pool_);
  return FindRows(reader, ReadNamespace, kReadAll, id);
}

std::optional<RestoredNamespace> SqliteStore::FindRestoredNamespace(const RestoreJobId& id,
                                                                    std::string_view source) {
  const Reader reader(pool_);
  return FindRow(reader, ReadNamespace, kFind, id, source);
}

domain::RestoredNamespaceTotals SqliteStore::CountRestoredNamespaces(const RestoreJobId& id) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    domain::RestoredNamespaceTotals totals;
    row.Read(totals.namespaces,
             totals.unwritten,
             totals.unfinished,
             totals.indexes_begun,
             totals.indexes_waiting,
             totals.indexes_failed,
             totals.documents_total,
             totals.documents_restored);
    return totals;
  };
  return FindRow(reader,
                 read,
                 "SELECT count(*), count(*) FILTER (WHERE state < 2), "
                 "count(*) FILTER (WHERE state < 3), "
                 "count(*) FILTER (WHERE index_state BETWEEN 1 AND 3), "
                 "count(*) FILTER (WHERE index_state < 2), "
                 "count(*) FILTER (WHERE index_state = 3), coalesce(sum(documents_total), 0), "
                 "coalesce(sum(documents_restored), 0) FROM restored_namespaces "
                 "WHERE restore = ?1",
                 id)
      .value_or(domain::RestoredNamespaceTotals());
}

}  // namespace tidemark::catalog
