#include "domain/snapshot.h"

namespace tidemark::domain {

std::string_view SnapshotStateName(SnapshotState state) {
  switch (state) {
    case SnapshotState::kPending:
      return "PENDING";
    case SnapshotState::kQueued:
      return "QUEUED";
    case SnapshotState::kRunning:
      return "RUNNING";
    case SnapshotState::kCompleted:
      return "COMPLETED";
    case SnapshotState::kFailed:
      return "FAILED";
  }
  return {};
}

bool IsFinal(SnapshotState state) {
  return state == SnapshotState::kCompleted || state == SnapshotState::kFailed;
}

}  // namespace tidemark::domain
