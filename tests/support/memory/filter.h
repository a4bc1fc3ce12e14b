#pragma once

#include <memory>

#include "bson/document.h"

namespace tidemark::memory {

// A find filter: equality, $eq $ne $gt $gte $lt $lte $in $nin $exists $type on dotted paths, $and
// $or $nor, with MongoDB's type bracketing and its look into arrays. Immutable; owns a copy.
class Filter {
 public:
  Filter();
  // Throws CommandError BadValue on an operator that it does not know.
  explicit Filter(const bson::Document& filter);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  bool MatchesAll() const;
  bool Matches(const bson::Document& document) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;  // null: everything
};

}  // namespace tidemark::memory
