#pragma once

#include <optional>
#include <string>

#include "api/internal/digest.h"
#include "http/message.h"
#include "service/access_service.h"

namespace tidemark::api {

enum class Staleness { kNo, kYes };

// Who sent a request. `staleness` is for the challenge: the credentials were right, their nonce was
// too old. `name` is the public name of the key that was used, also when its credentials were
// wrong; empty when there is no such key.
struct Identity {
  std::optional<service::Caller> caller;
  Staleness staleness = Staleness::kNo;
  std::string name;
};

// HTTP digest and bearer tokens: contract.md 2. Synchronized.
class Authentication {
 public:
  // All must outlive it.
  Authentication(service::AccessService& access,
                 const Clock& clock,
                 RandomSource& random,
                 const std::string& nonce_key)
      : access_(access), nonces_(clock, random, nonce_key) {}

  Identity Identify(const http::Request& request);
  // The 401 with a fresh nonce, byte for byte as contract.md 2.1.
  http::Response Challenge(Staleness staleness);

 private:
  Identity IdentifyDigest(std::string_view text, const http::Request& request);

  service::AccessService& access_;
  NonceGuard nonces_;
};

}  // namespace tidemark::api
