#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/units.h"

// How many documents the next reply of a cursor may hold, so that it is about as large as was asked
// for. Confined values.
namespace tidemark::mongo {

// Replies above 48,000,000 bytes are refused by the driver. MongoDB ends a batch at 16 MB by
// itself, others count documents only: for them the batch follows the largest document seen.
inline constexpr std::size_t kMostPerBatch = 1000;

// Of a server that counts documents only.
class CarefulBatch {
 public:
  explicit CarefulBatch(ByteCount reply) : reply_(reply.value) {}

  // True when the size has changed.
  bool Saw(std::size_t bytes) {
    largest_ = std::max(largest_, bytes);
    ++seen_;
    const std::size_t fitting = reply_ / largest_;
    const std::size_t next =
        std::clamp<std::size_t>(std::min(fitting, next_ * 4), 1, kMostPerBatch);
    if (next < next_ || seen_ >= next_ * 2) {
      return std::exchange(next_, next) != next;
    }
    return false;
  }

  std::size_t next() const { return next_; }

 private:
  const std::size_t reply_;
  std::size_t largest_ = 1;
  std::size_t seen_ = 0;
  std::size_t next_ = 1;
};

// Of one that ends a reply at 16 MB by itself: by the average of the last documents.
class AverageBatch {
 public:
  explicit AverageBatch(ByteCount reply) : reply_(reply.value) {}

  bool Saw(std::size_t bytes) {
    bytes_ += bytes;
    if (++seen_ < kLooked) {
      return false;
    }
    const std::size_t next = std::max<std::size_t>(reply_ * seen_ / bytes_, 1);
    seen_ = bytes_ = 0;
    // Each change costs a call, so small ones are passed over.
    const bool differs = next > next_ + next_ / 8 || next < next_ - next_ / 8;
    next_ = differs ? next : next_;
    return differs;
  }

  std::size_t next() const { return next_; }

 private:
  static constexpr std::size_t kLooked = 100;  // about a first batch

  const std::size_t reply_;
  std::size_t bytes_ = 0;
  std::size_t seen_ = 0;
  std::size_t next_ = 0;  // as the server likes
};

}  // namespace tidemark::mongo
