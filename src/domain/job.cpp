#include "domain/job.h"

namespace tidemark::domain {

std::string_view JobKindName(JobKind kind) {
  switch (kind) {
    case JobKind::kTakeSnapshot:
      return "takeSnapshot";
    case JobKind::kRestore:
      return "restore";
  }
  return {};
}

}  // namespace tidemark::domain
