#pragma once

#include "http/message.h"
#include "service/access_service.h"

namespace tidemark::api {

inline constexpr std::string_view kTokenPath = "/api/oauth/token";
inline constexpr std::string_view kRevokePath = "/api/oauth/revoke";

// The two OAuth endpoints, contract.md 2.2; errors in the OAuth form, never an ApiError.
http::Response IssueOAuthToken(service::AccessService& access, const http::Request& request);
http::Response RevokeOAuthToken(service::AccessService& access, const http::Request& request);
// The client id of the request if it has the form of one, for the audit log: what somebody puts in
// its place may be a secret.
std::string OAuthClientName(const http::Request& request);
// The 429 and the 500 of these endpoints.
http::Response OAuthRateLimited(std::chrono::seconds retry_after);
http::Response OAuthServerError();

}  // namespace tidemark::api
