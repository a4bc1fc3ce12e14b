#include <array>

#include "api/internal/auto_export.h"
#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kScheduleFields{
    Field{"enabled", FieldType::kBoolean, kOptional},
    Field{"referenceHourOfDay", FieldType::kAny, kOptional},
    Field{"referenceMinuteOfHour", FieldType::kAny, kOptional},
    Field{"keepLast", FieldType::kAny, kOptional},
    Field{"pointInTimeWindowHours", FieldType::kAny, kOptional},
    Field{"verifyIntervalDays", FieldType::kAny, kOptional},
    Field{"items", FieldType::kArray, kOptional},
    kAutoExportField,
    kExportField,
    kExportNamesField,
};

constexpr std::array kItemFields{
    Field{"frequencyType", FieldType::kString, kRequired},
    Field{"frequencyInterval", FieldType::kAny, kRequired},
    Field{"retentionUnit", FieldType::kString, kRequired},
    Field{"retentionValue", FieldType::kAny, kRequired},
};

constexpr int kMinutesOfHour = 60;
constexpr int kLastHour = 23;
constexpr int kLastMinute = 59;
constexpr int kMaxNumber = 1'000'000;  // more than any rule allows, and no overflow

json::object RenderItem(const domain::PolicyItem& item) {
  return {{"frequencyType", domain::FrequencyName(item.frequency)},
          {"frequencyInterval", item.interval},
          {"retentionUnit", domain::RetentionUnitName(item.unit)},
          {"retentionValue", item.retention}};
}

json::object RenderLast(const domain::ScheduleRun& run, const domain::Snapshot& snapshot) {
  json::object body;
  body["snapshotId"] = snapshot.id.ToString();
  AddInstant(body, "due", run.due);
  body["attempt"] = run.attempt;
  body["state"] = domain::SnapshotStateName(snapshot.state);
  AddInstant(body, "finished", snapshot.finished);
  AddText(body, "failure", snapshot.failure);
  AddInstant(body, "retryAt", run.retry_at);
  return body;
}

json::object RenderVerification(const domain::Verification& verification) {
  json::object body;
  body["snapshotId"] = verification.snapshot.ToString();
  body["finished"] = FormatInstant(verification.finished);
  body["milliseconds"] = verification.took.count();
  body["intact"] = verification.failure.empty();
  AddText(body, "failure", verification.failure);
  return body;
}

json::object RenderSchedule(const Call& call,
                            const domain::Cluster& cluster,
                            const domain::Schedule& schedule) {
  const domain::ScheduleRun& run = schedule.run;
  json::array items;
  for (const domain::PolicyItem& item : schedule.items) {
    items.push_back(RenderItem(item));
  }
  json::object body;
  body["clusterId"] = cluster.id.ToString();
  body["clusterName"] = cluster.name;
  body["active"] = call.parts.schedules.schedules() == service::Schedules::kOn;
  body["enabled"] = schedule.enabled;
  body["referenceHourOfDay"] = schedule.reference_minute / kMinutesOfHour;
  body["referenceMinuteOfHour"] = schedule.reference_minute % kMinutesOfHour;
  body["keepLast"] = schedule.keep_last;
  body["pointInTimeWindowHours"] = schedule.point_in_time_hours;
  body["items"] = std::move(items);
  AddAutoExport(body, schedule);
  AddInstant(body, "nextDue", run.next_due);
  if (const auto last = call.parts.schedules.FindLast(schedule)) {
    body["last"] = RenderLast(run, *last);
  }
  body["missed"] = run.missed;
  AddInstant(body, "lastMissed", run.last_missed);
  AddText(body, "missedReason", run.missed_reason);
  body["verifyIntervalDays"] = schedule.verify_days;
  if (schedule.verified) {
    body["lastVerified"] = RenderVerification(*schedule.verified);
  }
  return body;
}

std::optional<int> NumberIn(const Call& call,
                            const json::object& body,
                            std::string_view name,
                            int most = kMaxNumber) {
  const auto number = IntegerOf(call, body, name);
  if (number && (*number < 0 || *number > most)) {
    throw InvalidValue(name, "must be from 0 to " + std::to_string(most));
  }
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

domain::PolicyItem ReadItem(const Call& call, const json::value& value) {
  if (!value.is_object()) {
    throw InvalidJsonAttribute("items", "an array of objects");
  }
  const json::object item = CheckFields(value.get_object(), kItemFields);
  const auto frequency = domain::ParseFrequency(StringOf(item, "frequencyType"));
  if (!frequency) {
    throw InvalidValue("frequencyType", "must be hourly, daily, weekly, monthly or yearly");
  }
  const auto unit = domain::ParseRetentionUnit(StringOf(item, "retentionUnit"));
  if (!unit) {
    throw InvalidValue("retentionUnit", "must be days, weeks, months or years");
  }
  return {*frequency,
          NumberIn(call, item, "frequencyInterval").value_or(0),
          *unit,
          NumberIn(call, item, "retentionValue").value_or(0)};
}

// What a PATCH asks for; absent members change nothing.
struct ScheduleChange {
  std::optional<bool> enabled;
  std::optional<int> hour;
  std::optional<int> minute;
  std::optional<int> keep_last;
  std::optional<int> window_hours;
  std::optional<int> verify_days;
  std::optional<std::vector<domain::PolicyItem>> items;
  AutoExportChange auto_export;
};

ScheduleChange ReadChange(const Call& call) {
  const json::object body = ReadBody(call.request, kScheduleFields);
  ScheduleChange change;
  if (body.contains("enabled")) {
    change.enabled = FlagOf(body, "enabled");
  }
  change.hour = NumberIn(call, body, "referenceHourOfDay", kLastHour);
  change.minute = NumberIn(call, body, "referenceMinuteOfHour", kLastMinute);
  change.keep_last = NumberIn(call, body, "keepLast");
  change.window_hours = NumberIn(call, body, "pointInTimeWindowHours");
  change.verify_days = NumberIn(call, body, "verifyIntervalDays");
  change.auto_export = ReadAutoExport(body);
  if (const json::value* items = body.if_contains("items")) {
    change.items.emplace();
    for (const json::value& item : items->get_array()) {
      change.items->push_back(ReadItem(call, item));
    }
  }
  return change;
}

void Apply(const ScheduleChange& change, domain::Schedule& schedule) {
  schedule.enabled = change.enabled.value_or(schedule.enabled);
  const int hour = change.hour.value_or(schedule.reference_minute / kMinutesOfHour);
  const int minute = change.minute.value_or(schedule.reference_minute % kMinutesOfHour);
  schedule.reference_minute = hour * kMinutesOfHour + minute;
  schedule.keep_last = change.keep_last.value_or(schedule.keep_last);
  schedule.point_in_time_hours = change.window_hours.value_or(schedule.point_in_time_hours);
  schedule.verify_days = change.verify_days.value_or(schedule.verify_days);
  schedule.items = change.items.value_or(schedule.items);
  const std::string problem = ApplyAutoExport(change.auto_export, schedule);
  if (!problem.empty()) {
    throw InvalidValue("export", problem);
  }
}

Reply GetSchedule(const Call& call) {
  const domain::Cluster cluster = FindOwnCluster(call);
  return {200, Shape::kObject, RenderSchedule(call, cluster, call.parts.schedules.Find(cluster))};
}

Reply UpdateSchedule(const Call& call) {
  const ScheduleChange change = ReadChange(call);
  const domain::Cluster cluster = FindCluster(call);
  const domain::Schedule schedule = call.parts.schedules.Change(
      cluster, [&](domain::Schedule& edited) { Apply(change, edited); });
  return {200, Shape::kObject, RenderSchedule(call, cluster, schedule)};
}

}  // namespace

std::span<const Route> OwnScheduleRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/schedule",
            kOwn,
            kProjectRead,
            "getSchedule",
            GetSchedule},
      Route{kPatch,
            "/projects/{groupId}/clusters/{clusterName}/schedule",
            kOwn,
            kProjectOwner,
            "updateSchedule",
            UpdateSchedule},
  };
  return kRoutes;
}

}  // namespace tidemark::api
