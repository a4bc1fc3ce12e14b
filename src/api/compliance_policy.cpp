// Backup compliance policies: what a project promises about its backups and cannot take back.
#include <array>

#include "api/internal/failure.h"
#include "api/internal/policy_items.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"
#include "service/compliance_service.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// The older version does not name the person.
constexpr std::string_view kNamingVersion = "2023-10-01";
constexpr std::array kPolicyVersions{Version{"2023-01-01", "Sun, 1 Oct 2023 00:00:00 GMT"},
                                     Version{kNamingVersion}};
constexpr std::array kDisableVersions{Version{"2024-11-13"}};

constexpr std::string_view kOnDemand = "ondemand";
constexpr std::int64_t kMaxWindowDays = 366;

constexpr std::array kFields{
    Field{"authorizedEmail", FieldType::kString, kRequired},
    Field{"authorizedUserFirstName", FieldType::kString, kOptional},
    Field{"authorizedUserLastName", FieldType::kString, kOptional},
    Field{"copyProtectionEnabled", FieldType::kBoolean, kOptional},
    Field{"deletable", FieldType::kBoolean, kOptional},
    Field{"encryptionAtRestEnabled", FieldType::kBoolean, kOptional},
    Field{"onDemandPolicyItem", FieldType::kAny, kOptional},
    Field{"pitEnabled", FieldType::kBoolean, kOptional},
    Field{"projectId", FieldType::kString, kOptional},
    Field{"restoreWindowDays", FieldType::kAny, kOptional},
    Field{"scheduledPolicyItems", FieldType::kArray, kOptional},
    Field{"state", FieldType::kAny, kReadOnly},
    Field{"updatedDate", FieldType::kAny, kReadOnly},
    Field{"updatedUser", FieldType::kAny, kReadOnly},
};

json::object RenderPolicy(const Call& call, const domain::CompliancePolicy& policy) {
  json::object body;
  body["authorizedEmail"] = policy.email;
  if (call.version == kNamingVersion) {
    body["authorizedUserFirstName"] = policy.first_name;
    body["authorizedUserLastName"] = policy.last_name;
  }
  body["copyProtectionEnabled"] = false;
  body["encryptionAtRestEnabled"] = false;
  body["pitEnabled"] = false;
  body["projectId"] = policy.project.ToString();
  if (policy.window_days > 0) {
    body["restoreWindowDays"] = policy.window_days;
  }
  json::array items;
  for (const domain::ComplianceItem& item : policy.items) {
    const std::string_view frequency =
        item.frequency ? domain::FrequencyName(*item.frequency) : kOnDemand;
    json::object rendered =
        RenderItem(item.id, frequency, item.interval, item.unit, item.retention);
    if (item.frequency) {
      items.push_back(std::move(rendered));
    } else {
      body["onDemandPolicyItem"] = std::move(rendered);
    }
  }
  body["scheduledPolicyItems"] = std::move(items);
  body["state"] = "ACTIVE";
  body["updatedDate"] = FormatInstant(policy.updated);
  body["updatedUser"] = policy.updated_by;
  return body;
}

// What this server cannot promise is not accepted as a promise.
void RefuseUnserved(const json::object& body) {
  if (FlagOf(body, "copyProtectionEnabled")) {
    RefuseBackupPolicy("this server keeps no copies of snapshots in other regions to protect");
  }
  if (FlagOf(body, "deletable")) {
    RefuseBackupPolicy("nobody can disable a compliance policy of this server");
  }
  if (FlagOf(body, "pitEnabled")) {
    RefuseBackupPolicy("this server cannot promise point-in-time restores");
  }
  if (FlagOf(body, "encryptionAtRestEnabled")) {
    RefuseBackupPolicy(
        "this server encrypts what it stores, but cannot promise it of the clusters themselves");
  }
}

// An id in a request names the item that is to stay; it is looked for in what is stored.
domain::ComplianceItem ToItem(const ItemRequest& request) {
  domain::ComplianceItem item{.frequency = request.frequency,
                              .interval = request.frequency ? request.interval : 0,
                              .unit = request.unit,
                              .retention = request.retention};
  if (!request.id.empty()) {
    const auto id = domain::PolicyItemId::Parse(request.id);
    if (!id) {
      throw Refused(400,
                    "INVALID_POLICY_ITEM_ID",
                    "The backup policy has no item with ID {0}.",
                    {request.id});
    }
    item.id = *id;
  }
  return item;
}

void ReadItems(const Call& call, const json::object& body, domain::CompliancePolicy& policy) {
  if (const json::value* items = body.if_contains("scheduledPolicyItems")) {
    for (const json::value& value : items->get_array()) {
      policy.items.push_back(ToItem(ReadItem(call, "scheduledPolicyItems", value)));
      if (!policy.items.back().frequency) {
        RefuseBackupPolicy("an on-demand item has no place in scheduledPolicyItems");
      }
    }
  }
  if (const json::value* item = body.if_contains("onDemandPolicyItem")) {
    policy.items.push_back(ToItem(ReadItem(call, "onDemandPolicyItem", *item)));
    if (policy.items.back().frequency) {
      RefuseBackupPolicy("the frequencyType of onDemandPolicyItem is ondemand");
    }
  }
}

// The older version cannot say who answers for the policy: it changes nothing about that.
void KeepPerson(const Call& call, domain::CompliancePolicy& policy) {
  if (const auto before = service::ComplianceService(call.parts.schedules).Find(policy.project)) {
    policy.first_name = before->first_name;
    policy.last_name = before->last_name;
  }
}

domain::CompliancePolicy ReadPolicy(const Call& call) {
  const json::object body = ReadBody(call.request, kFields);
  const bool naming = call.version == kNamingVersion;
  for (const std::string_view name : {"authorizedUserFirstName", "authorizedUserLastName"}) {
    if (naming && !body.contains(name)) {
      throw MissingAttribute(name);
    }
    if (!naming && body.contains(name)) {
      throw InvalidAttribute(name);
    }
  }
  RefuseUnserved(body);
  domain::CompliancePolicy policy;
  policy.project = ProjectOf(call).id;
  if (body.contains("projectId") && StringOf(body, "projectId") != policy.project.ToString()) {
    throw InvalidAttribute("projectId");
  }
  policy.email = StringOf(body, "authorizedEmail");
  policy.first_name = StringOf(body, "authorizedUserFirstName");
  policy.last_name = StringOf(body, "authorizedUserLastName");
  if (!naming) {
    KeepPerson(call, policy);
  }
  const std::int64_t window = IntegerOf(call, body, "restoreWindowDays").value_or(0);
  if (window < 0 || window > kMaxWindowDays) {
    throw Refused(400, "INVALID_RESTORE_WINDOW", "restoreWindowDays has to be from 1 to 366.");
  }
  policy.window_days = static_cast<int>(window);
  ReadItems(call, body, policy);
  const std::string problem = domain::ComplianceProblem(policy);
  if (!problem.empty()) {
    RefuseBackupPolicy(problem);
  }
  return policy;
}

Reply GetPolicy(const Call& call) {
  const auto policy = service::ComplianceService(call.parts.schedules).Find(ProjectOf(call).id);
  return {200, Shape::kObject, policy ? RenderPolicy(call, *policy) : json::object()};
}

Reply UpdatePolicy(const Call& call) {
  const bool overwrite =
      ParseChoice(call.request.query, "overwriteBackupPolicies", {"true", "false"}) == "true";
  const domain::CompliancePolicy policy =
      service::ComplianceService(call.parts.schedules)
          .Put(call.caller,
               ReadPolicy(call),
               overwrite ? service::WeakSchedules::kRaise : service::WeakSchedules::kRefuse);
  return {200, Shape::kObject, RenderPolicy(call, policy)};
}

Reply DisablePolicy(const Call& call) {
  service::ComplianceService(call.parts.schedules).Disable(ProjectOf(call).id);
  return {204, Shape::kNone, {}};
}

}  // namespace

std::span<const Route> CompliancePolicyRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  constexpr std::string_view kPath = "/groups/{groupId}/backupCompliancePolicy";
  static constexpr std::array kRoutes{
      Route{kGet,
            kPath,
            kAtlas,
            kProjectOwner,
            "getDataProtectionSettings",
            GetPolicy,
            kPolicyVersions},
      Route{kPut,
            kPath,
            kAtlas,
            kProjectOwner,
            "updateDataProtectionSettings",
            UpdatePolicy,
            kPolicyVersions},
      Route{kDelete,
            kPath,
            kV2Only,
            kProjectOwner,
            "disableDataProtectionSettings",
            DisablePolicy,
            kDisableVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
