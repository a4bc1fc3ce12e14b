#include "api/api.h"

#include <algorithm>
#include <utility>

#include "api/access_line.h"
#include "api/internal/admission.h"
#include "api/internal/audit_trail.h"
#include "api/internal/authentication.h"
#include "api/internal/call.h"
#include "api/internal/downloads.h"
#include "api/internal/failure.h"
#include "api/internal/metrics.h"
#include "api/internal/oauth.h"
#include "api/internal/routes.h"
#include "api/internal/versions.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kHealthPath = "/healthz";
constexpr std::string_view kReadyPath = "/readyz";

http::Response Health(int status, std::string_view word) {
  Reply reply;
  reply.status = status;
  reply.body["status"] = word;
  return RenderReply(std::move(reply), {}, "application/json");
}

bool IsRead(http::Method method) {
  return method == http::Method::kGet || method == http::Method::kHead;
}

std::string AllowHeader(const std::vector<http::Method>& methods) {
  std::string allow;
  for (const http::Method method : methods) {
    allow += (allow.empty() ? "" : ", ") + std::string(http::MethodName(method));
    if (method == http::Method::kGet) {
      allow += ", HEAD";
    }
  }
  return allow;
}

// Every Accept header, joined as the one list that they are (RFC 9110 section 5.3).
std::string AcceptOf(const http::Request& request) {
  std::string joined;
  for (const auto& [name, value] : request.headers) {
    if (name == "accept") {
      joined += (joined.empty() ? "" : ",") + value;
    }
  }
  return joined;
}

// The version that answers: in v2 what the Accept header asks for, in v1.0 and v1.5 the newest that
// is not later than theirs (contract.md 1). Null: none does, or an operation of our own.
const Version* VersionOf(const RouteTable::Match& match, const http::Request& request) {
  switch (match.family) {
    case Family::kV2:
      return ResolveVersion(AcceptOf(request), match.route->versions);
    case Family::kV10:
      return NewestUntil("2023-01-01", match.route->versions);
    case Family::kV15:
      return NewestUntil("2023-02-01", match.route->versions);
    case Family::kOwn:
      return nullptr;
  }
  return nullptr;
}

// Of that version, on errors too. An operation that is deprecated in every version says so to
// requests without a good version as well.
void AddDeprecation(const RouteTable::Match& match,
                    const http::Request& request,
                    http::Response& response) {
  if (match.route == nullptr || match.route->versions.empty()) {
    return;
  }
  const Version* version = VersionOf(match, request);
  const Version& told = version != nullptr ? *version : match.route->versions.back();
  if (!told.deprecation.empty()) {
    response.headers.emplace_back("Deprecation", told.deprecation);
  }
  if (!told.sunset.empty()) {
    response.headers.emplace_back("Sunset", told.sunset);
  }
}

bool NamesProject(const Route& route) {
  return route.pattern.find("{groupId}") != std::string_view::npos;
}

// contract.md 2: form and existence of the project, then the right on it.
void CheckRight(const Route& route, Call& call) {
  if (NamesProject(route)) {
    const std::string& text = call.path.Get("groupId");
    const auto id = ProjectId::Parse(text);
    if (!id) {
      throw InvalidGroupId(text);
    }
    call.project = call.parts.access.RequireProject(call.caller, *id, route.permission);
    return;
  }
  const domain::Key& key = call.caller.key;
  if (!domain::Allows(key.grants, route.permission, key.organization, {}) &&
      route.permission != domain::Permission::kAnyKey) {
    throw service::Refusal(service::Reason::kUserUnauthorized,
                           ErrorCode::kPermissionDenied,
                           "administering the organization: the key is not ORG_OWNER");
  }
}

class AtlasApi final : public Api {
 public:
  explicit AtlasApi(const ApiParts& parts)
      : parts_(parts),
        admission_(parts.limits, parts.clock),
        authentication_(parts.access, parts.clock, parts.random, parts.nonce_key),
        trail_(parts.store, parts.clock, parts.log) {}

  http::Response Handle(const http::Request& request) override {
    try {
      auto address = admission_.ForwardedAddress(request);
      auto scheme = admission_.ForwardedScheme(request);
      if (address || scheme) {
        http::Request forwarded = request;
        forwarded.remote_address = std::move(address).value_or(request.remote_address);
        forwarded.scheme = std::move(scheme).value_or(request.scheme);
        return Answer(forwarded);
      }
      return Answer(request);
    } catch (const std::exception& error) {
      return Unexpected(request, error);
    }
  }

 private:
  http::Response Answer(const http::Request& request) {
    if (request.path == kHealthPath && IsRead(request.method)) {
      return Health(200, "ok");
    }
    if (request.path == kReadyPath && IsRead(request.method)) {
      return Ready();
    }
    if (request.path == kMetricsPath && IsRead(request.method)) {
      return Metrics(request);
    }
    if (request.path == kTokenPath && request.method == http::Method::kPost) {
      return AnswerOAuth(IssueOAuthToken, kIssueToken, request);
    }
    if (request.path == kRevokePath && request.method == http::Method::kPost) {
      return AnswerOAuth(RevokeOAuthToken, kRevokeToken, request);
    }
    if (IsDownloadPath(request.path)) {
      return AnswerDownload(parts_, request);
    }
    return AnswerIdentified(request);
  }

  http::Response Ready() {
    try {
      parts_.store.Ping();
      return Health(200, "ready");
    } catch (const Error& error) {
      parts_.log.Warn("not ready: {}", error.message());
      return Health(503, "unavailable");
    }
  }

  // No row in the audit log: it is asked for several times a minute, and gives numbers. Whoever
  // brings credentials is counted, and held to the key's access list, as everywhere.
  http::Response Metrics(const http::Request& request) {
    std::optional<TokenBuckets::Answer> counted;
    http::Response response;
    try {
      if (IsLocalScrape(parts_, request)) {
        return LocalMetrics(parts_);
      }
      CheckLogins(request);
      AuditedRequest audited(trail_, request);
      const Identity identity = authentication_.Identify(request);
      if (!identity.caller) {
        return Challenge(identity, request, audited);
      }
      counted = CountFrom(identity.caller->key, request);
      if (!counted->granted) {
        throw RateLimited(request.path, admission_.request_limit(), *counted);
      }
      response = KeyMetrics(parts_, identity.caller->key);
    } catch (const Error& error) {
      response = RenderFailure(FailureOf(error, request.request_id), {});
    }
    AddRateLimit(counted, response);
    return response;
  }

  // Of a key that is who it says: from where it may be used, and how often. Granted or not; throws
  // when the address is not on its list.
  TokenBuckets::Answer CountFrom(const domain::Key& key, const http::Request& request) {
    if (!MayComeFrom(key, request.remote_address)) {
      throw AddressNotOnAccessList(request.remote_address);
    }
    return admission_.CountRequest(key);
  }

  using OAuthFunction = http::Response (*)(service::AccessService&, const http::Request&);

  // No row before it: whoever asked has the token only once the row behind it is written.
  http::Response AnswerOAuth(OAuthFunction answer,
                             std::string_view operation,
                             const http::Request& request) {
    AuditedRequest audited(trail_, request);
    audited.SetOperation(operation);
    audited.SetActor(OAuthClientName(request));
    try {
      const auto login = admission_.LookAtLogins(request.remote_address);
      const auto counted = admission_.CountTokenRequest(request.remote_address);
      http::Response response =
          login.granted && counted.granted
              ? answer(parts_.access, request)
              : OAuthRateLimited(std::max(login.retry_after, counted.retry_after));
      if (response.status == 401) {
        admission_.CountFailedLogin(request.remote_address);
      }
      response.actor = OAuthClientName(request);
      if (response.status == 200) {
        audited.EndUnannounced();
      } else {
        audited.End(response.status, "");
      }
      return response;
    } catch (const Error& error) {
      parts_.log.Error(
          "request={} path={}  {}", request.request_id, ShownPath(request.path), error.message());
      return OAuthServerError();
    }
  }

  http::Response AnswerIdentified(const http::Request& request) {
    const Style style = ParseStyle(request.query);
    RouteTable::Match match;
    http::Response response;
    std::optional<TokenBuckets::Answer> counted;
    std::string actor;
    AuditedRequest audited(trail_, request);
    try {
      CheckLogins(request);
      Identity identity = authentication_.Identify(request);
      match = routes_.Find(request);
      audited.SetTarget(match);
      audited.SetActor(identity.name);
      actor = identity.name;
      if (!identity.caller) {
        response = Challenge(identity, request, audited);
        response.actor = std::move(actor);
        return response;
      }
      counted = CountFrom(identity.caller->key, request);
      if (!counted->granted) {
        throw RateLimited(request.path, admission_.request_limit(), *counted);
      }
      response = Dispatch(match, std::move(*identity.caller), request, audited);
      audited.End(response.status, "");
    } catch (const Error& error) {
      response = Refuse(error, request, style, audited);
    }
    AddDeprecation(match, request, response);
    AddRateLimit(counted, response);
    response.actor = std::move(actor);
    return response;
  }

  // The first round of a digest exchange brings no credentials: it is never refused.
  void CheckLogins(const http::Request& request) {
    if (!request.Header("authorization")) {
      return;
    }
    const auto login = admission_.LookAtLogins(request.remote_address);
    if (!login.granted) {
      throw RateLimited(request.path, admission_.login_limit(), login);
    }
  }

  // Of the caller's key, on every answer to it but while there is no limit.
  void AddRateLimit(const std::optional<TokenBuckets::Answer>& counted,
                    http::Response& response) const {
    const std::int64_t capacity = admission_.request_limit().capacity;
    if (counted && capacity > 0) {
      response.headers.emplace_back("RateLimit-Limit", std::to_string(capacity));
      response.headers.emplace_back("RateLimit-Remaining", std::to_string(counted->remaining));
    }
  }

  // The first request of a digest client has no credentials, and one with an old nonce is repeated:
  // neither is a refusal.
  http::Response Challenge(const Identity& identity,
                           const http::Request& request,
                           AuditedRequest& audited) {
    http::Response response = authentication_.Challenge(identity.staleness);
    if (request.Header("authorization") && identity.staleness == Staleness::kNo) {
      admission_.CountFailedLogin(request.remote_address);
      audited.End(response.status, "UNEXPECTED_ERROR");
    }
    return response;
  }

  http::Response Dispatch(const RouteTable::Match& match,
                          service::Caller caller,
                          const http::Request& request,
                          AuditedRequest& audited) {
    if (match.route == nullptr && !match.allowed.empty()) {
      throw MethodNotAllowed(AllowHeader(match.allowed));
    }
    if (match.route == nullptr) {
      throw ResourceNotFound(request.path);
    }
    const Version* version = VersionOf(match, request);
    if (version == nullptr && match.family == Family::kV2) {
      throw InvalidVersion();
    }
    Call call{parts_, request, match.parameters, match.family, {}, std::move(caller), {}, {}};
    call.version = version != nullptr ? version->date : std::string_view();
    CheckRight(*match.route, call);
    if (request.body_too_large) {
      throw PayloadTooLarge();
    }
    call.query = ParseListQuery(request.query);
    audited.Begin();
    Reply reply = match.route->handler(call);
    audited.SetMade(reply.body);
    const bool versioned = match.family == Family::kV2;
    return RenderReply(std::move(reply),
                       call.query.style,
                       versioned ? VersionedMediaType(call.version) : "application/json");
  }

  http::Response Refuse(const Error& error,
                        const http::Request& request,
                        const Style& style,
                        AuditedRequest& audited) {
    const Failure failure = FailureOf(error, request.request_id);
    audited.End(failure.status, failure.code);
    if (failure.status >= 500) {
      parts_.log.Error("request={} path={} code={}  {}",
                       request.request_id,
                       ShownPath(request.path),
                       ErrorCodeName(error.code()),
                       error.message());
    }
    return RenderFailure(failure, style);
  }

  http::Response Unexpected(const http::Request& request, const std::exception& error) {
    parts_.log.Error("request={} path={}  unexpected: {}",
                     request.request_id,
                     ShownPath(request.path),
                     error.what());
    return RenderFailure(UnexpectedFailure(request.request_id), {});
  }

  const ApiParts parts_;
  const RouteTable routes_;
  Admission admission_;
  Authentication authentication_;
  AuditTrail trail_;
};

}  // namespace

std::unique_ptr<Api> Api::Make(const ApiParts& parts) {
  return std::make_unique<AtlasApi>(parts);
}

}  // namespace tidemark::api
