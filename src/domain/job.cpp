#include "domain/job.h"

namespace tidemark::domain {

std::string_view JobKindName(JobKind kind) {
  switch (kind) {
    case JobKind::kTakeSnapshot:
      return "takeSnapshot";
    case JobKind::kRestore:
      return "restore";
    case JobKind::kExport:
      return "export";
    case JobKind::kDrill:
      return "drill";
  }
  return {};
}

}  // namespace tidemark::domain
