#include "api/internal/access_list.h"
#include "api/internal/failure.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

// Group of openapi.json.
json::object RenderGroup(const Call& call, const domain::Project& project) {
  json::object body;
  body["clusterCount"] = call.parts.access.CountClusters(project.id);
  body["created"] = FormatInstant(project.created);
  body["id"] = project.id.ToString();
  body["links"] = SelfLink(HrefOf(call, "/groups/" + project.id.ToString()));
  body["name"] = project.name;
  body["orgId"] = project.organization.ToString();
  return body;
}

json::array RenderGrants(const std::vector<domain::Grant>& grants) {
  json::array roles;
  for (const domain::Grant& grant : grants) {
    json::object role{{"roleName", domain::RoleName(grant.role)}};
    if (domain::IsOrganizationRole(grant.role)) {
      role["orgId"] = grant.organization.ToString();
    } else {
      role["groupId"] = grant.project.ToString();
    }
    roles.push_back(std::move(role));
  }
  return roles;
}

// Null for a service account: it has no public key.
json::value RenderApiKey(const domain::Key& key) {
  if (key.kind != domain::KeyKind::kApiKey) {
    return nullptr;
  }
  return json::object{{"accessList", RenderAtlasAccessList(key)},
                      {"id", key.id.ToString()},
                      {"publicKey", key.public_name},
                      {"roles", RenderGrants(key.grants)}};
}

Reply GetSystemStatus(const Call& call) {
  Reply reply;
  reply.body["apiKey"] = RenderApiKey(call.caller.key);
  reply.body["appName"] = "MongoDB Atlas";  // the schema's only value
  reply.body["build"] = TIDEMARK_VERSION;
  reply.body["links"] = SelfLink(HrefOf(call, ""));
  reply.body["throttling"] = false;
  return reply;
}

Reply ListGroups(const Call& call) {
  const auto listing = call.parts.access.ListProjects(call.caller, call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::Project& project) {
    return RenderGroup(call, project);
  });
}

// For `atlas projects list`. A key belongs to one organization, and learns of no other.
Reply ListOrganizationGroups(const Call& call) {
  const std::string& text = call.path.Get("orgId");
  const auto id = OrganizationId::Parse(text);
  if (!id) {
    throw InvalidPathId("INVALID_ORG_ID", text);
  }
  if (*id != call.caller.key.organization) {
    throw Refused(401,
                  "USER_CANNOT_ACCESS_ORG",
                  "Current user is not authorized to access this organization.");
  }
  return ListGroups(call);
}

Reply GetGroup(const Call& call) {
  return {200, Shape::kObject, RenderGroup(call, ProjectOf(call))};
}

}  // namespace

std::span<const Route> ProjectRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "", kAtlas, kAnyKey, "getSystemStatus", GetSystemStatus, kFirstVersion},
      Route{kGet, "/groups", kAtlas, kAnyKey, "listGroups", ListGroups, kFirstVersion},
      Route{kGet, "/groups/{groupId}", kAtlas, kProjectRead, "getGroup", GetGroup, kFirstVersion},
      Route{kGet,
            "/orgs/{orgId}/groups",
            kAtlas,
            kAnyKey,
            "getOrgGroups",
            ListOrganizationGroups,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
