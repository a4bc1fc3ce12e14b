#include "api/internal/authentication.h"

#include "api/internal/text.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kDigestScheme = "Digest ";
constexpr std::string_view kBearerScheme = "Bearer ";
constexpr std::string_view kUnauthorized =
    "{\n"
    "  \"error\" : 401,\n"
    "  \"reason\" : \"Unauthorized\",\n"
    "  \"detail\" : \"You are not authorized for this resource.\",\n"
    "  \"errorCode\" : \"UNEXPECTED_ERROR\"\n"
    "}";

// Whether the credentials are of the one kind that the challenge offers.
bool FitsChallenge(const DigestCredentials& credentials, const http::Request& request) {
  return credentials.realm == service::kDigestRealm && credentials.qop == "auth" &&
         (credentials.algorithm.empty() || EqualNoCase(credentials.algorithm, "MD5")) &&
         credentials.uri == request.target && !credentials.cnonce.empty();
}

// An unknown user costs the same computation as a known one.
std::string Ha1Of(const std::optional<service::AccessService::DigestKey>& key) {
  return key ? key->ha1.Reveal() : std::string(32, '0');
}

}  // namespace

Identity Authentication::Identify(const http::Request& request) {
  const std::string_view header = Trim(request.Header("authorization").value_or(""));
  if (StartsWithNoCase(header, kDigestScheme)) {
    return IdentifyDigest(header.substr(kDigestScheme.size()), request);
  }
  if (StartsWithNoCase(header, kBearerScheme)) {
    auto caller = access_.FindByToken(std::string(Trim(header.substr(kBearerScheme.size()))));
    std::string name = caller ? caller->key.public_name : "";
    return {std::move(caller), Staleness::kNo, std::move(name)};
  }
  return {};
}

Identity Authentication::IdentifyDigest(std::string_view text, const http::Request& request) {
  const auto credentials = ParseDigestCredentials(text);
  if (!credentials || !FitsChallenge(*credentials, request)) {
    return {};
  }
  const auto count = ParseNonceCount(credentials->nc);
  const NonceState state = nonces_.Check(credentials->nonce);
  if (!count || state == NonceState::kForged) {
    return {};
  }
  auto key = access_.FindDigestKey(credentials->username);
  const std::string expected = DigestResponse(*credentials, Ha1Of(key), request.MethodText());
  std::string name = key ? key->caller.key.public_name : "";
  if (!ConstantTimeEqual(expected, credentials->response) || !key) {
    return {{}, Staleness::kNo, std::move(name)};
  }
  if (state == NonceState::kExpired) {
    return {{}, Staleness::kYes, std::move(name)};
  }
  switch (nonces_.Use(credentials->nonce, *count)) {
    case NonceUse::kAccepted:
      return {std::move(key->caller), Staleness::kNo, std::move(name)};
    case NonceUse::kReplayed:
      return {{}, Staleness::kNo, std::move(name)};
    case NonceUse::kForgotten:
      return {{}, Staleness::kYes, std::move(name)};
  }
  return {};
}

http::Response Authentication::Challenge(Staleness staleness) {
  http::Response response;
  response.status = 401;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("WWW-Authenticate",
                                "Digest realm=\"" + std::string(service::kDigestRealm) +
                                    "\", domain=\"\", nonce=\"" + nonces_.Make() +
                                    "\", algorithm=MD5, qop=\"auth\", stale=" +
                                    (staleness == Staleness::kYes ? "true" : "false"));
  response.body = kUnauthorized;
  return response;
}

}  // namespace tidemark::api
