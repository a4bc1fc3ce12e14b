#pragma once

#include <memory>

#include "repo/internal/project.h"
#include "repo/internal/session.h"
#include "repo/repository.h"

namespace tidemark::repo {

// What a writer's claim to stored chunks rests on. REQUIRES: the session was put before the
// refresh.
struct WriterClaim {
  std::unique_ptr<Session> session;
  Epoch refreshed = 0;
};

// `project` must outlive the writer. kInvalidArgument for options out of range.
std::unique_ptr<SnapshotWriter> MakeSnapshotWriter(Project& project,
                                                   const WriterOptions& options,
                                                   WriterClaim claim);

}  // namespace tidemark::repo
