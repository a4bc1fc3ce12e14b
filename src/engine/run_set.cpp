#include "engine/internal/run_set.h"

#include "bson/document.h"

namespace tidemark::engine {
namespace {

bool IsBefore(const Bytes& place, const Bytes& other) {
  const bson::Document left(place);
  const bson::Document right(other);
  return bson::CompareValues(*left.begin(), *right.begin()) < 0;
}

}  // namespace

bool AreInOrder(const std::vector<repo::Run>& runs) {
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (!IsBefore(runs[i - 1].last_id, runs[i].first_id)) {
      return false;
    }
  }
  return true;
}

repo::Run Concatenate(const std::vector<repo::Run>& runs) {
  repo::Run whole = runs.front();
  for (std::size_t i = 1; i < runs.size(); ++i) {
    whole.documents += runs[i].documents;
    whole.logical_bytes += runs[i].logical_bytes;
    whole.lists.insert(whole.lists.end(), runs[i].lists.begin(), runs[i].lists.end());
    whole.last_id = runs[i].last_id;
  }
  return whole;
}

void RunSet::Add(repo::Run run) {
  AddAt(0, std::move(run));
}

void RunSet::AddAt(std::size_t level, repo::Run run) {
  if (levels_.size() <= level) {
    levels_.resize(level + 1);
  }
  std::vector<repo::Run>& runs = levels_[level];
  runs.push_back(std::move(run));
  if (runs.size() < kMaxRunsPerLevel) {
    return;
  }
  repo::Run merged = AreInOrder(runs) ? Concatenate(runs) : merge_(runs);
  runs.clear();
  AddAt(level + 1, std::move(merged));
}

std::vector<repo::Run> RunSet::Finish() {
  std::vector<repo::Run> runs;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    runs.insert(runs.end(), level->begin(), level->end());
  }
  if (runs.size() > 1 && AreInOrder(runs)) {
    return {Concatenate(runs)};
  }
  return runs;
}

}  // namespace tidemark::engine
