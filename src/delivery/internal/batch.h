#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/bounded_queue.h"
#include "base/bytes.h"

namespace tidemark::delivery {

// A batch: below the servers' limits and large enough to make a round trip cheap.
inline constexpr std::size_t kBatchDocuments = 1000;
inline constexpr std::size_t kBatchBytes = 4U << 20;

// Documents that travel together, one after the other. Confined.
class Batch {
 public:
  bool empty() const { return sizes_.empty(); }

  std::size_t documents() const { return sizes_.size(); }

  std::size_t bytes() const { return bytes_.size(); }

  // Whether it has room; an empty one takes a document of any size.
  bool Holds(ByteView document) const {
    return empty() || (documents() < kBatchDocuments && bytes() + document.size() <= kBatchBytes);
  }

  void Add(ByteView document) {
    if (empty()) {
      bytes_.reserve(std::max(kBatchBytes, document.size()));
    }
    bytes_.insert(bytes_.end(), document.begin(), document.end());
    sizes_.push_back(document.size());
  }

  // Valid until the next change.
  std::vector<ByteView> Views() const {
    std::vector<ByteView> views;
    views.reserve(sizes_.size());
    ByteView rest(bytes_);
    for (const std::size_t size : sizes_) {
      views.push_back(rest.first(size));
      rest = rest.subspan(size);
    }
    return views;
  }

  void Clear() {
    bytes_.clear();
    sizes_.clear();
  }

 private:
  Bytes bytes_;
  std::vector<std::size_t> sizes_;
};

using BatchQueue = BoundedQueue<Batch>;

}  // namespace tidemark::delivery
