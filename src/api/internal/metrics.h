#pragma once

#include "api/api.h"
#include "api/internal/authentication.h"

namespace tidemark::api {

inline constexpr std::string_view kMetricsPath = "/metrics";

// GET /metrics (docs/metrics.md): to a key with a role on an organization all, clusters of its
// organizations by name; to whoever asks from this machine itself, not through a proxy, what names
// nothing. Otherwise the challenge, or throws kUserUnauthorized.
http::Response AnswerMetrics(const ApiParts& parts,
                             Authentication& authentication,
                             const http::Request& request);

}  // namespace tidemark::api
