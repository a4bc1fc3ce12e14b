#include "api/internal/oauth.h"

#include <boost/json/object.hpp>

#include "api/internal/admission.h"
#include "api/internal/render.h"
#include "api/internal/text.h"
#include "base/error.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kBasicScheme = "Basic ";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

struct ClientPair {
  std::string id;
  std::string secret;
};

http::Response JsonResponse(int status, const json::object& body) {
  http::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Pragma", "no-cache");
  response.body = RenderJson(body, Layout::kCompact);
  return response;
}

http::Response OAuthError(int status, std::string_view error, std::string_view description) {
  return JsonResponse(status, {{"error", error}, {"error_description", description}});
}

http::Response InvalidClient() {
  http::Response response = OAuthError(401, "invalid_client", "Invalid credentials provided.");
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"MMS Public API\"");
  return response;
}

std::optional<std::string> DecodeBasic(std::string_view header) {
  if (!StartsWithNoCase(header, kBasicScheme)) {
    return std::nullopt;
  }
  try {
    const Bytes bytes = Base64Decode(Trim(header.substr(kBasicScheme.size())));
    return std::string(AsText(bytes));
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The pairs that the header may mean: Go's library percent-encodes both halves, curl does not.
std::vector<ClientPair> ClientPairs(const http::Request& request) {
  const auto text = DecodeBasic(Trim(request.Header("authorization").value_or("")));
  if (!text || text->find(':') == std::string::npos) {
    return {};
  }
  const std::size_t colon = text->find(':');
  const ClientPair literal{text->substr(0, colon), text->substr(colon + 1)};
  auto id = http::PercentDecode(literal.id, http::PlusSign::kSpace);
  auto secret = http::PercentDecode(literal.secret, http::PlusSign::kSpace);
  std::vector<ClientPair> pairs;
  if (id && secret && (*id != literal.id || *secret != literal.secret)) {
    pairs.push_back({std::move(*id), std::move(*secret)});
  }
  pairs.push_back(literal);
  return pairs;
}

// The one value of that name; nullopt when absent, empty or given twice (RFC 6749, 3.2).
std::optional<std::string> FormValue(const http::Request& request, std::string_view name) {
  std::optional<std::string> found;
  for (auto& [key, value] : http::ParseQuery(request.body)) {
    if (key != name) {
      continue;
    }
    if (found) {
      return std::nullopt;
    }
    found = std::move(value);
  }
  return found && !found->empty() ? found : std::nullopt;
}

// Set when the request cannot be answered at all.
std::optional<http::Response> RefuseForm(const http::Request& request) {
  if (request.body_too_large) {
    return OAuthError(413, "invalid_request", "The request body is too large.");
  }
  std::string_view type = request.Header("content-type").value_or("");
  if (!EqualNoCase(Trim(TakeUntil(type, ';')), kFormType)) {
    return OAuthError(
        400, "invalid_request", "The request body must be " + std::string(kFormType) + ".");
  }
  return std::nullopt;
}

std::optional<http::Response> RefuseGrant(const http::Request& request) {
  const auto grant = FormValue(request, "grant_type");
  if (!grant) {
    return OAuthError(400, "invalid_request", "Exactly one grant_type is required.");
  }
  if (*grant != "client_credentials") {
    return OAuthError(400, "unsupported_grant_type", "The grant type must be client_credentials.");
  }
  return std::nullopt;
}

std::optional<service::AccessService::Client> FindClient(service::AccessService& access,
                                                         const std::vector<ClientPair>& pairs) {
  for (const ClientPair& pair : pairs) {
    if (auto client = access.FindClient(pair.id, pair.secret)) {
      return client;
    }
  }
  return std::nullopt;
}

http::Response AccessDenied(const std::string& address) {
  return OAuthError(
      403, "access_denied", "IP address " + address + " is not on the account's access list.");
}

}  // namespace

http::Response IssueOAuthToken(service::AccessService& access, const http::Request& request) {
  const std::vector<ClientPair> pairs = ClientPairs(request);
  if (pairs.empty()) {
    return InvalidClient();
  }
  if (auto refused = RefuseForm(request)) {
    return std::move(*refused);
  }
  if (auto refused = RefuseGrant(request)) {
    return std::move(*refused);
  }
  const auto client = FindClient(access, pairs);
  if (!client) {
    return InvalidClient();
  }
  if (!MayComeFrom(client->account, request.remote_address)) {
    return AccessDenied(request.remote_address);
  }
  try {
    const service::AccessService::NewToken made = access.IssueToken(*client);
    return JsonResponse(200,
                        {{"access_token", made.token.Reveal()},
                         {"expires_in", made.life.count()},
                         {"token_type", "Bearer"}});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return InvalidClient();  // the secret has been deleted since it was found to be right
  }
}

http::Response RevokeOAuthToken(service::AccessService& access, const http::Request& request) {
  const std::vector<ClientPair> pairs = ClientPairs(request);
  if (pairs.empty()) {
    return InvalidClient();
  }
  if (auto refused = RefuseForm(request)) {
    return std::move(*refused);
  }
  const auto token = FormValue(request, "token");
  if (!token) {
    return OAuthError(400, "invalid_request", "Exactly one token is required.");
  }
  const auto client = FindClient(access, pairs);
  if (!client) {
    return InvalidClient();
  }
  if (!MayComeFrom(client->account, request.remote_address)) {
    return AccessDenied(request.remote_address);
  }
  access.RevokeToken(*client, *token);
  return {200, {{"Cache-Control", "no-store"}}, {}};
}

std::string OAuthClientName(const http::Request& request) {
  const std::vector<ClientPair> pairs = ClientPairs(request);
  constexpr std::string_view kPrefix = "mdb_sa_id_";
  if (pairs.empty() || !pairs.front().id.starts_with(kPrefix) ||
      !ObjectId::Parse(pairs.front().id.substr(kPrefix.size()))) {
    return {};
  }
  return pairs.front().id;
}

http::Response OAuthRateLimited(std::chrono::seconds retry_after) {
  http::Response response =
      OAuthError(429, "too_many_requests", "Too many token requests from this address.");
  response.headers.emplace_back("Retry-After", std::to_string(retry_after.count()));
  return response;
}

http::Response OAuthServerError() {
  return OAuthError(500, "server_error", "Unexpected error.");
}

}  // namespace tidemark::api
