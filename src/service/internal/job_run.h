#pragma once

#include <string>

#include "base/error.h"
#include "catalog/store.h"
#include "engine/run_context.h"
#include "jobs/runner.h"

namespace tidemark::service {

// The engine's view of a job: same stop, progress and checkpoints. Borrows both arguments.
engine::RunContext MakeRunContext(const jobs::JobContext& job, const Clock& clock, Log& log);

// "message (hint)" of an error, as a job's reason shows it.
std::string FailureText(const Error& error);

// Whether the job of a restore or a drill, by its id as a target's mark gives it, has not ended.
// Of an id that the catalog does not know: false.
bool IsUnfinishedJob(catalog::Store& store, const std::string& id);

// How long a job waits for its cluster: longer than a request may, shorter than a person's
// patience.
inline constexpr std::chrono::milliseconds kJobConnectTimeout{15000};

}  // namespace tidemark::service
