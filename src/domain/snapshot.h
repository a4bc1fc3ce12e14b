#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"
#include "domain/frequency.h"

namespace tidemark::domain {

// PENDING -> (QUEUED) -> RUNNING -> COMPLETED | FAILED, never backwards. Persistent: never
// renumber.
enum class SnapshotState { kPending = 0, kQueued = 1, kRunning = 2, kCompleted = 3, kFailed = 4 };

// A position in a replica set's oplog: BSON timestamp of its newest entry.
struct OplogPosition {
  std::uint32_t seconds = 0;    // since 1970
  std::uint32_t increment = 0;  // ordinal in that second

  auto operator<=>(const OplogPosition&) const = default;
};

// One state of one cluster. Data of it exist exactly when state is kCompleted and deleted is empty.
struct Snapshot {
  SnapshotId id;
  ProjectId project;
  ClusterId cluster;
  std::string cluster_name;  // as at creation
  SnapshotState state = SnapshotState::kPending;
  std::string description;
  Instant scheduled;
  std::optional<Instant> due;  // of a schedule's snapshot: the due time it is for
  std::int64_t attempt = 0;    // at that due time, from 1
  // Of a schedule's snapshot: the items it was taken for, and the longest frequency of them. Items
  // may have gone since. None of snapshots that were taken before Tidemark wrote it down.
  std::optional<Frequency> frequency;
  std::vector<PolicyItemId> policy_items;
  std::optional<Instant> started;
  std::optional<Instant> finished;
  Instant expires;
  std::optional<std::int64_t> retention_days;  // asked for; counted from `finished`
  bool do_not_delete = false;       // kept until a person says otherwise, whatever `expires` says
  std::optional<Instant> deleted;   // by a person or by expiry; the row is kept 90 days
  std::string mongodb_version;      // of the source, known from kRunning on
  bool consistent = false;          // one moment of the source, not a smear
  std::string inconsistent_reason;  // why not; empty when consistent
  OplogPosition position;           // newest oplog entry when the read began; zero without an oplog
  std::string failure;              // reason of kFailed, for people
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t logical_bytes = 0;  // BSON
  std::uint64_t stored_bytes = 0;   // newly stored: compressed and encrypted
};

// The Atlas words: PENDING, QUEUED, RUNNING, COMPLETED, FAILED.
std::string_view SnapshotStateName(SnapshotState state);

bool IsFinal(SnapshotState state);

}  // namespace tidemark::domain
