#include <array>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kKeyFields{Field{"kind", FieldType::kString, kRequired},
                                Field{"description", FieldType::kString, kOptional},
                                Field{"roles", FieldType::kArray, kRequired}};

constexpr std::array kRoleFields{Field{"roleName", FieldType::kString, kRequired},
                                 Field{"projectId", FieldType::kObjectId, kOptional},
                                 Field{"orgId", FieldType::kObjectId, kOptional}};

constexpr std::size_t kMaxRoles = 1000;

bool IsApiKey(const domain::Key& key) {
  return key.kind == domain::KeyKind::kApiKey;
}

json::array RenderRoles(const domain::Key& key) {
  json::array roles;
  for (const domain::Grant& grant : key.grants) {
    json::object role{{"roleName", domain::RoleName(grant.role)}};
    if (domain::IsOrganizationRole(grant.role)) {
      role["orgId"] = grant.organization.ToString();
    } else {
      role["projectId"] = grant.project.ToString();
    }
    roles.push_back(std::move(role));
  }
  return roles;
}

json::object RenderKey(const domain::Key& key) {
  json::object body;
  body["id"] = key.id.ToString();
  body["kind"] = IsApiKey(key) ? "apiKey" : "serviceAccount";
  body[IsApiKey(key) ? "publicKey" : "clientId"] = key.public_name;
  body["description"] = key.description;
  body["roles"] = RenderRoles(key);
  body["created"] = FormatInstant(key.created);
  if (key.revoked) {
    body["revoked"] = FormatInstant(*key.revoked);
  }
  return body;
}

domain::KeyKind KindOf(const json::object& body) {
  const std::string kind = StringOf(body, "kind");
  if (kind != "apiKey" && kind != "serviceAccount") {
    throw InvalidValue("kind", "must be apiKey or serviceAccount");
  }
  return kind == "apiKey" ? domain::KeyKind::kApiKey : domain::KeyKind::kServiceAccount;
}

domain::Grant ReadGrant(const json::value& value) {
  if (!value.is_object()) {
    throw InvalidJsonAttribute("roles", "an array of objects");
  }
  const json::object body = CheckFields(value.get_object(), kRoleFields);
  const auto role = domain::ParseRole(StringOf(body, "roleName"));
  if (!role) {
    throw InvalidValue("roleName", "must be the name of a role");
  }
  const std::string_view scope = domain::IsOrganizationRole(*role) ? "orgId" : "projectId";
  if (!body.contains(scope) || body.size() != 2) {
    throw InvalidValue("roles", "an ORG_ role has an orgId, a GROUP_ role a projectId");
  }
  domain::Grant grant;
  grant.role = *role;
  grant.organization = OrganizationId::Parse(StringOf(body, "orgId")).value_or(OrganizationId());
  grant.project = ProjectId::Parse(StringOf(body, "projectId")).value_or(ProjectId());
  return grant;
}

std::vector<domain::Grant> ReadGrants(const json::array& roles) {
  if (roles.size() > kMaxRoles) {
    throw InvalidValue("roles", "has more than " + std::to_string(kMaxRoles) + " entries");
  }
  std::vector<domain::Grant> grants;
  for (const json::value& role : roles) {
    grants.push_back(ReadGrant(role));
  }
  return grants;
}

Reply ListKeys(const Call& call) {
  const auto listing = call.parts.access.ListKeys(call.caller, call.query.page);
  json::array results;
  for (const domain::Key& key : listing.rows) {
    results.push_back(RenderKey(key));
  }
  return ListReply(call.request, call.query, std::move(results), listing.total);
}

Reply CreateKey(const Call& call) {
  const json::object body = ReadBody(call.request, kKeyFields);
  const service::AccessService::NewKey made =
      call.parts.access.CreateKey(call.caller,
                                  KindOf(body),
                                  StringOf(body, "description"),
                                  ReadGrants(body.at("roles").as_array()));
  json::object answer = RenderKey(made.key);
  answer[IsApiKey(made.key) ? "privateKey" : "clientSecret"] = made.secret.Reveal();
  return {201, Shape::kObject, std::move(answer)};
}

Reply DeleteKey(const Call& call) {
  const std::string& text = call.path.Get("keyId");
  const auto id = KeyId::Parse(text);
  if (!id) {
    throw service::Refusal(service::Reason::kKeyNotFound,
                           ErrorCode::kNotFound,
                           "revoking key " + text + ": there is none",
                           {text});
  }
  call.parts.access.RevokeKey(call.caller, *id);
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> OwnKeyRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "/keys", kOwn, kOrganizationOwner, "listKeys", ListKeys},
      Route{kPost, "/keys", kOwn, kOrganizationOwner, "createKey", CreateKey},
      Route{kDelete, "/keys/{keyId}", kOwn, kOrganizationOwner, "deleteKey", DeleteKey},
  };
  return kRoutes;
}

}  // namespace tidemark::api
