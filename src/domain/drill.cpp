#include "domain/drill.h"

namespace tidemark::domain {

std::string_view DrillStateName(DrillState state) {
  switch (state) {
    case DrillState::kWaiting:
      return "waiting";
    case DrillState::kRunning:
      return "running";
    case DrillState::kPassed:
      return "passed";
    case DrillState::kFailed:
      return "failed";
    case DrillState::kStopped:
      return "stopped";
  }
  return {};
}

bool IsFinal(DrillState state) {
  return state != DrillState::kWaiting && state != DrillState::kRunning;
}

}  // namespace tidemark::domain
