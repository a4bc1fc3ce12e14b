#include "repo/internal/maintenance.h"

#include "base/error.h"
#include "repo/internal/collection.h"
#include "repo/internal/repair.h"
#include "repo/internal/stats.h"
#include "repo/internal/structure_check.h"

namespace tidemark::repo {
namespace {

void CheckOptions(const CollectionOptions& options) {
  if (options.rewrite_below_percent < 0 || options.rewrite_below_percent > 100) {
    throw Error(ErrorCode::kInvalidArgument,
                "collecting garbage: the share of live chunks is a percentage from 0 to 100");
  }
}

class ProjectMaintenance final : public Maintenance {
 public:
  explicit ProjectMaintenance(Project& project) : project_(project) {}

  CollectionPlan PlanCollection(const CollectionOptions& options,
                                const std::stop_token& stop) override {
    CheckOptions(options);
    return PlanGarbage(project_, options, stop);
  }

  CollectionResult Collect(const CollectionOptions& options, const std::stop_token& stop) override {
    CheckOptions(options);
    return CollectGarbage(project_, options, stop);
  }

  StructureCheck CheckStructure(const std::stop_token& stop) override {
    return CheckProject(project_, stop);
  }

  RepairReport Repair(const RepairOptions& options,
                      const Healer& heal,
                      const std::stop_token& stop) override {
    return RepairProject(project_, options, heal, stop);
  }

  RepositoryStats ReadStats(const std::stop_token& stop) override {
    return ReadProjectStats(project_, stop);
  }

 private:
  Project& project_;
};

}  // namespace

std::unique_ptr<Maintenance> MakeMaintenance(Project& project) {
  return std::make_unique<ProjectMaintenance>(project);
}

void ThrowIfStopped(const std::stop_token& stop, std::string_view doing) {
  if (stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, std::string(doing) + ": cancelled");
  }
}

}  // namespace tidemark::repo
