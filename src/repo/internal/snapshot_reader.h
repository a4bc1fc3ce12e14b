#pragma once

#include <memory>

#include "repo/internal/project.h"
#include "repo/repository.h"

namespace tidemark::repo {

// `project` must outlive the reader.
std::unique_ptr<SnapshotReader> MakeSnapshotReader(const Project& project);

}  // namespace tidemark::repo
