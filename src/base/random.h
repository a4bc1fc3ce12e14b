#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tidemark {

// Where random bytes come from. Injected, so that a test can repeat a run.
// Implementations are safe to call from any thread.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<std::uint8_t> out) = 0;
};

// The kernel's generator (getrandom). Fit for keys. Aborts if the kernel refuses: nothing safe
// could follow.
class SystemRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> out) override;
};

// A repeatable stream from a seed (splitmix64). For tests and benchmarks only, never for keys.
// Confined.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void Fill(std::span<std::uint8_t> out) override;
  std::uint64_t Next();

 private:
  std::uint64_t state_;
};

// `count` random bytes as lower-case hex.
std::string RandomHex(RandomSource& random, std::size_t count);

}  // namespace tidemark
