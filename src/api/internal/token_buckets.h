#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/api.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace tidemark::api {

// One token bucket for each name, all of one limit: a full one has `capacity` tokens and gets
// `refill` of them back in every `interval`, evenly. At most kMaxNames are remembered, about 200
// bytes each; beyond, the one that was asked for longest ago is full again. Synchronized.
class TokenBuckets {
 public:
  static constexpr std::size_t kMaxNames = 16384;

  explicit TokenBuckets(const RateLimit& limit) : limit_(limit) {}

  struct Answer {
    bool granted = true;
    std::int64_t remaining = 0;           // whole tokens
    std::chrono::seconds retry_after{0};  // until there is one; 0 when granted
  };

  const RateLimit& limit() const { return limit_; }

  // Takes a token if there is one. Always granted while the limit is off.
  Answer Take(std::string_view name, Instant now) TIDEMARK_EXCLUDES(mutex_);
  // What Take would answer; takes nothing.
  Answer Look(std::string_view name, Instant now) TIDEMARK_EXCLUDES(mutex_);

 private:
  struct Bucket {
    std::string name;
    double tokens = 0;
    Instant filled;
  };

  Answer Ask(std::string_view name, Instant now, double cost) TIDEMARK_EXCLUDES(mutex_);
  Bucket& Find(std::string_view name, Instant now) TIDEMARK_REQUIRES(mutex_);
  double TokensPerSecond() const;

  const RateLimit limit_;
  Mutex mutex_;
  std::list<Bucket> buckets_ TIDEMARK_GUARDED_BY(mutex_);  // last used first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_name_
      TIDEMARK_GUARDED_BY(mutex_);  // names lie in the buckets
};

}  // namespace tidemark::api
