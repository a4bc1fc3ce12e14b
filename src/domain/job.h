#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"

namespace tidemark::domain {

// Persistent: never renumber.
enum class JobKind { kTakeSnapshot = 0, kRestore = 1, kExport = 2, kDrill = 5 };
enum class JobState { kReady = 0, kRunning = 1, kDone = 2 };

// Counters of a running job, for people. Totals are 0 while unknown.
struct JobProgress {
  std::string phase;  // e.g. "reading", "loading", "building indexes", "verifying"
  std::uint64_t documents_done = 0;
  std::uint64_t documents_total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t collections_done = 0;
  std::uint64_t collections_total = 0;
};

// The right to work on a job. Whoever's fence is not the row's newest has lost it, and none of its
// writes count.
struct Lease {
  JobId job;
  std::int64_t fence = 0;  // grows with every claim
};

// The execution side of a snapshot or restore job: who works on it and how far it is.
struct Job {
  JobId id;
  JobKind kind = JobKind::kTakeSnapshot;
  ObjectId subject;  // the SnapshotId, RestoreJobId, ExportId or DrillId
  JobState state = JobState::kReady;
  std::string owner;  // node that holds the lease; empty when nobody does
  std::optional<Instant> lease_until;
  std::int64_t fence = 0;
  std::int64_t attempts = 0;  // claims so far
  std::string checkpoint;     // opaque to the queue; written by the job's handler
  JobProgress progress;
  Instant created;
};

std::string_view JobKindName(JobKind kind);

}  // namespace tidemark::domain
