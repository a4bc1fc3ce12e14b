#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"

// What happens without a request, and who is told.
namespace tidemark::domain {

using ChannelId = TypedId<struct ChannelTag>;

// Persistent, also in the triggers of the catalog: never renumber.
enum class EventKind {
  kSnapshotCompleted = 0,
  kSnapshotFailed = 1,
  kRestoreCompleted = 2,
  kRestoreFailed = 3,
  kSnapshotDeleted = 4,
  kScheduleMissed = 5,
  kVerificationFailed = 6,
  kCollectionEnded = 7,
  kExportCompleted = 8,
  kExportFailed = 9,
  kDrillPassed = 12,
};

struct Event {
  std::int64_t number = 0;  // given by the catalog, never used again
  EventKind kind = EventKind::kSnapshotCompleted;
  Instant at;
  ProjectId project;
  std::string cluster;  // name; empty when it is about none
  std::string object;   // id of the snapshot, restore job or task
  std::string reason;   // for people; empty when nothing failed
};

// "snapshotFailed": the operation in the audit log.
std::string_view EventOperation(EventKind kind);
// "SNAPSHOT_FAILED" of the kinds that people can be told of; empty for the others.
std::string_view NoticeName(EventKind kind);
std::optional<EventKind> ParseNoticeName(std::string_view name);
// All that have a NoticeName.
const std::vector<EventKind>& NoticeKinds();

// A set of kinds as the catalog stores it.
inline std::int64_t EventBit(EventKind kind) {
  return std::int64_t{1} << static_cast<int>(kind);
}

// Persistent: never renumber.
enum class ChannelKind { kWebhook = 0, kEmail = 1 };
enum class NoticeState { kWaiting = 0, kDelivered = 1, kGivenUp = 2 };

// Where a project's notices go. The catalog holds the sealed texts as they come.
struct Channel {
  ChannelId id;
  ProjectId project;
  ChannelKind kind = ChannelKind::kWebhook;
  std::string shown_address;  // scheme, host and port: what follows may be a secret
  std::string sealed_url;
  std::string sealed_secret;            // of the signature or the login; empty: none
  std::string username;                 // of the login; empty: none
  std::string sender;                   // e-mail only
  std::vector<std::string> recipients;  // e-mail only
  std::int64_t events = 0;              // EventBit of each kind that it wants
  Instant created;
  std::int64_t failures = 0;  // tries that failed since the last success
  Instant next_try;           // not before
  std::string last_error;     // empty after a success
  std::optional<Instant> last_delivered;
};

// One event on its way to one channel.
struct Notice {
  std::int64_t number = 0;
  ChannelId channel;
  Event event;
  std::int64_t attempts = 0;  // that failed
};

// The same for every try, unlike for any other notice: "<channel>-<event>".
std::string NoticeId(const Notice& notice);

}  // namespace tidemark::domain
