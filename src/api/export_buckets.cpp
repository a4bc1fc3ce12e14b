// Export buckets of the Atlas families. A bucket stands for an export target of its name
// (own_export_targets.cpp), whichever provider a client says it is of.
#include <array>
#include <cctype>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kBucketVersions{
    Version{"2023-01-01", "Thu, 30 May 2024 00:00:00 GMT", "Thu, 1 Jul 2027 00:00:00 GMT"},
    Version{"2024-05-30"}};
constexpr std::array kUpdateVersions{Version{"2024-05-30"}};

constexpr std::array kAwsFields{
    Field{"cloudProvider", FieldType::kString, kRequired},
    Field{"bucketName", FieldType::kString, kRequired},
    Field{"iamRoleId", FieldType::kObjectId, kRequired},
    Field{"requirePrivateNetworking", FieldType::kBoolean, kOptional},
    Field{"_id", FieldType::kAny, kReadOnly},
    Field{"region", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
};

constexpr std::array kAzureFields{
    Field{"cloudProvider", FieldType::kString, kRequired},
    Field{"roleId", FieldType::kObjectId, kRequired},
    Field{"serviceUrl", FieldType::kString, kRequired},
    Field{"bucketName", FieldType::kString, kOptional},
    Field{"tenantId", FieldType::kString, kOptional},
    Field{"_id", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
};

constexpr std::array kGcpFields{
    Field{"cloudProvider", FieldType::kString, kRequired},
    Field{"bucketName", FieldType::kString, kRequired},
    Field{"roleId", FieldType::kObjectId, kRequired},
    Field{"_id", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
};

constexpr std::array kUpdateFields{
    Field{"requirePrivateNetworking", FieldType::kBoolean, kRequired}};

constexpr std::string_view kFirst = "2023-01-01";
constexpr std::string_view kNoTenant = "00000000-0000-0000-0000-000000000000";
constexpr std::size_t kMinServiceUrl = 33;  // characters, as openapi.json says
constexpr std::size_t kMaxServiceUrl = 2048;

std::string_view ProviderName(domain::ExportProvider provider) {
  switch (provider) {
    case domain::ExportProvider::kAws:
      return "AWS";
    case domain::ExportProvider::kAzure:
      return "AZURE";
    case domain::ExportProvider::kGcp:
      return "GCP";
  }
  CheckFailed("every provider has a name", __FILE__, __LINE__);
}

// DiskBackupSnapshotExportBucketResponse; in the first version every bucket has the members of AWS.
json::object RenderBucket(std::string_view version, const domain::ExportBucket& bucket) {
  json::object body;
  body["_id"] = bucket.id.ToString();
  body["bucketName"] = bucket.bucket;
  body["cloudProvider"] = ProviderName(bucket.provider);
  if (version == kFirst || bucket.provider == domain::ExportProvider::kAws) {
    body["iamRoleId"] = bucket.role;
    body["requirePrivateNetworking"] = bucket.require_private_networking;
    if (!bucket.region.empty()) {
      body["region"] = bucket.region;
    }
    return body;
  }
  body["roleId"] = bucket.role;
  if (bucket.provider == domain::ExportProvider::kAzure) {
    body["serviceUrl"] = bucket.service_url;
    body["tenantId"] = bucket.tenant;
  }
  return body;
}

Reply BucketReply(const Call& call, const domain::ExportBucket& bucket) {
  return {200, Shape::kObject, RenderBucket(call.version, bucket)};
}

bool IsUuid(std::string_view text) {
  if (text.size() != kNoTenant.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kNoTenant[i] == '-' ? c != '-' : std::isxdigit(c) == 0) {
      return false;
    }
  }
  return true;
}

service::ExportBucketRegistration ReadAws(const http::Request& request) {
  const json::object body = ReadBody(request, kAwsFields);
  service::ExportBucketRegistration bucket;
  bucket.bucket = StringOf(body, "bucketName");
  bucket.role = StringOf(body, "iamRoleId");
  bucket.require_private_networking = FlagOf(body, "requirePrivateNetworking");
  return bucket;
}

// Without a name the container is the last part of the service's URL.
service::ExportBucketRegistration ReadAzure(const http::Request& request) {
  const json::object body = ReadBody(request, kAzureFields);
  service::ExportBucketRegistration bucket;
  bucket.provider = domain::ExportProvider::kAzure;
  bucket.bucket = StringOf(body, "bucketName");
  bucket.role = StringOf(body, "roleId");
  bucket.service_url = StringOf(body, "serviceUrl");
  if (bucket.service_url.size() < kMinServiceUrl || bucket.service_url.size() > kMaxServiceUrl) {
    throw InvalidValue("serviceUrl", "has 33 to 2048 characters");
  }
  if (bucket.bucket.empty()) {
    bucket.bucket = bucket.service_url.substr(bucket.service_url.rfind('/') + 1);
  }
  bucket.tenant = StringOf(body, "tenantId");
  if (bucket.tenant.empty()) {
    bucket.tenant = kNoTenant;
  }
  if (!IsUuid(bucket.tenant)) {
    throw InvalidValue("tenantId", "must be a UUID");
  }
  return bucket;
}

service::ExportBucketRegistration ReadGcp(const http::Request& request) {
  const json::object body = ReadBody(request, kGcpFields);
  service::ExportBucketRegistration bucket;
  bucket.provider = domain::ExportProvider::kGcp;
  bucket.bucket = StringOf(body, "bucketName");
  bucket.role = StringOf(body, "roleId");
  return bucket;
}

// The provider, which decides which of the other members there may be.
std::string ProviderOf(const http::Request& request) {
  constexpr std::array kAll{
      Field{"cloudProvider", FieldType::kString, kRequired},
      Field{"bucketName", FieldType::kAny, kReadOnly},
      Field{"iamRoleId", FieldType::kAny, kReadOnly},
      Field{"roleId", FieldType::kAny, kReadOnly},
      Field{"serviceUrl", FieldType::kAny, kReadOnly},
      Field{"tenantId", FieldType::kAny, kReadOnly},
      Field{"requirePrivateNetworking", FieldType::kAny, kReadOnly},
      Field{"_id", FieldType::kAny, kReadOnly},
      Field{"region", FieldType::kAny, kReadOnly},
      Field{"links", FieldType::kAny, kReadOnly},
  };
  return StringOf(ReadBody(request, kAll), "cloudProvider");
}

service::ExportBucketRegistration ReadBucket(const Call& call) {
  const std::string provider = ProviderOf(call.request);
  if (provider == "AWS") {
    return ReadAws(call.request);
  }
  // The first version knows AWS only.
  if (call.version != kFirst && provider == "AZURE") {
    return ReadAzure(call.request);
  }
  if (call.version != kFirst && provider == "GCP") {
    return ReadGcp(call.request);
  }
  throw Refused(
      400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {provider});
}

Reply ListBuckets(const Call& call) {
  const auto listing = call.parts.exports.ListBuckets(ProjectOf(call).id, call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::ExportBucket& bucket) {
    return RenderBucket(call.version, bucket);
  });
}

Reply CreateBucket(const Call& call) {
  return BucketReply(call, call.parts.exports.AddBucket(ProjectOf(call).id, ReadBucket(call)));
}

Reply GetBucket(const Call& call) {
  return BucketReply(
      call, call.parts.exports.FindBucket(ProjectOf(call).id, call.path.Get("exportBucketId")));
}

Reply UpdateBucket(const Call& call) {
  const json::object body = ReadBody(call.request, kUpdateFields);
  const std::string& id = call.path.Get("exportBucketId");
  if (call.parts.exports.FindBucket(ProjectOf(call).id, id).provider !=
      domain::ExportProvider::kAws) {
    throw InvalidAttribute("requirePrivateNetworking");  // only buckets of AWS have it
  }
  return BucketReply(call,
                     call.parts.exports.UpdateBucket(
                         ProjectOf(call).id, id, FlagOf(body, "requirePrivateNetworking")));
}

Reply DeleteBucket(const Call& call) {
  call.parts.exports.RemoveBucket(ProjectOf(call).id, call.path.Get("exportBucketId"));
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> ExportBucketRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/backup/exportBuckets",
            kAtlas,
            kProjectRead,
            "listGroupBackupExportBuckets",
            ListBuckets,
            kBucketVersions},
      Route{kPost,
            "/groups/{groupId}/backup/exportBuckets",
            kAtlas,
            kProjectOwner,
            "createGroupBackupExportBucket",
            CreateBucket,
            kBucketVersions},
      Route{kGet,
            "/groups/{groupId}/backup/exportBuckets/{exportBucketId}",
            kAtlas,
            kProjectRead,
            "getGroupBackupExportBucket",
            GetBucket,
            kBucketVersions},
      Route{kPatch,
            "/groups/{groupId}/backup/exportBuckets/{exportBucketId}",
            kV2Only,
            kProjectOwner,
            "updateGroupBackupExportBucket",
            UpdateBucket,
            kUpdateVersions},
      Route{kDelete,
            "/groups/{groupId}/backup/exportBuckets/{exportBucketId}",
            kAtlas,
            kBackupManage,
            "deleteGroupBackupExportBucket",
            DeleteBucket,
            kFirstVersion},
  };
  return kRoutes;
}

}  // namespace tidemark::api
