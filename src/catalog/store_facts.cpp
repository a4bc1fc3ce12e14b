// Numbers for metrics. Every statement uses an index of what it counts: a scrape reads no history.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {

Facts SqliteStore::ReadFacts() {
  const ReadScope scope(pool_);
  Facts facts;
  facts.jobs = FindRows(
      scope,
      [](const Query& row) {
        Facts::JobCount count;
        row.Read(count.kind, count.state, count.count);
        return count;
      },
      "SELECT kind, state, count(*) FROM jobs WHERE state < 2 GROUP BY kind, state");
  facts.oldest_waiting = FindRow(
      scope,
      [](const Query& row) {
        Instant created;
        row.Read(created);
        return created;
      },
      "SELECT created FROM jobs WHERE state < 2 AND state = 0 ORDER BY created, id LIMIT 1");
  facts.clusters = CountRows(scope, "SELECT count(*) FROM clusters WHERE removed IS NULL");
  facts.missed = CountRows(scope,
                           "SELECT coalesce(sum(s.missed), 0) FROM schedules s "
                           "JOIN clusters c ON c.id = s.cluster AND c.removed IS NULL");
  facts.failing = CountRows(scope,
                            "SELECT count(*) FROM schedules s JOIN clusters c "
                            "ON c.id = s.cluster AND c.removed IS NULL "
                            "WHERE s.verified IS NOT NULL AND s.verify_failure <> ''");
  facts.unverified = CountRows(scope,
                               "SELECT count(*) FROM schedules s JOIN clusters c "
                               "ON c.id = s.cluster AND c.removed IS NULL "
                               "WHERE s.verify_days > 0 AND s.verified IS NULL");
  facts.notices_waiting = CountRows(scope, "SELECT count(*) FROM notices WHERE state = 0");
  facts.events_waiting = CountRows(scope, "SELECT count(*) FROM events");
  return facts;
}

std::vector<ClusterFacts> SqliteStore::ListClusterFacts(std::int64_t limit) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    ClusterFacts facts;
    row.Read(facts.organization,
             facts.project,
             facts.cluster,
             facts.newest,
             facts.verified,
             facts.intact,
             facts.missed);
    return facts;
  };
  return FindRows(reader,
                  read,
                  "SELECT p.organization, p.name, c.name, (SELECT n.finished FROM snapshots n "
                  "WHERE n.cluster = c.id AND n.deleted IS NULL AND n.state = 3 "
                  "ORDER BY n.finished DESC LIMIT 1), s.verified, "
                  "coalesce(s.verify_failure = '', 0), coalesce(s.missed, 0) "
                  "FROM clusters c JOIN projects p ON p.id = c.project "
                  "LEFT JOIN schedules s ON s.cluster = c.id "
                  "WHERE c.removed IS NULL ORDER BY c.id LIMIT ?1",
                  limit);
}

}  // namespace tidemark::catalog
