#include "api/internal/metrics.h"

#include "api/internal/failure.h"
#include "api/internal/render.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// A proxy on this machine passes on what others ask.
bool IsPassedOn(const http::Request& request) {
  for (const std::string_view name : {"forwarded",
                                      "x-forwarded-for",
                                      "x-forwarded-host",
                                      "x-forwarded-proto",
                                      "x-real-ip",
                                      "via"}) {
    if (request.Header(name)) {
      return true;
    }
  }
  return false;
}

http::Response Page(std::string text) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(telemetry::kMediaType)}},
          .body = std::move(text)};
}

// Those of which the key may read everything.
std::vector<OrganizationId> OrganizationsOf(const domain::Key& key) {
  std::vector<OrganizationId> organizations;
  for (const domain::Grant& grant : key.grants) {
    if (grant.role == domain::Role::kOrgOwner || grant.role == domain::Role::kOrgReadOnly) {
      organizations.push_back(grant.organization);
    }
  }
  return organizations;
}

}  // namespace

bool IsLocalScrape(const ApiParts& parts, const http::Request& request) {
  return !request.Header("authorization") && IsLoopback(request.remote_address) &&
         !IsPassedOn(request) && parts.metrics.loopback() == service::LoopbackMetrics::kShow;
}

http::Response LocalMetrics(const ApiParts& parts) {
  return Page(parts.metrics.Render({}));
}

http::Response KeyMetrics(const ApiParts& parts, const domain::Key& key) {
  const auto organizations = OrganizationsOf(key);
  if (organizations.empty()) {
    throw service::Refusal(service::Reason::kUserUnauthorized,
                           ErrorCode::kPermissionDenied,
                           "reading metrics: the key has no role on an organization");
  }
  return Page(parts.metrics.Render(organizations));
}

}  // namespace tidemark::api
