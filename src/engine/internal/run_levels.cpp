#include "engine/internal/run_levels.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidemark::engine {
namespace {

// Collections of 16 MiB documents have chunks of 16 MiB, and 64 of them would be a gigabyte. But
// with fewer runs than these levels would not get fewer.
constexpr std::size_t kMinMergedUnits = 4;

// Nearly sorted collections give runs that overlap their neighbours only. They are left alone.
constexpr std::size_t kHarmlessOverlap = 2;

std::vector<BuiltRun> Flatten(std::vector<std::vector<BuiltRun>> units) {
  std::vector<BuiltRun> runs;
  for (auto& unit : units) {
    std::ranges::move(unit, std::back_inserter(runs));
  }
  return runs;
}

std::vector<DocumentKey> SortedKeys(std::span<const repo::Run* const> runs, Bytes repo::Run::* id) {
  std::vector<DocumentKey> keys;
  keys.reserve(runs.size());
  for (const repo::Run* run : runs) {
    keys.push_back(DecodeKey(run->*id));
  }
  std::ranges::sort(keys, [](const auto& a, const auto& b) { return CompareKeys(a, b) < 0; });
  return keys;
}

}  // namespace

std::vector<const repo::Run*> Pointers(std::span<const repo::Run> runs) {
  std::vector<const repo::Run*> pointers;
  pointers.reserve(runs.size());
  for (const repo::Run& run : runs) {
    pointers.push_back(&run);
  }
  return pointers;
}

std::vector<const repo::Run*> Pointers(const std::vector<BuiltRun>& runs) {
  std::vector<const repo::Run*> pointers;
  pointers.reserve(runs.size());
  for (const BuiltRun& built : runs) {
    pointers.push_back(&built.run);
  }
  return pointers;
}

std::size_t MaxOverlap(std::span<const repo::Run* const> runs) {
  const std::vector<DocumentKey> starts = SortedKeys(runs, &repo::Run::first_id);
  const std::vector<DocumentKey> ends = SortedKeys(runs, &repo::Run::last_id);
  std::size_t ended = 0;
  std::size_t most = 0;
  for (std::size_t started = 0; started < starts.size(); ++started) {
    while (CompareKeys(ends[ended], starts[started]) < 0) {
      ++ended;
    }
    most = std::max(most, started + 1 - ended);
  }
  return most;
}

void RunLevels::Add(BuiltRun run) {
  Unit unit;
  unit.push_back(std::move(run));
  AddUnit(0, std::move(unit));
}

bool RunLevels::IsFull(const std::vector<Unit>& units) const {
  std::size_t memory = 0;
  for (const Unit& unit : units) {
    const auto largest = std::ranges::max_element(unit, {}, &BuiltRun::open_bytes);
    memory += largest->open_bytes() * std::min(unit.size(), kHarmlessOverlap);
  }
  return units.size() >= kMaxOpenRuns || (units.size() >= kMinMergedUnits && 2 * memory >= memory_);
}

void RunLevels::AddUnit(std::size_t level, Unit unit) {
  if (levels_.size() <= level) {
    levels_.resize(level + 1);
  }
  levels_[level].push_back(std::move(unit));
  if (IsFull(levels_[level])) {
    Promote(level);
  }
}

void RunLevels::Promote(std::size_t level) {
  Unit unit = Flatten(std::exchange(levels_[level], {}));
  if (MaxOverlap(Pointers(unit)) > kHarmlessOverlap) {
    BuiltRun merged = merge_(unit);
    unit.clear();
    unit.push_back(std::move(merged));
  }
  if (levels_.size() == level + 1) {
    levels_.emplace_back();
  }
  levels_[level + 1].push_back(std::move(unit));
}

std::vector<BuiltRun> RunLevels::Finish() {
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    for (Unit& unit : std::exchange(levels_[level], {})) {
      AddUnit(level, std::move(unit));
    }
  }
  std::vector<BuiltRun> runs;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    std::ranges::move(Flatten(std::move(*level)), std::back_inserter(runs));
  }
  return runs;
}

}  // namespace tidemark::engine
