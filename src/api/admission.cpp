#include "api/internal/admission.h"

#include <algorithm>

#include "api/internal/text.h"

namespace tidemark::api {
namespace {

// Every X-Forwarded-For header, joined as one list.
std::string ForwardedFor(const http::Request& request) {
  std::string joined;
  for (const auto& [name, value] : request.headers) {
    if (name == "x-forwarded-for") {
      joined += (joined.empty() ? "" : ",") + value;
    }
  }
  return joined;
}

// What shares a bucket with the address.
std::string BucketName(const std::string& text) {
  const auto address = domain::Address::Parse(text);
  if (!address || address->IsV4()) {
    return address ? address->ToString() : text;
  }
  constexpr std::size_t kNetworkBytes = 8;
  return std::string(reinterpret_cast<const char*>(address->bytes().data()), kNetworkBytes);
}

}  // namespace

bool MayComeFrom(const domain::Key& key, const std::string& address) {
  if (key.access_list.empty()) {
    return true;
  }
  const auto parsed = domain::Address::Parse(address);
  return parsed && std::ranges::any_of(key.access_list, [&](const domain::Network& network) {
           return network.Contains(*parsed);
         });
}

RequestError AddressNotOnAccessList(const std::string& address) {
  return MakeFailure(403,
                     "IP_ADDRESS_NOT_ON_ACCESS_LIST",
                     "IP address {0} is not allowed to access this resource.",
                     {address});
}

bool Admission::IsTrusted(const domain::Address& address) const {
  return std::ranges::any_of(
      trusted_proxies_, [&](const domain::Network& network) { return network.Contains(address); });
}

bool Admission::ComesFromProxy(const http::Request& request) const {
  if (trusted_proxies_.empty()) {
    return false;
  }
  const auto peer = domain::Address::Parse(request.remote_address);
  return peer && IsTrusted(*peer);
}

std::optional<std::string> Admission::ForwardedScheme(const http::Request& request) const {
  const std::string_view told = Trim(request.Header("x-forwarded-proto").value_or(""));
  for (const std::string_view scheme : {"http", "https"}) {
    if (EqualNoCase(told, scheme) && ComesFromProxy(request)) {
      return std::string(scheme);
    }
  }
  return std::nullopt;
}

std::optional<std::string> Admission::ForwardedAddress(const http::Request& request) const {
  if (!ComesFromProxy(request)) {
    return std::nullopt;
  }
  const std::string list = ForwardedFor(request);
  std::string_view rest = list;
  std::optional<std::string> client;
  while (!rest.empty()) {
    const std::size_t comma = rest.rfind(',');
    const auto address = domain::Address::Parse(
        Trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1)));
    if (!address) {
      break;  // nothing before it can be believed
    }
    client = address->ToString();
    if (!IsTrusted(*address)) {
      break;
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
  }
  return client;
}

TokenBuckets::Answer Admission::CountRequest(const domain::Key& key) {
  return requests_.Take(key.public_name, clock_.Now());
}

TokenBuckets::Answer Admission::LookAtLogins(const std::string& address) {
  return failed_logins_.Look(BucketName(address), clock_.Now());
}

void Admission::CountFailedLogin(const std::string& address) {
  failed_logins_.Take(BucketName(address), clock_.Now());
}

TokenBuckets::Answer Admission::CountTokenRequest(const std::string& address) {
  return token_requests_.Take(BucketName(address), clock_.Now());
}

RequestError RateLimited(const std::string& path,
                         const RateLimit& limit,
                         const TokenBuckets::Answer& answer) {
  const std::string retry = std::to_string(answer.retry_after.count());
  Failure failure;
  failure.status = 429;
  failure.code = "RATE_LIMITED_TOKEN_BUCKET";
  failure.parameters = {path,
                        retry,
                        std::to_string(limit.capacity),
                        std::to_string(limit.refill),
                        std::to_string(limit.interval.count())};
  failure.detail = "Too many requests: " + path + " can be asked for again in " + retry +
                   " seconds. Up to " + failure.parameters[2] +
                   " requests are taken at once, and " + failure.parameters[3] + " more in every " +
                   failure.parameters[4] + " seconds.";
  failure.headers.emplace_back("Retry-After", retry);
  return RequestError(std::move(failure));
}

}  // namespace tidemark::api
