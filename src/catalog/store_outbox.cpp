// Events, channels and notices.
#include <algorithm>

#include "catalog/internal/audit_chain.h"
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

constexpr std::int64_t kEventsAtOnce = 100;  // settled in one transaction
constexpr std::size_t kMaxReason = 2000;     // bytes

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const std::string& line : lines) {
    joined += (joined.empty() ? "" : "\n") + line;
  }
  return joined;
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// At a whole character of UTF-8.
std::string CutReason(const std::string& reason) {
  std::size_t end = std::min(reason.size(), kMaxReason);
  while (end > 0 && end < reason.size() && (static_cast<unsigned char>(reason[end]) >> 6) == 2) {
    --end;
  }
  return reason.substr(0, end);
}

domain::Event ReadEvent(const Query& row) {
  domain::Event event;
  row.Read(
      event.number, event.kind, event.at, event.project, event.cluster, event.object, event.reason);
  return event;
}

// ReadChannel's columns, then `rest`.
std::string SelectChannels(std::string_view rest) {
  return "SELECT id, project, kind, shown_address, sealed_url, sealed_secret, username, sender, "
         "recipients, events, created, failures, next_try, last_error, last_delivered "
         "FROM channels " +
         std::string(rest);
}

// Static: a session keeps the statements that it has prepared by their text.
const std::string kFindChannel = SelectChannels("WHERE project = ?1 AND id = ?2");
const std::string kListChannels = SelectChannels("WHERE project = ?1 ORDER BY created, id");
const std::string kFindDueChannel = SelectChannels(
    "c WHERE next_try <= ?1 AND EXISTS "
    "(SELECT 1 FROM notices n WHERE n.channel = c.id AND n.state = 0) "
    "ORDER BY next_try, id LIMIT 1");

domain::Channel ReadChannel(const Query& row) {
  domain::Channel channel;
  std::string recipients;
  row.Read(channel.id,
           channel.project,
           channel.kind,
           channel.shown_address,
           channel.sealed_url,
           channel.sealed_secret,
           channel.username,
           channel.sender,
           recipients,
           channel.events,
           channel.created,
           channel.failures,
           channel.next_try,
           channel.last_error,
           channel.last_delivered);
  channel.recipients = SplitLines(recipients);
  return channel;
}

domain::Notice ReadNotice(const Query& row) {
  domain::Notice notice;
  domain::Event& event = notice.event;
  row.Read(notice.number,
           notice.channel,
           event.number,
           event.kind,
           event.at,
           event.project,
           event.cluster,
           event.object,
           event.reason,
           notice.attempts);
  return notice;
}

void InsertEvent(Session& session, const domain::Event& event) {
  Query(session,
        "INSERT INTO events (kind, at, project, cluster, object, reason) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        event.kind,
        event.at,
        event.project,
        event.cluster,
        event.object,
        event.reason)
      .Run();
}

domain::AuditEntry AuditOf(const domain::Event& event, std::string_view operation) {
  domain::AuditEntry entry;
  entry.at = event.at;
  entry.actor = domain::kSystemActor;
  entry.operation = operation;
  entry.project = event.project;
  entry.cluster = event.cluster;
  entry.object = event.object;
  return entry;
}

// One for each channel that wants it. A channel with too many waiting ones loses it, visibly.
void InsertNotices(Session& session, const domain::Event& event) {
  Query(session,
        "INSERT INTO notices (channel, event, kind, at, project, cluster, object, reason, state, "
        "attempts) SELECT c.id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN (SELECT count(*) FROM "
        "notices w WHERE w.channel = c.id AND w.state = 0) >= ?9 THEN 2 ELSE 0 END, 0 "
        "FROM channels c WHERE c.project = ?4 AND c.events & ?8 <> 0 ORDER BY c.created, c.id",
        event.number,
        event.kind,
        event.at,
        event.project,
        event.cluster,
        event.object,
        CutReason(event.reason),
        domain::EventBit(event.kind),
        Outbox::kMaxWaiting)
      .Run();
}

// Forgets the oldest finished notices of the channel beyond kMaxFinished.
void Prune(Session& session, const domain::ChannelId& channel) {
  Query(session,
        "DELETE FROM notices WHERE channel = ?1 AND state > 0 AND number <= "
        "(SELECT number FROM notices WHERE channel = ?1 AND state > 0 "
        "ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        channel,
        Outbox::kMaxFinished)
      .Run();
}

// False when the notice has gone with its channel, or is not waiting.
bool Finish(Session& session, const domain::Notice& notice, domain::NoticeState state) {
  const bool changed = Query(session,
                             "UPDATE notices SET state = ?2 WHERE number = ?1 AND state = 0",
                             notice.number,
                             state)
                           .Run() == 1;
  Prune(session, notice.channel);
  return changed;
}

void Delay(Session& session,
           const domain::Notice& notice,
           std::string_view error,
           Instant next_try) {
  Query(session,
        "UPDATE channels SET failures = failures + 1, last_error = ?2, next_try = ?3 "
        "WHERE id = ?1",
        notice.channel,
        error,
        next_try)
      .Run();
}

}  // namespace

std::int64_t SettleEventsIn(Session& session, std::int64_t limit) {
  const auto events = FindRows(session,
                               ReadEvent,
                               "SELECT number, kind, at, project, cluster, object, reason "
                               "FROM events ORDER BY number LIMIT ?1",
                               limit);
  for (const domain::Event& event : events) {
    InsertAudit(session, AuditOf(event, domain::EventOperation(event.kind)));
    InsertNotices(session, event);
    Query(session, "DELETE FROM events WHERE number = ?1", event.number).Run();
  }
  return static_cast<std::int64_t>(events.size());
}

void SqliteStore::AddEvent(const domain::Event& event) {
  WriteScope scope(pool_);
  InsertEvent(scope, event);
  scope.Commit();
}

std::int64_t SqliteStore::SettleEvents() {
  {
    const Reader reader(pool_);
    if (CountRows(reader, "SELECT EXISTS (SELECT 1 FROM events)") == 0) {
      return 0;
    }
  }
  WriteScope scope(pool_);
  const std::int64_t settled = SettleEventsIn(scope, kEventsAtOnce);
  scope.Commit();
  return settled;
}

void SqliteStore::AddChannel(const domain::Channel& channel) {
  WriteScope scope(pool_);
  if (CountRows(scope, "SELECT count(*) FROM channels WHERE project = ?1", channel.project) >=
      kMaxChannels) {
    throw Error(ErrorCode::kResourceExhausted,
                "cannot add a channel to project " + channel.project.ToString() + ": it has " +
                    std::to_string(kMaxChannels),
                "remove one of them");
  }
  Query(scope,
        "INSERT INTO channels (id, project, kind, shown_address, sealed_url, sealed_secret, "
        "username, sender, recipients, events, created, failures, next_try, last_error) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, '')",
        channel.id,
        channel.project,
        channel.kind,
        channel.shown_address,
        Blob{channel.sealed_url},
        Blob{channel.sealed_secret},
        channel.username,
        channel.sender,
        JoinLines(channel.recipients),
        channel.events,
        channel.created)
      .Run();
  scope.Commit();
}

std::optional<domain::Channel> SqliteStore::FindChannel(const ProjectId& project,
                                                        const domain::ChannelId& id) {
  const Reader reader(pool_);
  return FindRow(reader, ReadChannel, kFindChannel, project, id);
}

std::vector<domain::Channel> SqliteStore::ListChannels(const ProjectId& project) {
  const Reader reader(pool_);
  return FindRows(reader, ReadChannel, kListChannels, project);
}

bool SqliteStore::RemoveChannel(const ProjectId& project, const domain::ChannelId& id) {
  return RunAlone(pool_, "DELETE FROM channels WHERE project = ?1 AND id = ?2", project, id) == 1;
}

Outbox::NoticeCounts SqliteStore::CountNotices(const domain::ChannelId& id) {
  const ReadScope scope(pool_);
  constexpr std::string_view kCount =
      "SELECT count(*) FROM notices WHERE channel = ?1 AND state = ?2";
  return {CountRows(scope, kCount, id, domain::NoticeState::kWaiting),
          CountRows(scope, kCount, id, domain::NoticeState::kGivenUp)};
}

std::optional<Outbox::DueNotice> SqliteStore::FindDueNotice(Instant now) {
  const ReadScope scope(pool_);
  const auto channel = FindRow(scope, ReadChannel, kFindDueChannel, now);
  if (!channel) {
    return std::nullopt;
  }
  const auto notice = FindRow(scope,
                              ReadNotice,
                              "SELECT number, channel, event, kind, at, project, cluster, object, "
                              "reason, attempts FROM notices WHERE channel = ?1 AND state = 0 "
                              "ORDER BY number LIMIT 1",
                              channel->id);
  TIDEMARK_CHECK(notice.has_value());
  return DueNotice{*notice, *channel};
}

void SqliteStore::MarkDelivered(const domain::Notice& notice, Instant now) {
  WriteScope scope(pool_);
  Finish(scope, notice, domain::NoticeState::kDelivered);
  Query(scope,
        "UPDATE channels SET failures = 0, last_error = '', next_try = ?2, last_delivered = ?2 "
        "WHERE id = ?1",
        notice.channel,
        now)
      .Run();
  scope.Commit();
}

void SqliteStore::MarkFailed(const domain::Notice& notice,
                             std::string_view error,
                             Instant next_try) {
  WriteScope scope(pool_);
  Query(scope,
        "UPDATE notices SET attempts = attempts + 1 WHERE number = ?1 AND state = 0",
        notice.number)
      .Run();
  Delay(scope, notice, error, next_try);
  scope.Commit();
}

void SqliteStore::GiveUp(const domain::Notice& notice,
                         std::string_view error,
                         Instant now,
                         Instant next_try) {
  WriteScope scope(pool_);
  if (Finish(scope, notice, domain::NoticeState::kGivenUp)) {
    domain::AuditEntry entry = AuditOf(notice.event, "noticeGivenUp");
    entry.at = now;
    entry.object = domain::NoticeId(notice);
    InsertAudit(scope, entry);
  }
  Delay(scope, notice, error, next_try);
  scope.Commit();
}

}  // namespace tidemark::catalog
