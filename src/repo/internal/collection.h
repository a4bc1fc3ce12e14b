#pragma once

#include <stop_token>

#include "repo/internal/project.h"
#include "repo/maintenance.h"

namespace tidemark::repo {

// Maintenance::PlanCollection and Maintenance::Collect. `project` must outlive the call.
CollectionPlan PlanGarbage(Project& project,
                           const CollectionOptions& options,
                           const std::stop_token& stop);
CollectionResult CollectGarbage(Project& project,
                                const CollectionOptions& options,
                                const std::stop_token& stop);

}  // namespace tidemark::repo
