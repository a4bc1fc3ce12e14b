#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"

// Restore drills: proof that the newest snapshot of a cluster can be restored.
namespace tidemark::domain {

using DrillId = TypedId<struct DrillTag>;

// Persistent: never renumber.
enum class DrillState { kWaiting = 0, kRunning = 1, kPassed = 2, kFailed = 3, kStopped = 4 };

// One drill of one snapshot. With a target the snapshot is restored into it, read back and wiped;
// without one it is read and decoded wholly.
struct Drill {
  DrillId id;
  ProjectId project;
  ClusterId cluster;  // the source
  std::string cluster_name;
  SnapshotId snapshot;
  std::optional<ClusterId> target;
  std::string target_name;  // as at creation; empty without a target
  DrillState state = DrillState::kWaiting;
  bool stopping = false;  // somebody restores into the target: it ends as soon as it notices
  Instant created;
  std::optional<Instant> started;
  std::optional<Instant> finished;  // exactly in the last three states
  bool restored = false;            // of a passed one: the target held all of it
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // BSON
  std::string failure;      // why it failed or was stopped, for people
  std::string notes;        // what a person should know of the run, one a line
};

// Finished drills of a cluster that are kept; older ones are forgotten.
inline constexpr std::int64_t kDrillsKept = 100;

// "waiting", "running", "passed", "failed", "stopped".
std::string_view DrillStateName(DrillState state);

bool IsFinal(DrillState state);

}  // namespace tidemark::domain
