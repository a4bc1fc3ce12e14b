// The schedule of cloud backups, contract.md 7.4: a view of the one schedule that the legacy family
// and our own API show, too.
#include <algorithm>
#include <array>

#include "api/internal/auto_export.h"
#include "api/internal/failure.h"
#include "api/internal/policy_items.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using domain::PolicyItem;
using enum FieldUse;

// contract.md 4.
constexpr std::string_view kNewVersion = "2024-08-05";
constexpr std::array kScheduleVersions{
    Version{"2023-01-01", "Mon, 5 Aug 2024 00:00:00 GMT", "Thu, 1 Jul 2027 00:00:00 GMT"},
    Version{kNewVersion}};

constexpr int kMinutesOfHour = 60;
constexpr int kHoursOfDay = 24;
constexpr std::int64_t kMaxWindowDays = 366;
constexpr std::size_t kMaxItems = 16;
constexpr std::int64_t kMaxNumber = 1'000'000;  // more than any rule allows, and no overflow

constexpr std::array kFields{
    Field{"autoCopySettingsEnabled", FieldType::kBoolean, kOptional},
    kAutoExportField,
    Field{"clusterId", FieldType::kAny, kReadOnly},
    Field{"clusterName", FieldType::kAny, kReadOnly},
    Field{"copyPolicyItemsEnabled", FieldType::kBoolean, kOptional},
    Field{"copySettings", FieldType::kArray, kOptional},
    Field{"deleteCopiedBackups", FieldType::kArray, kOptional},
    Field{"deleteCopySnapshots", FieldType::kBoolean, kOptional},
    Field{"deleteSnapshots", FieldType::kBoolean, kOptional},
    kExportField,
    Field{"extraRetentionSettings", FieldType::kArray, kOptional},
    Field{"links", FieldType::kAny, kReadOnly},
    Field{"nextSnapshot", FieldType::kAny, kReadOnly},
    Field{"policies", FieldType::kArray, kOptional},
    Field{"referenceHourOfDay", FieldType::kAny, kOptional},
    Field{"referenceMinuteOfHour", FieldType::kAny, kOptional},
    Field{"restoreWindowDays", FieldType::kAny, kOptional},
    Field{"updateCopySnapshots", FieldType::kBoolean, kOptional},
    Field{"updateSnapshots", FieldType::kBoolean, kOptional},
    kExportNamesField,
};

constexpr std::array kPolicyFields{
    Field{"id", FieldType::kString, kOptional},
    Field{"policyItems", FieldType::kArray, kRequired},
};

constexpr std::array kExtraFields{
    Field{"frequencyType", FieldType::kString, kRequired},
    Field{"retentionDays", FieldType::kAny, kRequired},
};

// Here, and nowhere else, frequencies are in capitals.
struct ExtraName {
  std::string_view name;
  std::optional<domain::Frequency> frequency;
};

constexpr std::array kExtraNames{ExtraName{"HOURLY", domain::Frequency::kHourly},
                                 ExtraName{"DAILY", domain::Frequency::kDaily},
                                 ExtraName{"WEEKLY", domain::Frequency::kWeekly},
                                 ExtraName{"MONTHLY", domain::Frequency::kMonthly},
                                 ExtraName{"YEARLY", domain::Frequency::kYearly},
                                 ExtraName{"ON_DEMAND", std::nullopt}};

// Whole days only: no more than what the schedule asks for.
int WindowDays(const domain::Schedule& schedule) {
  return schedule.point_in_time_hours / kHoursOfDay;
}

json::array RenderExtra(const std::vector<domain::ExtraRetention>& extra) {
  json::array settings;
  for (const domain::ExtraRetention& one : extra) {
    const auto* row = std::ranges::find(kExtraNames, one.frequency, &ExtraName::frequency);
    settings.push_back(json::object{{"frequencyType", row->name}, {"retentionDays", one.days}});
  }
  return settings;
}

json::array RenderLinks(const Call& call, const domain::Cluster& cluster) {
  json::array links =
      SelfLink(HrefOf(call, ClusterPath(cluster.project, cluster.name) + "/backup/schedule"));
  links.push_back(json::object{{"href", HrefOf(call, "/groups/" + cluster.project.ToString())},
                               {"rel", "https://cloud.mongodb.com/group"}});
  return links;
}

// The same in both versions, as recorded: they differ in copySettings, and there are none.
json::object RenderSchedule(const Call& call,
                            const domain::Cluster& cluster,
                            const domain::Schedule& schedule) {
  json::array items;
  for (const PolicyItem& item : schedule.items) {
    items.push_back(RenderItem(
        item.id, domain::FrequencyName(item.frequency), item.interval, item.unit, item.retention));
  }
  json::object body;
  AddAutoExport(body, schedule);
  body["clusterId"] = cluster.id.ToString();
  body["clusterName"] = cluster.name;
  body["copyPolicyItemsEnabled"] = false;
  body["copySettings"] = json::array();
  if (!schedule.extra.empty()) {
    body["extraRetentionSettings"] = RenderExtra(schedule.extra);
  }
  body["links"] = RenderLinks(call, cluster);
  if (schedule.enabled && schedule.run.next_due) {
    body["nextSnapshot"] = FormatInstant(*schedule.run.next_due);
  }
  body["policies"] = json::array{
      json::object{{"id", schedule.policy.ToString()}, {"policyItems", std::move(items)}}};
  body["referenceHourOfDay"] = schedule.reference_minute / kMinutesOfHour;
  body["referenceMinuteOfHour"] = schedule.reference_minute % kMinutesOfHour;
  if (WindowDays(schedule) > 0) {
    body["restoreWindowDays"] = WindowDays(schedule);
  }
  return body;
}

struct PolicyRequest {
  std::string id;  // empty: none
  std::vector<ItemRequest> items;
};

// What a PATCH asks for; absent members change nothing.
struct ScheduleChange {
  std::optional<PolicyRequest> policy;
  std::optional<int> hour;
  std::optional<int> minute;
  std::optional<int> window_days;
  std::optional<std::vector<domain::ExtraRetention>> extra;
  AutoExportChange auto_export;
  service::ExistingSnapshots existing = service::ExistingSnapshots::kStay;
};

[[noreturn]] void RefuseNumber(std::string_view code, std::string_view text) {
  throw Refused(400, code, text);
}

std::optional<int> NumberIn(const Call& call,
                            const json::object& body,
                            std::string_view name,
                            std::int64_t least,
                            std::int64_t most,
                            std::string_view code) {
  const auto number = IntegerOf(call, body, name);
  if (number && (*number < least || *number > most)) {
    RefuseNumber(code,
                 std::string(name) + " has to be from " + std::to_string(least) + " to " +
                     std::to_string(most) + ".");
  }
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

PolicyRequest ReadPolicy(const Call& call, const json::array& policies) {
  if (policies.size() != 1) {
    throw Refused(400, "INVALID_NUM_OF_POLICIES", "A backup schedule has exactly one policy.");
  }
  if (!policies.front().is_object()) {
    throw InvalidJsonAttribute("policies", "an array of objects");
  }
  const json::object policy = CheckFields(policies.front().get_object(), kPolicyFields);
  PolicyRequest request{.id = StringOf(policy, "id")};
  const json::array& items = policy.at("policyItems").get_array();
  if (items.size() > kMaxItems) {
    throw Refused(400,
                  "INVALID_NUM_OF_POLICY_ITEMS",
                  "A backup policy has from 1 to " + std::to_string(kMaxItems) + " items.");
  }
  for (const json::value& item : items) {
    request.items.push_back(ReadItem(call, "policyItems", item));
    if (!request.items.back().frequency) {
      RefuseBackupPolicy("an on-demand item has no place in a schedule");
    }
  }
  return request;
}

std::vector<domain::ExtraRetention> ReadExtra(const Call& call, const json::array& settings) {
  std::vector<domain::ExtraRetention> extra;
  for (const json::value& value : settings) {
    if (!value.is_object()) {
      throw InvalidJsonAttribute("extraRetentionSettings", "an array of objects");
    }
    const json::object setting = CheckFields(value.get_object(), kExtraFields);
    const std::string type = StringOf(setting, "frequencyType");
    const auto* row = std::ranges::find(kExtraNames, type, &ExtraName::name);
    if (row == kExtraNames.end()) {
      throw Refused(
          400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {type});
    }
    const auto days = IntegerOf(call, setting, "retentionDays").value_or(0);
    if (days < 0 || days > kMaxNumber) {
      RefuseBackupPolicy("retentionDays is out of range");
    }
    extra.push_back({.frequency = row->frequency, .days = static_cast<int>(days)});
  }
  return extra;
}

// What this server does not do is not silently dropped.
void RefuseUnserved(const Call& call, const json::object& body) {
  if (body.contains("autoCopySettingsEnabled") && call.version != kNewVersion) {
    throw InvalidAttribute("autoCopySettingsEnabled");
  }
  const auto has_entries = [&](std::string_view name) {
    const json::value* value = body.if_contains(name);
    return value != nullptr && !value->get_array().empty();
  };
  if (has_entries("copySettings") || has_entries("deleteCopiedBackups") ||
      FlagOf(body, "copyPolicyItemsEnabled") || FlagOf(body, "autoCopySettingsEnabled")) {
    RefuseBackupPolicy("this server keeps no copies of snapshots in other regions");
  }
  if (FlagOf(body, "deleteSnapshots")) {
    RefuseBackupPolicy("a change of the schedule deletes no snapshots; delete them one by one");
  }
}

ScheduleChange ReadChange(const Call& call) {
  const json::object body = ReadBody(call.request, kFields);
  RefuseUnserved(call, body);
  ScheduleChange change;
  change.hour = NumberIn(
      call, body, "referenceHourOfDay", 0, kHoursOfDay - 1, "INVALID_REFERENCE_HOUR_OF_DAY");
  change.minute = NumberIn(call,
                           body,
                           "referenceMinuteOfHour",
                           0,
                           kMinutesOfHour - 1,
                           "INVALID_REFERENCE_MINUTE_OF_HOUR");
  change.window_days =
      NumberIn(call, body, "restoreWindowDays", 1, kMaxWindowDays, "INVALID_RESTORE_WINDOW");
  if (const json::value* policies = body.if_contains("policies")) {
    change.policy = ReadPolicy(call, policies->get_array());
  }
  if (const json::value* extra = body.if_contains("extraRetentionSettings")) {
    change.extra = ReadExtra(call, extra->get_array());
  }
  change.auto_export = ReadAutoExport(body);
  if (FlagOf(body, "updateSnapshots")) {
    change.existing = service::ExistingSnapshots::kFollow;
  }
  return change;
}

[[noreturn]] void RefuseItemId(const std::string& id) {
  throw Refused(400, "INVALID_POLICY_ITEM_ID", "The backup policy has no item with ID {0}.", {id});
}

// The stored item that a request names.
const PolicyItem& NamedItem(const std::vector<PolicyItem>& items, const ItemRequest& request) {
  const auto id = domain::PolicyItemId::Parse(request.id);
  const auto found = id ? std::ranges::find(items, *id, &PolicyItem::id) : items.end();
  if (found == items.end()) {
    RefuseItemId(request.id);
  }
  if (found->frequency != request.frequency) {
    throw Refused(400,
                  "INVALID_FREQUENCY_TYPE_CHANGE",
                  "The frequency type of a policy item cannot be changed.");
  }
  return *found;
}

// An item without an id is a new one, an item that is not named is removed.
std::vector<PolicyItem> ApplyItems(const Call& call,
                                   const std::vector<ItemRequest>& requests,
                                   const std::vector<PolicyItem>& before) {
  std::vector<PolicyItem> items;
  for (const ItemRequest& request : requests) {
    TIDEMARK_CHECK(request.frequency.has_value());  // ReadPolicy has seen to that
    PolicyItem item{.frequency = *request.frequency,
                    .interval = request.interval,
                    .unit = request.unit,
                    .retention = request.retention};
    item.id = request.id.empty()
                  ? domain::PolicyItemId::Generate(call.parts.clock.Now(), call.parts.random)
                  : NamedItem(before, request).id;
    if (std::ranges::find(items, item.id, &PolicyItem::id) != items.end()) {
      RefuseItemId(request.id);
    }
    items.push_back(item);
  }
  return items;
}

void ApplyPolicy(const Call& call, const PolicyRequest& request, domain::Schedule& schedule) {
  if (!request.id.empty() && request.id != schedule.policy.ToString()) {
    throw Refused(
        400, "INVALID_POLICY_ID", "The backup schedule has no policy with ID {0}.", {request.id});
  }
  // What a deleted schedule shows may be sent back; to delete one there is DELETE.
  if (request.items.empty() && !schedule.items.empty()) {
    throw Refused(400, "INVALID_NUM_OF_POLICY_ITEMS", "A backup policy has at least one item.");
  }
  schedule.items = ApplyItems(call, request.items, schedule.items);
}

void Apply(const Call& call, const ScheduleChange& change, domain::Schedule& schedule) {
  if (change.policy) {
    ApplyPolicy(call, *change.policy, schedule);
  }
  const int hour = change.hour.value_or(schedule.reference_minute / kMinutesOfHour);
  const int minute = change.minute.value_or(schedule.reference_minute % kMinutesOfHour);
  schedule.reference_minute = hour * kMinutesOfHour + minute;
  // The own API has hours: the days that were shown for them are no wish to round them.
  if (change.window_days && *change.window_days != WindowDays(schedule)) {
    schedule.point_in_time_hours = *change.window_days * kHoursOfDay;
  }
  schedule.extra = change.extra.value_or(schedule.extra);
  std::string problem = ApplyAutoExport(change.auto_export, schedule);
  if (problem.empty()) {
    problem = domain::ScheduleProblem(schedule);
  }
  if (!problem.empty()) {
    RefuseBackupPolicy(problem);
  }
}

Reply GetCloudSchedule(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  return {200, Shape::kObject, RenderSchedule(call, cluster, call.parts.schedules.Find(cluster))};
}

Reply UpdateCloudSchedule(const Call& call) {
  const ScheduleChange change = ReadChange(call);
  const domain::Cluster cluster = FindCloudCluster(call);
  const domain::Schedule schedule = call.parts.schedules.Change(
      cluster, [&](domain::Schedule& edited) { Apply(call, change, edited); }, change.existing);
  return {200, Shape::kObject, RenderSchedule(call, cluster, schedule)};
}

Reply DeleteCloudSchedule(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  return {200, Shape::kObject, RenderSchedule(call, cluster, call.parts.schedules.Delete(cluster))};
}

}  // namespace

std::span<const Route> CloudScheduleRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  constexpr std::string_view kPath = "/groups/{groupId}/clusters/{clusterName}/backup/schedule";
  static constexpr std::array kRoutes{
      Route{kGet,
            kPath,
            kAtlas,
            kProjectRead,
            "getGroupClusterBackupSchedule",
            GetCloudSchedule,
            kScheduleVersions},
      Route{kPatch,
            kPath,
            kAtlas,
            kProjectOwner,
            "updateGroupClusterBackupSchedule",
            UpdateCloudSchedule,
            kScheduleVersions},
      Route{kDelete,
            kPath,
            kAtlas,
            kProjectOwner,
            "deleteGroupClusterBackupSchedule",
            DeleteCloudSchedule,
            kScheduleVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
