#include "api/internal/own_keys.h"

#include <array>

#include "api/internal/access_list.h"
#include "api/internal/admission.h"
#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kKeyFields{Field{"kind", FieldType::kString, kRequired},
                                Field{"description", FieldType::kString, kOptional},
                                Field{"roles", FieldType::kArray, kRequired},
                                Field{"accessList", FieldType::kArray, kNotNull},
                                Field{"secretExpiresAfterHours", FieldType::kAny, kOptional}};

constexpr std::array kChangeFields{Field{"description", FieldType::kString, kOptional},
                                   Field{"roles", FieldType::kArray, kOptional},
                                   Field{"accessList", FieldType::kArray, kNotNull}};

constexpr std::array kRoleFields{Field{"roleName", FieldType::kString, kRequired},
                                 Field{"projectId", FieldType::kObjectId, kOptional},
                                 Field{"orgId", FieldType::kObjectId, kOptional}};

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
  body["accessList"] = RenderAccessList(key);
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
  if (roles.size() > domain::kMaxGrants) {
    throw InvalidValue("roles", "has more than " + std::to_string(domain::kMaxGrants) + " entries");
  }
  std::vector<domain::Grant> grants;
  for (const json::value& role : roles) {
    grants.push_back(ReadGrant(role));
  }
  return grants;
}

Reply ListKeys(const Call& call) {
  const auto listing = call.parts.access.ListKeys(call.caller, call.query.page);
  return ListReply(call.request, call.query, listing, RenderKey);
}

Reply CreateKey(const Call& call) {
  const json::object body = ReadBody(call.request, kKeyFields);
  service::AccessService::KeyLimits limits;
  if (const auto* list = body.if_contains("accessList")) {
    limits.access_list = ReadAccessList(list->as_array());
  }
  limits.secret_life = SecretLifeOf(call, body);
  const service::AccessService::NewKey made =
      call.parts.access.CreateKey(call.caller,
                                  KindOf(body),
                                  StringOf(body, "description"),
                                  ReadGrants(body.at("roles").as_array()),
                                  limits);
  return {201, Shape::kObject, RenderNewKey(made)};
}

Reply GetKey(const Call& call) {
  return {200, Shape::kObject, RenderKey(call.parts.access.FindKey(call.caller, KeyIdOf(call)))};
}

Reply UpdateKey(const Call& call) {
  const KeyId id = KeyIdOf(call);
  const json::object body = ReadBody(call.request, kChangeFields);
  service::AccessService::KeyChanges changes;
  if (body.contains("description")) {
    changes.description = StringOf(body, "description");
  }
  if (const auto* roles = body.if_contains("roles")) {
    changes.grants = ReadGrants(roles->as_array());
  }
  if (const auto* list = body.if_contains("accessList")) {
    changes.access_list = ReadAccessList(list->as_array());
    domain::Key changed;
    changed.access_list = *changes.access_list;
    if (id == call.caller.key.id && !MayComeFrom(changed, call.request.remote_address)) {
      throw InvalidValue("accessList", "would shut out the address that this request comes from");
    }
  }
  return {200, Shape::kObject, RenderKey(call.parts.access.UpdateKey(call.caller, id, changes))};
}

Reply DeleteKey(const Call& call) {
  call.parts.access.RevokeKey(call.caller, KeyIdOf(call));
  return {204, Shape::kNone, {}};
}

}  // namespace

json::object RenderNewKey(const service::AccessService::NewKey& made) {
  json::object answer = RenderKey(made.key);
  answer[IsApiKey(made.key) ? "privateKey" : "clientSecret"] = made.secret.Reveal();
  return answer;
}

KeyId KeyIdOf(const Call& call) {
  const std::string& text = call.path.Get("keyId");
  const auto id = KeyId::Parse(text);
  if (!id) {
    throw service::Refusal(service::Reason::kKeyNotFound,
                           ErrorCode::kNotFound,
                           "finding key " + text + ": there is none",
                           {text});
  }
  return *id;
}

std::optional<std::chrono::hours> SecretLifeOf(const Call& call, const json::object& body) {
  const auto hours = IntegerOf(call, body, "secretExpiresAfterHours");
  constexpr std::int64_t kMost = 1'000'000;  // the use case says what is allowed below that
  if (hours && (*hours < 0 || *hours > kMost)) {
    throw InvalidValue("secretExpiresAfterHours", "is no number of hours that a secret may live");
  }
  return hours ? std::optional(std::chrono::hours(*hours)) : std::nullopt;
}

std::span<const Route> OwnKeyRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "/keys", kOwn, kOrganizationOwner, "listKeys", ListKeys},
      Route{kPost, "/keys", kOwn, kOrganizationOwner, "createKey", CreateKey},
      Route{kGet, "/keys/{keyId}", kOwn, kOrganizationOwner, "getKey", GetKey},
      Route{kPatch, "/keys/{keyId}", kOwn, kOrganizationOwner, "updateKey", UpdateKey},
      Route{kDelete, "/keys/{keyId}", kOwn, kOrganizationOwner, "deleteKey", DeleteKey},
  };
  return kRoutes;
}

}  // namespace tidemark::api
