#include "engine/internal/compaction.h"

#include "engine/internal/run_levels.h"

namespace tidemark::engine {
namespace {

// Merged at once: fewer would rewrite too often.
constexpr std::size_t kMinMerged = kMaxDeltaRuns / 2 + 1;
// An older run joins a merge when it is at most so many times as large as what is merged.
constexpr std::uint64_t kSizeTier = 2;
// Dead bytes that nobody minds.
constexpr std::uint64_t kHarmlessDead = 1U << 20;

std::uint64_t BytesOf(std::span<const repo::Run> runs) {
  std::uint64_t bytes = 0;
  for (const repo::Run& run : runs) {
    bytes += run.logical_bytes;
  }
  return bytes;
}

}  // namespace

std::optional<std::size_t> PlanCompaction(std::span<const repo::Run> runs,
                                          std::size_t base_runs,
                                          std::uint64_t live_bytes) {
  const std::uint64_t all = BytesOf(runs);
  if (all > 2 * live_bytes + kHarmlessDead) {
    return 0;
  }
  const std::span<const repo::Run> deltas = runs.subspan(base_runs);
  if (MaxOverlap(Pointers(deltas)) <= kMaxDeltaRuns) {
    return std::nullopt;
  }
  std::size_t first = deltas.size() - kMinMerged;
  while (first > 0 &&
         deltas[first - 1].logical_bytes <= kSizeTier * BytesOf(deltas.subspan(first))) {
    --first;
  }
  const bool outgrown = first == 0 && kSizeTier * BytesOf(deltas) >= all - BytesOf(deltas);
  return outgrown ? 0 : base_runs + first;
}

}  // namespace tidemark::engine
