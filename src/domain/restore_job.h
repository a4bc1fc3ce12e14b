#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"
#include "domain/access.h"
#include "domain/download.h"
#include "domain/snapshot.h"

namespace tidemark::domain {

// How the data reach the user (design.md 7). Persistent: never renumber. More methods come with
// later releases.
enum class DeliveryMethod { kCluster = 0, kDownload = 1, kPush = 5 };

// A state never goes back: claiming again after a lost lease keeps kRunning (contract.md 8), and
// the last two take no change. The catalog's statements hold to that. Persistent: never renumber.
enum class RestoreState { kPending = 0, kQueued = 1, kRunning = 2, kCompleted = 3, kFailed = 4 };

// What a restore that compares found and did, in documents.
struct RestoreChanges {
  std::int64_t left_alone = 0;  // equal already
  std::int64_t replaced = 0;
  std::int64_t inserted = 0;
  std::int64_t deleted = 0;

  RestoreChanges& operator+=(const RestoreChanges& more) {
    left_alone += more.left_alone;
    replaced += more.replaced;
    inserted += more.inserted;
    deleted += more.deleted;
    return *this;
  }

  bool operator==(const RestoreChanges&) const = default;
};

// One restore of one snapshot. The same value is rendered by the tenant, legacy and own APIs.
struct RestoreJob {
  RestoreJobId id;
  ProjectId project;         // of the source
  ClusterId cluster;         // the source
  std::string cluster_name;  // of the source, as at creation
  SnapshotId snapshot;
  Instant snapshot_finished;
  OplogPosition position;  // of the snapshot
  DeliveryMethod delivery = DeliveryMethod::kCluster;
  ProjectId target_project;
  ClusterId
      target_cluster;       // zero for a download or push: its other target members name the source
  std::string target_name;  // as at creation
  RestoreState state = RestoreState::kPending;
  Instant created;
  Instant expires;
  std::optional<Instant> finished;               // exactly in kCompleted and kFailed
  std::string failure;                           // reason of kFailed, for people
  KeyId requested_by;                            // its right is checked again when the job starts
  Permission right = Permission::kProjectOwner;  // that it needs on the target's project
  std::optional<Instant> cancelled;              // a download that was taken back: its end
  // What is restored and how, as delivery::ParseScope reads it. Empty: the whole snapshot, in place
  // of all that the target holds.
  std::string scope;
  std::optional<RestoreChanges> changes;  // of a finished restore that compares
  std::string notes;                      // what a person should know of the run, one a line
  std::optional<Download> download;       // exactly with DeliveryMethod::kDownload
  // Asked for by collection (domain::CollectionRestore has the rest): no other family shows it.
  bool by_collection = false;
};

// The Atlas words: PENDING, QUEUED, RUNNING, COMPLETED, FAILED.
std::string_view RestoreStateName(RestoreState state);

bool IsFinal(RestoreState state);

// What the shared tier and flex show: a download that was taken back has failed there
// (contract.md 8).
RestoreState ShownState(const RestoreJob& job);

}  // namespace tidemark::domain
