#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark {

// A moment in UTC, to the microsecond.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// Where time comes from. Injected everywhere; only base/clock.cpp reads the machine's clock.
// Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  Instant Now() const override;
};

// A clock that a test moves by hand. Synchronized by being set between, not during, calls under
// test.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start) : now_(start) {}

  Instant Now() const override { return now_; }

  void Advance(std::chrono::microseconds by) { now_ += by; }

  void Set(Instant now) { now_ = now; }

 private:
  Instant now_;
};

// `YYYY-MM-DDTHH:MM:SSZ`, whole seconds, rounded down: the API's only form (contract.md 1).
std::string FormatInstant(Instant instant);
// Reads exactly that form, with or without a fraction of a second. nullopt otherwise.
std::optional<Instant> ParseInstant(std::string_view text);

// A whole number of microseconds since 1970, as the catalog stores it, and back.
std::int64_t ToMicros(Instant instant);
Instant FromMicros(std::int64_t micros);

// The monotonic deadline of one blocking operation.
using Deadline = std::chrono::steady_clock::time_point;

}  // namespace tidemark
