#pragma once

#include <stop_token>

#include "repo/internal/project.h"
#include "repo/repair.h"

namespace tidemark::repo {

// Maintenance::Repair. `project` must outlive the call.
RepairReport RepairProject(Project& project,
                           const RepairOptions& options,
                           const Healer& heal,
                           const std::stop_token& stop);

}  // namespace tidemark::repo
