#pragma once

#include <chrono>
#include <stop_token>

namespace tidemark {

// Returns after `pause`, early when stopped.
void PauseFor(std::chrono::milliseconds pause, const std::stop_token& stop);

}  // namespace tidemark
