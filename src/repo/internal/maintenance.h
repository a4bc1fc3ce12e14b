#pragma once

#include <memory>

#include "repo/internal/project.h"
#include "repo/maintenance.h"

namespace tidemark::repo {

// `project` must outlive it.
std::unique_ptr<Maintenance> MakeMaintenance(Project& project);

// Throws kCancelled, saying what was being done.
void ThrowIfStopped(const std::stop_token& stop, std::string_view doing);

}  // namespace tidemark::repo
