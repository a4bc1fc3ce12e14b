#pragma once

#include "jobs/runner.h"

namespace tidemark::jobs {

struct RunDeps {
  catalog::Store& store;
  const Clock& clock;
  Log& log;
};

// Calls `handler` for a claimed job and keeps the lease alive until it returns. Blocks. Hands the
// job back when `stop` (or a lost lease) ended it early; throws nothing that the handler threw.
void RunJob(const RunDeps& deps,
            const domain::Job& job,
            std::chrono::seconds lease_time,
            const JobHandler& handler,
            const std::stop_token& stop);

}  // namespace tidemark::jobs
