#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"

// HTTP digest authentication, RFC 7616 with MD5 and qop=auth, as contract.md 2.1 narrows it.
namespace tidemark::api {

struct DigestCredentials {
  std::string username;
  std::string realm;
  std::string nonce;
  std::string uri;
  std::string response;
  std::string algorithm;  // empty: MD5
  std::string qop;
  std::string nc;
  std::string cnonce;
};

// Reads what follows "Digest " in an Authorization header; values as tokens or quoted strings, in
// any order, unknown names skipped. nullopt when malformed or when a name comes twice.
std::optional<DigestCredentials> ParseDigestCredentials(std::string_view text);

// The response that the holder of `ha1` sends for these credentials and that method.
std::string DigestResponse(const DigestCredentials& credentials,
                           const std::string& ha1,
                           std::string_view method);

enum class NonceState { kValid, kExpired, kForged };
enum class NonceUse { kAccepted, kReplayed, kForgotten };

// Makes nonces that prove themselves: 24 bytes = time (8), random (4), MAC (12) under a key that
// all nodes share. Remembers which counts of a nonce were used, of at most `capacity` nonces; one
// that had to be forgotten counts as expired, never as new. So does one from before this process.
// Synchronized.
class NonceGuard {
 public:
  static constexpr std::chrono::minutes kLife{5};
  static constexpr std::size_t kCapacity = 65536;

  // `clock` and `random` must outlive the guard.
  NonceGuard(const Clock& clock,
             RandomSource& random,
             std::string key,
             std::size_t capacity = kCapacity);

  std::string Make();
  NonceState Check(std::string_view nonce) const;
  // Uses up `count` of that nonce. REQUIRES: Check said kValid. Counts may come out of order within
  // a window of 64.
  NonceUse Use(std::string_view nonce, std::uint32_t count);

 private:
  struct Window {
    std::uint32_t highest = 0;
    std::uint64_t seen = 0;  // bit i: highest - i was used
  };

  using Entry = std::pair<std::int64_t, std::string>;  // time of issue, nonce

  static bool Mark(Window& window, std::uint32_t count);
  std::string Sign(std::string_view body) const;
  void MakeRoom() TIDEMARK_REQUIRES(mutex_);

  const Clock& clock_;
  RandomSource& random_;
  const std::string key_;
  const std::size_t capacity_;
  mutable Mutex mutex_;
  std::map<Entry, Window> used_ TIDEMARK_GUARDED_BY(mutex_);
  std::int64_t forgotten_until_ TIDEMARK_GUARDED_BY(mutex_);  // micros; nonces up to it are too old
};

// 8 hex digits; nullopt otherwise.
std::optional<std::uint32_t> ParseNonceCount(std::string_view text);

}  // namespace tidemark::api
