#include <algorithm>
#include <array>
#include <span>

#include "api/internal/failure.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using domain::Frequency;
using domain::PolicyItem;
using domain::RetentionUnit;
using enum FieldUse;

// The values of ApiAtlasSnapshotScheduleView in openapi.json, ascending.
constexpr std::array<std::int64_t, 4> kIntervalHours{6, 8, 12, 24};
constexpr std::array<std::int64_t, 4> kRetentionDays{2, 3, 4, 5};
constexpr std::array<std::int64_t, 13> kDailyDays{0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360};
constexpr std::array<std::int64_t, 14> kWeeklyWeeks{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52};
constexpr std::array<std::int64_t, 17> kMonthlyMonths{
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36};
constexpr std::array<std::int64_t, 3> kCheckpointMinutes{15, 30, 60};
constexpr std::int64_t kMaxPointInTimeHours = 366L * 24;

constexpr std::string_view kInterval = "snapshotIntervalHours";
constexpr std::string_view kRetention = "snapshotRetentionDays";
constexpr std::string_view kCheckpoint = "clusterCheckpointIntervalMin";
constexpr std::string_view kWindow = "pointInTimeWindowHours";

// A retention of its own: daily, weekly, monthly.
struct Promoted {
  std::string_view member;
  PolicyItem item;  // when the schedule has none of the kind
  std::span<const std::int64_t> allowed;
};

const std::array kPromoted{
    Promoted{
        "dailySnapshotRetentionDays", {Frequency::kDaily, 1, RetentionUnit::kDays}, kDailyDays},
    Promoted{"weeklySnapshotRetentionWeeks",
             {Frequency::kWeekly, 6, RetentionUnit::kWeeks},
             kWeeklyWeeks},
    Promoted{"monthlySnapshotRetentionMonths",
             {Frequency::kMonthly, domain::kLastDayOfMonth, RetentionUnit::kMonths},
             kMonthlyMonths},
};

constexpr std::array kScheduleFields{
    Field{kInterval, FieldType::kAny, kOptional},
    Field{kRetention, FieldType::kAny, kOptional},
    Field{"dailySnapshotRetentionDays", FieldType::kAny, kOptional},
    Field{"weeklySnapshotRetentionWeeks", FieldType::kAny, kOptional},
    Field{"monthlySnapshotRetentionMonths", FieldType::kAny, kOptional},
    Field{kWindow, FieldType::kAny, kOptional},
    Field{kCheckpoint, FieldType::kAny, kOptional},
    Field{"clusterId", FieldType::kString, kOptional},
    Field{"groupId", FieldType::kAny, kReadOnly},
    Field{"links", FieldType::kAny, kReadOnly},
};

PolicyItem* FindItem(std::vector<PolicyItem>& items, Frequency frequency) {
  const auto found = std::ranges::find(items, frequency, &PolicyItem::frequency);
  return found == items.end() ? nullptr : &*found;
}

const PolicyItem* FindItem(const std::vector<PolicyItem>& items, Frequency frequency) {
  const auto found = std::ranges::find(items, frequency, &PolicyItem::frequency);
  return found == items.end() ? nullptr : &*found;
}

// What can be said of `value`: the largest allowed one that is not more, or the smallest of all.
std::int64_t Down(std::int64_t value, std::span<const std::int64_t> allowed) {
  const auto above = std::ranges::upper_bound(allowed, value);
  return above == allowed.begin() ? allowed.front() : *(above - 1);
}

std::int64_t DaysOf(const PolicyItem& item) {
  constexpr std::array<std::int64_t, 4> kShortest{1, 7, 28, 365};  // by RetentionUnit
  return item.retention * kShortest.at(static_cast<std::size_t>(item.unit));
}

std::int64_t InUnit(const PolicyItem& item, RetentionUnit unit) {
  if (item.unit == unit) {
    return item.retention;
  }
  if (unit == RetentionUnit::kMonths && item.unit == RetentionUnit::kYears) {
    return std::int64_t{12} * item.retention;
  }
  const PolicyItem one{.unit = unit, .retention = 1};
  return DaysOf(item) / DaysOf(one);
}

// A schedule in the numbers of this family.
struct Shown {
  std::int64_t interval_hours = 0;
  std::int64_t retention_days = 0;
  std::array<std::int64_t, kPromoted.size()> promoted{};
  std::int64_t checkpoint_minutes = 0;
};

// What the family has no number for, as the 8 daily snapshots of the shared tier, is told as the
// nearest that promises no more (docs/api-compatibility.md).
Shown ShownOf(const domain::Schedule& schedule) {
  const PolicyItem* hourly = FindItem(schedule.items, Frequency::kHourly);
  const PolicyItem* daily = FindItem(schedule.items, Frequency::kDaily);
  // A deleted schedule is told as the least that can be said.
  const PolicyItem base = hourly != nullptr         ? *hourly
                          : daily != nullptr        ? *daily
                          : !schedule.items.empty() ? schedule.items.front()
                                                    : PolicyItem();
  Shown shown;
  shown.interval_hours = Down(hourly != nullptr ? hourly->interval : 24, kIntervalHours);
  shown.retention_days = Down(DaysOf(base), kRetentionDays);
  for (std::size_t i = 0; i < kPromoted.size(); ++i) {
    const Promoted& promoted = kPromoted.at(i);
    const PolicyItem* item = FindItem(schedule.items, promoted.item.frequency);
    shown.promoted.at(i) =
        item == nullptr ? 0 : Down(InUnit(*item, promoted.item.unit), promoted.allowed);
  }
  shown.checkpoint_minutes = Down(schedule.checkpoint_minutes, kCheckpointMinutes);
  return shown;
}

json::object RenderSchedule(const Call& call,
                            const domain::Cluster& cluster,
                            const domain::Schedule& schedule) {
  const Shown shown = ShownOf(schedule);
  json::object body;
  body[kCheckpoint] = shown.checkpoint_minutes;
  body["clusterId"] = cluster.id.ToString();
  body["groupId"] = cluster.project.ToString();
  body["links"] =
      SelfLink(HrefOf(call, ClusterPath(cluster.project, cluster.name) + "/snapshotSchedule"));
  body[kWindow] = schedule.point_in_time_hours;
  body[kInterval] = shown.interval_hours;
  body[kRetention] = shown.retention_days;
  for (std::size_t i = 0; i < kPromoted.size(); ++i) {
    body[kPromoted.at(i).member] = shown.promoted.at(i);
  }
  return body;
}

[[noreturn]] void RefuseSchedule(const std::string& why) {
  throw MakeFailure(
      400, "INVALID_SNAPSHOT_SCHEDULE", "The snapshot schedule is invalid: {0}.", {why});
}

std::string ListOf(std::span<const std::int64_t> values) {
  std::string text;
  for (const std::int64_t value : values) {
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  }
  return text;
}

std::optional<int> ChoiceOf(const Call& call,
                            const json::object& body,
                            std::string_view name,
                            std::span<const std::int64_t> allowed) {
  const auto number = IntegerOf(call, body, name);
  if (number && !std::ranges::binary_search(allowed, *number)) {
    RefuseSchedule(std::string(name) + " has to be one of " + ListOf(allowed));
  }
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

// What a PATCH asks for; absent members change nothing.
struct ScheduleChange {
  std::optional<int> interval_hours;
  std::optional<int> retention_days;
  std::array<std::optional<int>, kPromoted.size()> promoted;
  std::optional<int> window_hours;
  std::optional<std::int64_t> checkpoint_minutes;
  std::string cluster_id;
};

ScheduleChange ReadChange(const Call& call) {
  const json::object body = ReadBody(call.request, kScheduleFields);
  ScheduleChange change;
  change.interval_hours = ChoiceOf(call, body, kInterval, kIntervalHours);
  change.retention_days = ChoiceOf(call, body, kRetention, kRetentionDays);
  for (std::size_t i = 0; i < kPromoted.size(); ++i) {
    change.promoted.at(i) = ChoiceOf(call, body, kPromoted.at(i).member, kPromoted.at(i).allowed);
  }
  if (const auto window = IntegerOf(call, body, kWindow)) {
    if (*window < 0 || *window > kMaxPointInTimeHours) {
      RefuseSchedule(std::string(kWindow) + " has to be from 0 to " +
                     std::to_string(kMaxPointInTimeHours));
    }
    change.window_hours = static_cast<int>(*window);
  }
  change.checkpoint_minutes = IntegerOf(call, body, kCheckpoint);
  change.cluster_id = StringOf(body, "clusterId");
  return change;
}

// Clients send back what they got: the interval of checkpoints that a replica set has already is no
// wish to set one.
void CheckFits(const ScheduleChange& change,
               const domain::Cluster& cluster,
               const domain::Schedule& schedule) {
  if (!change.cluster_id.empty() && change.cluster_id != cluster.id.ToString()) {
    throw InvalidAttribute("clusterId");
  }
  if (!change.checkpoint_minutes) {
    return;
  }
  if (!std::ranges::binary_search(kCheckpointMinutes, *change.checkpoint_minutes)) {
    throw MakeFailure(400,
                      "INVALID_CLUSTER_CHECKPOINT_INTERVAL",
                      "The cluster checkpoint interval has to be one of {0} minutes.",
                      {ListOf(kCheckpointMinutes)});
  }
  if (cluster.topology != domain::Topology::kSharded &&
      *change.checkpoint_minutes != Down(schedule.checkpoint_minutes, kCheckpointMinutes)) {
    throw MakeFailure(400,
                      "CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET",
                      "The cluster checkpoint interval cannot be set for a replica set.");
  }
}

void ApplyBase(const ScheduleChange& change, std::vector<PolicyItem>& items) {
  if (!change.interval_hours && !change.retention_days) {
    return;
  }
  PolicyItem* hourly = FindItem(items, Frequency::kHourly);
  if (hourly == nullptr) {
    const PolicyItem* daily = FindItem(items, Frequency::kDaily);
    const std::int64_t days = Down(daily != nullptr ? DaysOf(*daily) : 0, kRetentionDays);
    items.insert(items.begin(),
                 {Frequency::kHourly, 24, RetentionUnit::kDays, static_cast<int>(days)});
    hourly = items.data();
  }
  hourly->interval = change.interval_hours.value_or(hourly->interval);
  if (change.retention_days) {
    hourly->unit = RetentionUnit::kDays;
    hourly->retention = *change.retention_days;
  }
}

void ApplyPromoted(const Promoted& promoted, int retention, std::vector<PolicyItem>& items) {
  PolicyItem* item = FindItem(items, promoted.item.frequency);
  if (retention == 0) {
    std::erase_if(items,
                  [&](const PolicyItem& one) { return one.frequency == promoted.item.frequency; });
    return;
  }
  if (item == nullptr) {
    items.push_back(promoted.item);
    item = &items.back();
  }
  item->unit = promoted.item.unit;
  item->retention = retention;
}

// Clients send back what they got. A number that came from rounding is no wish to have it so: it
// would shorten what another view has set.
ScheduleChange WithoutEcho(ScheduleChange change, const domain::Schedule& schedule) {
  const auto drop = [](auto& wish, std::int64_t shown) {
    if (wish && *wish == shown) {
      wish.reset();
    }
  };
  const Shown shown = ShownOf(schedule);
  drop(change.interval_hours, shown.interval_hours);
  drop(change.retention_days, shown.retention_days);
  for (std::size_t i = 0; i < kPromoted.size(); ++i) {
    drop(change.promoted.at(i), shown.promoted.at(i));
  }
  drop(change.checkpoint_minutes, shown.checkpoint_minutes);
  return change;
}

void Apply(const ScheduleChange& asked, domain::Schedule& schedule) {
  const ScheduleChange change = WithoutEcho(asked, schedule);
  const bool deleted = schedule.items.empty();
  ApplyBase(change, schedule.items);
  for (std::size_t i = 0; i < kPromoted.size(); ++i) {
    if (const auto& wish = change.promoted.at(i)) {
      ApplyPromoted(kPromoted.at(i), *wish, schedule.items);
    }
  }
  if (schedule.items.empty() && !deleted) {
    RefuseSchedule("nothing would be kept");
  }
  schedule.point_in_time_hours = change.window_hours.value_or(schedule.point_in_time_hours);
  schedule.checkpoint_minutes =
      static_cast<int>(change.checkpoint_minutes.value_or(schedule.checkpoint_minutes));
  // An item may be gone that the schedule exports.
  const std::string problem = domain::ScheduleProblem(schedule);
  if (!problem.empty()) {
    RefuseSchedule(problem);
  }
}

Reply GetLegacySchedule(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  return {200, Shape::kObject, RenderSchedule(call, cluster, call.parts.schedules.Find(cluster))};
}

Reply UpdateLegacySchedule(const Call& call) {
  const ScheduleChange change = ReadChange(call);
  const domain::Cluster cluster = FindCluster(call);
  const domain::Schedule schedule =
      call.parts.schedules.Change(cluster, [&](domain::Schedule& edited) {
        CheckFits(change, cluster, edited);
        Apply(change, edited);
      });
  return {200, Shape::kObject, RenderSchedule(call, cluster, schedule)};
}

}  // namespace

std::span<const Route> LegacyScheduleRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/snapshotSchedule",
            kAtlas,
            kProjectRead,
            "getGroupClusterSnapshotSchedule",
            GetLegacySchedule,
            kLegacyVersions},
      Route{kPatch,
            "/groups/{groupId}/clusters/{clusterName}/snapshotSchedule",
            kAtlas,
            kProjectOwner,
            "updateGroupClusterSnapshotSchedule",
            UpdateLegacySchedule,
            kLegacyVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
