#pragma once

#include "api/api.h"
#include "domain/access.h"

namespace tidemark::api {

inline constexpr std::string_view kMetricsPath = "/metrics";

// GET /metrics (docs/metrics.md). Whoever asks from this machine itself, not through a proxy, needs
// no credentials and gets what names nothing.
bool IsLocalScrape(const ApiParts& parts, const http::Request& request);
http::Response LocalMetrics(const ApiParts& parts);

// To a key with a role on an organization all, clusters of its organizations by name. Throws
// kUserUnauthorized. REQUIRES: the key may come from where it does.
http::Response KeyMetrics(const ApiParts& parts, const domain::Key& key);

}  // namespace tidemark::api
