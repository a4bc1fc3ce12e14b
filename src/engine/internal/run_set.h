#pragma once

#include <functional>
#include <vector>

#include "repo/repository.h"

namespace tidemark::engine {

// Overlapping runs that one level may hold before they are merged into one of the next level.
inline constexpr std::size_t kMaxRunsPerLevel = 64;

// Whether each run lies wholly behind the one before: then they are one sorted sequence.
bool AreInOrder(const std::vector<repo::Run>& runs);

// Runs that are in order as one run; no data is touched.
repo::Run Concatenate(const std::vector<repo::Run>& runs);

// The runs of one namespace while it is read. Keeps their number low: a level that is full is
// merged into one run of the next, so a reader opens at most kMaxRunsPerLevel runs a level, and
// there is one level more for 64 times the data. Confined.
class RunSet {
 public:
  // Writes one sorted run from several, later ones winning.
  using MergeRuns = std::function<repo::Run(const std::vector<repo::Run>& runs)>;

  explicit RunSet(MergeRuns merge) : merge_(std::move(merge)) {}

  void Add(repo::Run run);
  // Oldest first, as overriding needs it; one run if they are in order.
  std::vector<repo::Run> Finish();

 private:
  void AddAt(std::size_t level, repo::Run run);

  MergeRuns merge_;
  std::vector<std::vector<repo::Run>> levels_;
};

}  // namespace tidemark::engine
