#include "api/internal/token_buckets.h"

#include <algorithm>
#include <cmath>

namespace tidemark::api {

double TokenBuckets::TokensPerSecond() const {
  return static_cast<double>(limit_.refill) / static_cast<double>(limit_.interval.count());
}

TokenBuckets::Bucket& TokenBuckets::Find(std::string_view name, Instant now) {
  const auto capacity = static_cast<double>(limit_.capacity);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    if (buckets_.size() >= kMaxNames) {
      by_name_.erase(buckets_.back().name);
      buckets_.pop_back();
    }
    buckets_.push_front({std::string(name), capacity, now});
    by_name_.emplace(buckets_.front().name, buckets_.begin());
    return buckets_.front();
  }
  buckets_.splice(buckets_.begin(), buckets_, found->second);
  Bucket& bucket = buckets_.front();
  // A clock that was set back refills nothing, and does not stop the refilling either.
  const std::chrono::duration<double> passed = std::max(now - bucket.filled, Instant::duration(0));
  bucket.tokens = std::min(capacity, bucket.tokens + passed.count() * TokensPerSecond());
  bucket.filled = now;
  return bucket;
}

TokenBuckets::Answer TokenBuckets::Ask(std::string_view name, Instant now, double cost) {
  if (limit_.capacity == 0) {
    return {};
  }
  const MutexLock lock(mutex_);
  Bucket& bucket = Find(name, now);
  Answer answer;
  answer.granted = bucket.tokens >= 1;
  if (answer.granted) {
    bucket.tokens -= cost;
  } else {
    const double seconds = std::ceil((1 - bucket.tokens) / TokensPerSecond());
    answer.retry_after =
        std::chrono::seconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(seconds)));
  }
  answer.remaining = static_cast<std::int64_t>(bucket.tokens);
  return answer;
}

TokenBuckets::Answer TokenBuckets::Take(std::string_view name, Instant now) {
  return Ask(name, now, 1);
}

TokenBuckets::Answer TokenBuckets::Look(std::string_view name, Instant now) {
  return Ask(name, now, 0);
}

}  // namespace tidemark::api
