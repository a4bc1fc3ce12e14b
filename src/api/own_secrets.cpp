// Secrets of service accounts.
#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_keys.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::array kSecretFields{
    Field{"secretExpiresAfterHours", FieldType::kAny, FieldUse::kOptional}};

json::object RenderSecret(const domain::ClientSecret& secret) {
  json::object body;
  body["id"] = secret.id.ToString();
  AddText(body, "ending", secret.ending);
  body["created"] = FormatInstant(secret.created);
  AddInstant(body, "expires", secret.expires);
  return body;
}

ClientSecretId SecretIdOf(const Call& call) {
  const std::string& text = call.path.Get("secretId");
  const auto id = ClientSecretId::Parse(text);
  if (!id) {
    throw service::Refusal(service::Reason::kSecretNotFound,
                           ErrorCode::kNotFound,
                           "finding secret " + text + ": there is none",
                           {text});
  }
  return *id;
}

Reply ListSecrets(const Call& call) {
  json::array results;
  for (const domain::ClientSecret& secret :
       call.parts.access.ListClientSecrets(call.caller, KeyIdOf(call))) {
    results.push_back(RenderSecret(secret));
  }
  const auto total = static_cast<std::int64_t>(results.size());
  return ListReply(call.request, call.query, std::move(results), total);
}

Reply CreateSecret(const Call& call) {
  const KeyId id = KeyIdOf(call);
  const json::object body = ReadBody(call.request, kSecretFields);
  const auto made = call.parts.access.AddClientSecret(call.caller, id, SecretLifeOf(call, body));
  json::object answer = RenderSecret(made.secret);
  answer["clientSecret"] = made.value.Reveal();
  return {201, Shape::kObject, std::move(answer)};
}

Reply DeleteSecret(const Call& call) {
  const KeyId id = KeyIdOf(call);
  call.parts.access.DeleteClientSecret(call.caller, id, SecretIdOf(call));
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> OwnSecretRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "/keys/{keyId}/secrets", kOwn, kOrganizationOwner, "listSecrets", ListSecrets},
      Route{kPost, "/keys/{keyId}/secrets", kOwn, kOrganizationOwner, "createSecret", CreateSecret},
      Route{kDelete,
            "/keys/{keyId}/secrets/{secretId}",
            kOwn,
            kOrganizationOwner,
            "deleteSecret",
            DeleteSecret},
  };
  return kRoutes;
}

}  // namespace tidemark::api
