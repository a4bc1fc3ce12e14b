#include <array>

#include "api/internal/own_keys.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::array kOrganizationFields{Field{"name", FieldType::kString, FieldUse::kRequired}};

json::object RenderOrganization(const domain::Organization& organization) {
  return {{"id", organization.id.ToString()}, {"name", organization.name}};
}

// A key belongs to one organization: the list has that one.
Reply ListOrganizations(const Call& call) {
  json::array results;
  results.push_back(RenderOrganization(
      call.parts.access.FindOrganization(call.caller, call.caller.key.organization)));
  return ListReply(call.request, call.query, std::move(results), 1);
}

Reply CreateOrganization(const Call& call) {
  const json::object body = ReadBody(call.request, kOrganizationFields);
  const auto made = call.parts.access.CreateOrganization(call.caller, StringOf(body, "name"));
  json::object answer = RenderOrganization(made.organization);
  answer["key"] = RenderNewKey(made.key);
  return {201, Shape::kObject, std::move(answer)};
}

Reply GetOrganization(const Call& call) {
  const std::string& text = call.path.Get("orgId");
  const auto id = OrganizationId::Parse(text);
  if (!id) {
    throw service::Refusal(service::Reason::kOrganizationNotFound,
                           ErrorCode::kNotFound,
                           "finding organization " + text + ": there is none",
                           {text});
  }
  return {200,
          Shape::kObject,
          RenderOrganization(call.parts.access.FindOrganization(call.caller, *id))};
}

}  // namespace

std::span<const Route> OwnOrganizationRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "/orgs", kOwn, kAnyKey, "listOrganizations", ListOrganizations},
      Route{kPost, "/orgs", kOwn, kOrganizationOwner, "createOrganization", CreateOrganization},
      Route{kGet, "/orgs/{orgId}", kOwn, kAnyKey, "getOrganization", GetOrganization},
  };
  return kRoutes;
}

}  // namespace tidemark::api
