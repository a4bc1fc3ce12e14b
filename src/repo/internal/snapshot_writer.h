#pragma once

#include <memory>

#include "repo/internal/project.h"
#include "repo/repository.h"

namespace tidemark::repo {

// `project` must outlive the writer. kInvalidArgument for options out of range.
std::unique_ptr<SnapshotWriter> MakeSnapshotWriter(const Project& project,
                                                   const WriterOptions& options);

}  // namespace tidemark::repo
