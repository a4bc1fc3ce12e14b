// How export buckets are reached: what Atlas knows by a role at the provider.
#include <algorithm>
#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kTargetFields{
    Field{"kind", FieldType::kString, kRequired},
    Field{"bucketName", FieldType::kString, kRequired},
    Field{"endpoint", FieldType::kString, kOptional},
    Field{"region", FieldType::kString, kOptional},
    Field{"accessKeyId", FieldType::kString, kOptional},
    Field{"secretAccessKey", FieldType::kString, kOptional},
};

// Never the secret key.
json::object RenderTarget(const domain::ExportTarget& target) {
  json::object body;
  body["id"] = target.id.ToString();
  body["projectId"] = target.project.ToString();
  body["bucketName"] = target.bucket;
  body["kind"] = target.kind == domain::ExportTargetKind::kS3 ? "s3" : "directory";
  AddText(body, "endpoint", target.endpoint);
  AddText(body, "region", target.region);
  AddText(body, "accessKeyId", target.access_key);
  body["created"] = FormatInstant(target.created);
  return body;
}

Reply ListTargets(const Call& call) {
  const auto targets = call.parts.exports.ListTargets(ProjectOf(call).id);
  return ListReply(
      call.request, call.query, PageOf(std::span(targets), call.query.page), RenderTarget);
}

Reply CreateTarget(const Call& call) {
  const json::object body = ReadBody(call.request, kTargetFields);
  const std::string kind = StringOf(body, "kind");
  if (kind != "s3" && kind != "directory") {
    throw InvalidValue("kind", "must be s3 or directory");
  }
  service::ExportTargetRegistration registration;
  registration.kind =
      kind == "s3" ? domain::ExportTargetKind::kS3 : domain::ExportTargetKind::kDirectory;
  registration.bucket = StringOf(body, "bucketName");
  registration.endpoint = StringOf(body, "endpoint");
  registration.region = StringOf(body, "region");
  registration.access_key = StringOf(body, "accessKeyId");
  registration.secret_key = Secret(StringOf(body, "secretAccessKey"));
  return {201,
          Shape::kObject,
          RenderTarget(call.parts.exports.AddTarget(ProjectOf(call).id, registration))};
}

Reply GetTarget(const Call& call) {
  return {200,
          Shape::kObject,
          RenderTarget(
              call.parts.exports.FindTarget(ProjectOf(call).id, call.path.Get("exportTargetId")))};
}

Reply DeleteTarget(const Call& call) {
  call.parts.exports.RemoveTarget(ProjectOf(call).id, call.path.Get("exportTargetId"));
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> OwnExportTargetRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/exportTargets",
            kOwn,
            kProjectRead,
            "listExportTargets",
            ListTargets},
      Route{kPost,
            "/projects/{groupId}/exportTargets",
            kOwn,
            kProjectOwner,
            "createExportTarget",
            CreateTarget},
      Route{kGet,
            "/projects/{groupId}/exportTargets/{exportTargetId}",
            kOwn,
            kProjectRead,
            "getExportTarget",
            GetTarget},
      Route{kDelete,
            "/projects/{groupId}/exportTargets/{exportTargetId}",
            kOwn,
            kProjectOwner,
            "deleteExportTarget",
            DeleteTarget},
  };
  return kRoutes;
}

}  // namespace tidemark::api
