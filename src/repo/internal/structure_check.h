#pragma once

#include <stop_token>

#include "repo/internal/project.h"
#include "repo/maintenance.h"

namespace tidemark::repo {

// Maintenance::CheckStructure.
StructureCheck CheckProject(Project& project, const std::stop_token& stop);

}  // namespace tidemark::repo
