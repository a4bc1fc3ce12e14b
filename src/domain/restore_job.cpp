#include "domain/restore_job.h"

namespace tidemark::domain {

std::string_view RestoreStateName(RestoreState state) {
  switch (state) {
    case RestoreState::kPending:
      return "PENDING";
    case RestoreState::kQueued:
      return "QUEUED";
    case RestoreState::kRunning:
      return "RUNNING";
    case RestoreState::kCompleted:
      return "COMPLETED";
    case RestoreState::kFailed:
      return "FAILED";
  }
  return {};
}

bool IsFinal(RestoreState state) {
  return state == RestoreState::kCompleted || state == RestoreState::kFailed;
}

RestoreState ShownState(const RestoreJob& job) {
  return job.cancelled ? RestoreState::kFailed : job.state;
}

}  // namespace tidemark::domain
