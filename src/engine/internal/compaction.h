#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "repo/repository.h"

namespace tidemark::engine {

// A namespace has at most so many runs over one and the same _id beside those of its last full
// write; a reader has as many open.
inline constexpr std::size_t kMaxDeltaRuns = 8;

// From which run on the runs of a namespace should be merged into one; nullopt when they are few
// enough. The newest runs are merged, and older ones as long as they are not much larger than what
// is merged anyway, so that a document is written again a logarithmic number of times (size-tiered
// compaction). Everything, when more is dead than alive or the changes have outgrown half of the
// rest.
// `base_runs` is that of the namespace, `live_bytes` what its documents take.
std::optional<std::size_t> PlanCompaction(std::span<const repo::Run> runs,
                                          std::size_t base_runs,
                                          std::uint64_t live_bytes);

}  // namespace tidemark::engine
