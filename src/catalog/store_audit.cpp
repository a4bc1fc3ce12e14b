// The audit log.
#include "catalog/internal/audit_chain.h"
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kBatch = 1000;        // rows held in memory at once: about 0.5 MB
constexpr std::int64_t kEventsAtOnce = 100;  // settled in one transaction

std::optional<std::int64_t> MicrosOf(const std::optional<Instant>& instant) {
  return instant ? std::optional(ToMicros(*instant)) : std::nullopt;
}

// A page of the finished requests of a scope that pass a filter, and how many there are, by the
// same words. ?1 to ?4 are the filter, ?5 the scope's id.
struct FilteredList {
  explicit FilteredList(const std::string& of_scope)
      : which("WHERE phase = 1 AND " + of_scope +
              " AND (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR at < ?2) "
              "AND (?3 = '' OR actor = ?3) AND (?4 = '' OR operation = ?4)"),
        count("SELECT count(*) FROM audit " + which),
        rows(SelectAudit(which + " ORDER BY number DESC LIMIT ?6 OFFSET ?7")) {}

  const std::string which;
  const std::string count;
  const std::string rows;
};

// Static: a session keeps the statements that it has prepared by their text.
const FilteredList kOfProject("project = ?5");
// Of one organization, or of all. Ids begin with the second of their making: the first organization
// is the one with the least.
const FilteredList kOfOrganization(
    "(?5 IS NULL OR project IN (SELECT id FROM projects WHERE organization = ?5) "
    "OR actor IN (SELECT public_name FROM keys WHERE organization = ?5) "
    "OR (?5 = (SELECT min(id) FROM organizations) "
    "AND actor NOT IN (SELECT public_name FROM keys) "
    "AND coalesce(project, '') NOT IN (SELECT id FROM projects)))");
// The whole log, or all of a project, from a row on.
const std::string kPageOfAll =
    SelectAudit("WHERE phase = 1 AND number <= ?1 ORDER BY number DESC LIMIT ?2 OFFSET ?3");
const std::string kPageOfProject = SelectAudit(
    "WHERE phase = 1 AND number <= ?1 AND project = ?4 ORDER BY number DESC LIMIT ?2 OFFSET ?3");
// Requests since the last start whose outcome nobody has written.
const std::string kUnfinished = SelectAudit(
    "b WHERE phase = 0 AND number > (SELECT coalesce(max(number), 0) FROM audit "
    "WHERE operation = 'serverStarted') "
    "AND NOT EXISTS (SELECT 1 FROM audit e WHERE e.begun = b.number) "
    "ORDER BY number");
const std::string kEveryRow = SelectAudit("WHERE number > ?1 ORDER BY number LIMIT ?2");

// `scope` is the id of a project or an organization, or zero.
domain::Listing<domain::AuditEntry> ListFiltered(Session& session,
                                                 const FilteredList& list,
                                                 const ObjectId& scope,
                                                 const AuditFilter& filter,
                                                 const domain::Page& page) {
  const auto since = MicrosOf(filter.since);
  const auto until = MicrosOf(filter.until);
  domain::Listing<domain::AuditEntry> listing;
  listing.total =
      CountRows(session, list.count, since, until, filter.actor, filter.operation, scope);
  listing.rows = FindRows(session,
                          ReadAudit,
                          list.rows,
                          since,
                          until,
                          filter.actor,
                          filter.operation,
                          scope,
                          page.size,
                          page.Offset());
  return listing;
}

// A project's rows are counted as a whole, an organization's are not.
bool IsFiltered(const AuditFilter& filter) {
  return filter.since || filter.until || !filter.actor.empty() || !filter.operation.empty() ||
         (filter.organization && !filter.project);
}

// A row of audit_marks: the `ordinal`th entry has that number.
struct Mark {
  std::int64_t ordinal = 0;
  std::int64_t number = 0;
};

Mark ReadMark(const Query& row) {
  Mark mark;
  row.Read(mark.ordinal, mark.number);
  return mark;
}

// A page of the whole log or of all of a project, at the same cost wherever it lies: the nearest
// mark before it, and at most a thousand rows skipped from there.
domain::Listing<domain::AuditEntry> ListCounted(Session& session,
                                                const std::optional<ProjectId>& project,
                                                const domain::Page& page) {
  const std::string scope = project ? project->ToString() : "";
  domain::Listing<domain::AuditEntry> listing;
  listing.total = CountRows(session, "SELECT ended FROM audit_counts WHERE scope = ?1", scope);
  const std::int64_t first = listing.total - page.Offset();  // its ordinal, the oldest has 1
  if (first <= 0) {
    return listing;
  }
  const Mark newest{listing.total, INT64_MAX};
  const Mark mark = FindRow(session,
                            ReadMark,
                            "SELECT ordinal, number FROM audit_marks "
                            "WHERE scope = ?1 AND ordinal >= ?2 ORDER BY ordinal LIMIT 1",
                            scope,
                            first)
                        .value_or(newest);
  const std::int64_t skipped = mark.ordinal - first;
  listing.rows =
      project
          ? FindRows(session, ReadAudit, kPageOfProject, mark.number, page.size, skipped, *project)
          : FindRows(session, ReadAudit, kPageOfAll, mark.number, page.size, skipped);
  return listing;
}

// While there is no other organization everything is its own: no row has to be looked at to say so.
AuditFilter WithoutNeedlessOrganization(Session& session, AuditFilter filter) {
  if (filter.organization && CountRows(session,
                                       "SELECT count(*) FROM organizations WHERE id <> ?1",
                                       *filter.organization) == 0) {
    filter.organization.reset();
  }
  return filter;
}

// Compares rows one after the other with what they should be.
class ChainReader {
 public:
  explicit ChainReader(const std::optional<AuditAnchor>& anchor) : anchor_(anchor) {}

  const AuditVerdict& verdict() const { return verdict_; }

  // False when the row is not what was written.
  bool Accept(const domain::AuditEntry& row) {
    const std::int64_t expected = verdict_.rows + 1;
    const bool anchored = !anchor_ || anchor_->number != expected || anchor_->hash == row.hash;
    if (row.number != expected || ChainHash(verdict_.hash, row) != row.hash || !anchored) {
      verdict_.broken_at = expected;
      return false;
    }
    verdict_.rows = expected;
    verdict_.hash = row.hash;
    return true;
  }

  // After the last row: rows up to the anchor have to be there.
  void Finish() {
    if (!verdict_.broken_at && anchor_ && anchor_->number > verdict_.rows) {
      verdict_.broken_at = verdict_.rows + 1;
    }
  }

 private:
  const std::optional<AuditAnchor> anchor_;
  AuditVerdict verdict_;
};

}  // namespace

std::int64_t SqliteStore::AppendAudit(const domain::AuditEntry& entry) {
  WriteScope scope(pool_);
  SettleEventsIn(scope, kEventsAtOnce);
  const std::int64_t number = InsertAudit(scope, entry);
  scope.Commit();
  return number;
}

AuditLog::AuditStart SqliteStore::StartAudit(Instant now) {
  WriteScope scope(pool_);
  SettleEventsIn(scope, kEventsAtOnce);
  AuditStart start;
  for (domain::AuditEntry& entry : FindRows(scope, ReadAudit, kUnfinished)) {
    entry.phase = domain::AuditPhase::kEnded;
    entry.begun = entry.number;
    entry.at = now;
    entry.skipped = 0;
    entry.error_code = domain::kOutcomeUnknown;
    InsertAudit(scope, entry);
    ++start.unknown;
  }
  domain::AuditEntry started;
  started.at = now;
  started.actor = domain::kSystemActor;
  started.operation = domain::kServerStarted;
  start.last.number = InsertAudit(scope, started);
  {
    Query last(scope, "SELECT hash FROM audit WHERE number = ?1", start.last.number);
    TIDEMARK_CHECK(last.Next());
    last.Read(start.last.hash);
  }
  scope.Commit();
  return start;
}

domain::Listing<domain::AuditEntry> SqliteStore::ListAudit(const AuditFilter& filter,
                                                           const domain::Page& page) {
  const ReadScope scope(pool_);
  const AuditFilter wanted = WithoutNeedlessOrganization(scope, filter);
  if (!IsFiltered(wanted)) {
    return ListCounted(scope, wanted.project, page);
  }
  if (wanted.project) {
    return ListFiltered(scope, kOfProject, wanted.project->raw(), wanted, page);
  }
  const ObjectId organization = wanted.organization ? wanted.organization->raw() : ObjectId();
  return ListFiltered(scope, kOfOrganization, organization, wanted, page);
}

AuditVerdict SqliteStore::VerifyAudit(const std::optional<AuditAnchor>& anchor,
                                      const std::stop_token& stop) {
  ChainReader chain(anchor);
  for (;;) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "verifying the audit log: stopped");
    }
    // A connection of the pool for a batch at a time: others want it too.
    const Reader reader(pool_);
    const auto rows = FindRows(reader, ReadAudit, kEveryRow, chain.verdict().rows, kBatch);
    for (const domain::AuditEntry& row : rows) {
      if (!chain.Accept(row)) {
        return chain.verdict();
      }
    }
    if (rows.empty()) {
      chain.Finish();
      return chain.verdict();
    }
  }
}

}  // namespace tidemark::catalog
