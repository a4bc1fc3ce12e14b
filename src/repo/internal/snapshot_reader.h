#pragma once

#include <memory>

#include "repo/internal/project.h"
#include "repo/internal/session.h"
#include "repo/repository.h"

namespace tidemark::repo {

// `project` must outlive the reader. The session may be null: then what is read may be deleted
// meanwhile once no snapshot holds it.
std::unique_ptr<SnapshotReader> MakeSnapshotReader(Project& project,
                                                   std::unique_ptr<Session> session);

}  // namespace tidemark::repo
