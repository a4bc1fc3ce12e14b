#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/internal/document_key.h"

namespace tidemark::engine {

// Merges sorted runs by _id, one entry at a time. A Cursor stands at an entry of a run and has
//   key(), number() of its run, opened(), and Open() and Advance(), false at the end;
// before Open() its key is that of the entry where it will start. Confined.
template <class Cursor>
class PullMerge {
 public:
  using CursorPointer = std::unique_ptr<Cursor>;

  explicit PullMerge(std::vector<CursorPointer> cursors) : waiting_(std::move(cursors)) {
    std::ranges::make_heap(waiting_, After);
  }

  // To the next entry that no later run replaces, in order of _id. False at the end.
  bool Next() {
    while (Step()) {
      if (!IsReplaced()) {
        return true;
      }
    }
    return false;
  }

  // REQUIRES: Next() was true.
  const Cursor& current() const { return *current_; }

 private:
  // Of equal keys the oldest run comes first, so that an entry is known to be replaced when it is
  // reached.
  static bool After(const CursorPointer& a, const CursorPointer& b) {
    const std::weak_ordering order = CompareKeys(a->key(), b->key());
    return order != std::weak_ordering::equivalent ? order > 0 : a->number() > b->number();
  }

  // To the next entry of any run.
  bool Step() {
    if (current_ && !current_->Advance()) {
      current_.reset();
    }
    if (current_) {
      if (waiting_.empty() || !After(current_, waiting_.front())) {
        return true;
      }
      waiting_.push_back(std::move(current_));
      std::ranges::push_heap(waiting_, After);
    }
    return TakeLeast();
  }

  bool TakeLeast() {
    while (!waiting_.empty()) {
      std::ranges::pop_heap(waiting_, After);
      current_ = std::move(waiting_.back());
      waiting_.pop_back();
      if (current_->opened() || current_->Open()) {
        return true;
      }
    }
    current_.reset();
    return false;
  }

  // All that wait come after the current one, and of equal ones the later runs.
  bool IsReplaced() const {
    return !waiting_.empty() && SameDocument(current_->key(), waiting_.front()->key());
  }

  std::vector<CursorPointer> waiting_;  // a heap, least first
  CursorPointer current_;
};

}  // namespace tidemark::engine
