// Any Authorization header may come in: parsing ends, and no nonce that we did not make is taken.
#include <cstdint>
#include <string>

#include "api/internal/digest.h"
#include "base/bytes.h"
#include "base/error.h"

using tidemark::ManualClock;
using tidemark::SeededRandom;
using tidemark::api::NonceGuard;
using tidemark::api::NonceState;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ManualClock clock(*tidemark::ParseInstant("2026-11-25T10:00:00Z"));
  static SeededRandom random(1);
  static const NonceGuard guard(clock, random, "key");
  const std::string text(tidemark::AsText({data, size}));
  const auto credentials = tidemark::api::ParseDigestCredentials(text);
  if (credentials) {
    static_cast<void>(tidemark::api::DigestResponse(*credentials, std::string(32, 'a'), "GET"));
    static_cast<void>(tidemark::api::ParseNonceCount(credentials->nc));
    TIDEMARK_CHECK(guard.Check(credentials->nonce) == NonceState::kForged);
  }
  TIDEMARK_CHECK(guard.Check(text) == NonceState::kForged);
  return 0;
}
