#include <charconv>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFilter = 256;  // bytes

json::object RenderEntry(const domain::AuditEntry& entry) {
  json::object body;
  body["number"] = entry.number;
  body["at"] = FormatInstant(entry.at);
  body["actor"] = entry.actor;
  body["operation"] = entry.operation;
  body["hash"] = entry.hash;
  AddText(body, "requestId", entry.request);
  AddText(body, "remoteAddress", entry.address);
  AddText(body, "projectId", entry.project.IsZero() ? "" : entry.project.ToString());
  AddText(body, "clusterName", entry.cluster);
  AddText(body, "objectId", entry.object);
  AddText(body, "errorCode", entry.error_code);
  if (entry.status != 0) {
    body["status"] = entry.status;
  }
  if (entry.begun) {
    body["begun"] = *entry.begun;
  }
  if (entry.skipped > 0) {
    body["skipped"] = entry.skipped;
  }
  return body;
}

// The first value of that name; empty when absent.
std::string Parameter(const Call& call, std::string_view name) {
  for (auto& [key, value] : http::ParseQuery(call.request.query)) {
    if (key != name) {
      continue;
    }
    if (value.empty() || value.size() > kMaxFilter) {
      throw InvalidQueryParameter(name);
    }
    return std::move(value);
  }
  return {};
}

std::optional<Instant> InstantParameter(const Call& call, std::string_view name) {
  const std::string text = Parameter(call, name);
  if (text.empty()) {
    return std::nullopt;
  }
  const auto instant = ParseDate(text);
  if (!instant) {
    throw InvalidQueryParameter(name);
  }
  return instant;
}

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '_' || c == '-' || c == '.')) {
      escaped.push_back(c);
    } else {
      escaped += "%" + HexEncode({&byte, 1});
    }
  }
  return escaped;
}

// What the links of a list have to repeat.
std::string FilterOf(const Call& call) {
  std::string filter;
  for (const char* name : {"since", "until", "actor", "operation"}) {
    const std::string value = Parameter(call, name);
    if (!value.empty()) {
      filter += "&" + std::string(name) + "=" + Escape(value);
    }
  }
  return filter;
}

Reply List(const Call& call,
           const std::optional<ProjectId>& project,
           const std::optional<OrganizationId>& organization) {
  const catalog::AuditFilter filter{.project = project,
                                    .organization = organization,
                                    .since = InstantParameter(call, "since"),
                                    .until = InstantParameter(call, "until"),
                                    .actor = Parameter(call, "actor"),
                                    .operation = Parameter(call, "operation")};
  const auto listing = call.parts.audit.List(filter, call.query.page);
  ListQuery query = call.query;
  query.filter = FilterOf(call);
  return ListReply(call.request, query, listing, RenderEntry);
}

// Both of them, or neither.
std::optional<catalog::AuditAnchor> ReadAnchor(const Call& call) {
  catalog::AuditAnchor anchor{.hash = Parameter(call, "hash")};
  const std::string number = Parameter(call, "number");
  if (number.empty() && anchor.hash.empty()) {
    return std::nullopt;
  }
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, anchor.number);
  if (error != std::errc() || stop != end || anchor.number < 1) {
    throw InvalidQueryParameter("number");
  }
  if (anchor.hash.empty()) {
    throw InvalidQueryParameter("hash");
  }
  return anchor;
}

Reply ListProjectAudit(const Call& call) {
  return List(call, ProjectOf(call).id, std::nullopt);
}

Reply ListAudit(const Call& call) {
  return List(call, std::nullopt, call.caller.key.organization);
}

Reply VerifyAudit(const Call& call) {
  const catalog::AuditVerdict verdict = call.parts.audit.Verify(ReadAnchor(call));
  json::object body;
  body["intact"] = !verdict.broken_at;
  body["rows"] = verdict.rows;
  AddText(body, "hash", verdict.hash);
  if (verdict.broken_at) {
    body["brokenAt"] = *verdict.broken_at;
  }
  return {200, Shape::kObject, std::move(body)};
}

}  // namespace

std::span<const Route> OwnAuditRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/audit",
            kOwn,
            kProjectOwner,
            "listProjectAudit",
            ListProjectAudit},
      Route{kGet, "/audit", kOwn, kOrganizationOwner, "listAudit", ListAudit},
      Route{kGet, "/audit/verification", kOwn, kOrganizationOwner, "verifyAudit", VerifyAudit},
  };
  return kRoutes;
}

}  // namespace tidemark::api
