#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/internal/run_builder.h"

namespace tidemark::engine {

inline constexpr std::size_t kMaxOpenRuns = 64;  // units of one level

// How many of the runs a reader has open at most: the largest number whose _id ranges hold one and
// the same _id.
std::size_t MaxOverlap(std::span<const repo::Run* const> runs);

std::vector<const repo::Run*> Pointers(std::span<const repo::Run> runs);
std::vector<const repo::Run*> Pointers(const std::vector<BuiltRun>& runs);

// The runs of one namespace, kept few enough to be read at once (an LSM tree's levels). A full
// level becomes one unit of the next: as it is when its runs hardly overlap, merged into one run
// when they do. So a reader has at most 2 x 64 runs of each level open. Confined.
class RunLevels {
 public:
  using Merge = std::function<BuiltRun(const std::vector<BuiltRun>& runs)>;

  // The runs of two levels, of which there are seldom more, take at most `memory` when they are
  // read at once (BuiltRun::open_bytes), unless four runs of each do already.
  RunLevels(Merge merge, ByteCount memory) : merge_(std::move(merge)), memory_(memory.value) {}

  // Merges at most 64 of the runs added before; larger merges wait for Finish(), because the
  // source's cursor must not stand still for long.
  void Add(BuiltRun run);
  // All runs, oldest first. Only destruction is legal afterwards.
  std::vector<BuiltRun> Finish();

 private:
  using Unit = std::vector<BuiltRun>;

  bool IsFull(const std::vector<Unit>& units) const;
  void AddUnit(std::size_t level, Unit unit);
  void Promote(std::size_t level);

  Merge merge_;
  const std::size_t memory_;               // bytes
  std::vector<std::vector<Unit>> levels_;  // 0 is the newest
};

}  // namespace tidemark::engine
