#pragma once

#include <functional>
#include <stop_token>

#include "command.h"
#include "engine/run_context.h"

namespace tidemark::app {

using ProgressReport = std::function<void(const engine::Progress&)>;

// Runs `work` in a thread of its own while this one shows how far it is, as Watch does. `work` may
// report from any thread. Throws what it throws.
void RunShown(
    OutputFormat output,
    const std::function<void(const std::stop_token& stop, const ProgressReport& report)>& work);

}  // namespace tidemark::app
