#pragma once

#include <optional>
#include <string>

#include "api/internal/failure.h"
#include "api/internal/token_buckets.h"
#include "domain/access.h"
#include "http/message.h"

// Who is let in, and how often: docs/access.md.
namespace tidemark::api {

// Whether the key's access list has the address, or there is no list.
bool MayComeFrom(const domain::Key& key, const std::string& address);
// 403 IP_ADDRESS_NOT_ON_ACCESS_LIST.
RequestError AddressNotOnAccessList(const std::string& address);

// Synchronized.
class Admission {
 public:
  // `clock` must outlive it.
  Admission(const AccessLimits& limits, const Clock& clock)
      : clock_(clock),
        trusted_proxies_(limits.trusted_proxies),
        requests_(limits.requests),
        failed_logins_(limits.failed_logins),
        token_requests_(limits.token_requests) {}

  // The client that a trusted proxy names (X-Forwarded-For): of the addresses from the last to the
  // first, the first one that is no trusted proxy. nullopt: the request comes from the peer itself.
  std::optional<std::string> ForwardedAddress(const http::Request& request) const;
  // "http" or "https" as a trusted proxy says that the client has called (X-Forwarded-Proto), which
  // links in answers are made of. nullopt: the request's own.
  std::optional<std::string> ForwardedScheme(const http::Request& request) const;

  // One request of a key that is who it says: counted, granted or not.
  TokenBuckets::Answer CountRequest(const domain::Key& key);
  // Before anybody looks at credentials from that address, and when they were wrong. IPv6 addresses
  // count by the /64 that whoever has one of them has.
  TokenBuckets::Answer LookAtLogins(const std::string& address);
  void CountFailedLogin(const std::string& address);
  TokenBuckets::Answer CountTokenRequest(const std::string& address);

  const RateLimit& request_limit() const { return requests_.limit(); }

  const RateLimit& login_limit() const { return failed_logins_.limit(); }

 private:
  bool IsTrusted(const domain::Address& address) const;
  bool ComesFromProxy(const http::Request& request) const;

  const Clock& clock_;
  const std::vector<domain::Network> trusted_proxies_;
  TokenBuckets requests_;
  TokenBuckets failed_logins_;
  TokenBuckets token_requests_;
};

// 429 RATE_LIMITED_TOKEN_BUCKET with its five parameters and Retry-After. REQUIRES: not granted.
RequestError RateLimited(const std::string& path,
                         const RateLimit& limit,
                         const TokenBuckets::Answer& answer);

}  // namespace tidemark::api
