#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

// Restore drills: settings, history, a drill now, and the mark of a scratch target.
namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kSettingsFields{
    Field{"targetClusterName", FieldType::kString, kOptional},
    Field{"intervalDays", FieldType::kAny, kOptional},
};

constexpr std::array kScratchFields{Field{"scratchTarget", FieldType::kBoolean, kRequired}};

constexpr std::int64_t kMaxDays = 10'000;  // the schedule's own rule is stricter

json::object RenderDrill(const Call& call, const domain::Drill& drill) {
  json::object body;
  body["id"] = drill.id.ToString();
  body["projectId"] = drill.project.ToString();
  body["clusterName"] = drill.cluster_name;
  body["snapshotId"] = drill.snapshot.ToString();
  AddText(body, "targetClusterName", drill.target_name);
  body["state"] = domain::DrillStateName(drill.state);
  body["created"] = FormatInstant(drill.created);
  AddInstant(body, "started", drill.started);
  AddInstant(body, "finished", drill.finished);
  if (domain::IsFinal(drill.state)) {
    body["restored"] = drill.restored;
    body["collections"] = drill.collections;
    body["documents"] = drill.documents;
    body["bytes"] = drill.bytes;
  }
  AddText(body, "failure", drill.failure);
  AddText(body, "notes", drill.notes);
  AddProgress(body, call.parts.drills.FindJob(drill.id));
  return body;
}

json::object RenderSettings(const domain::Cluster& cluster,
                            const service::DrillSettings& settings,
                            const std::optional<domain::Drill>& last) {
  json::object body;
  body["clusterId"] = cluster.id.ToString();
  body["clusterName"] = cluster.name;
  if (settings.target) {
    body["targetClusterName"] = settings.target->name;
  }
  body["intervalDays"] = settings.interval_days;
  AddLastVerified(body, last);
  return body;
}

Reply SettingsReply(const Call& call,
                    const domain::Cluster& cluster,
                    const service::DrillSettings& settings) {
  return {
      200, Shape::kObject, RenderSettings(cluster, settings, call.parts.drills.FindLast(cluster))};
}

Reply GetDrillSettings(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  return SettingsReply(call, cluster, call.parts.drills.FindSettings(cluster));
}

Reply UpdateDrillSettings(const Call& call) {
  const json::object body = ReadBody(call.request, kSettingsFields);
  service::DrillChange change;
  if (body.contains("targetClusterName")) {
    change.target = StringOf(body, "targetClusterName");
  }
  if (const auto days = IntegerOf(call, body, "intervalDays")) {
    if (*days < 0 || *days > kMaxDays) {
      throw InvalidValue("intervalDays", "must be from 0 to " + std::to_string(kMaxDays));
    }
    change.interval_days = static_cast<int>(*days);
  }
  const domain::Cluster cluster = FindCluster(call);
  return SettingsReply(call, cluster, call.parts.drills.Change(cluster, change));
}

Reply UpdateScratchTarget(const Call& call) {
  const json::object body = ReadBody(call.request, kScratchFields);
  const domain::Cluster cluster = FindCluster(call);
  if (FlagOf(body, "scratchTarget")) {
    call.parts.drills.MarkScratch(cluster);
  } else {
    call.parts.drills.UnmarkScratch(cluster);
  }
  return {200,
          Shape::kObject,
          json::object{{"clusterId", cluster.id.ToString()},
                       {"clusterName", cluster.name},
                       {"scratchTarget", call.parts.drills.IsScratch(cluster)}}};
}

Reply ListDrills(const Call& call) {
  const auto listing = call.parts.drills.List(FindOwnCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::Drill& drill) {
    return RenderDrill(call, drill);
  });
}

Reply CreateDrill(const Call& call) {
  ReadBody(call.request, std::span<const Field>());
  const domain::Drill drill = call.parts.drills.Start(FindCluster(call));
  return {201, Shape::kObject, RenderDrill(call, drill)};
}

Reply GetDrill(const Call& call) {
  const domain::Cluster cluster = FindOwnCluster(call);
  const std::string& text = call.path.Get("drillId");
  const auto id = domain::DrillId::Parse(text);
  const auto drill = id ? call.parts.drills.Find(cluster, *id) : std::nullopt;
  if (!drill) {
    RefuseAbsent(service::Reason::kDrillNotFound, text, cluster);
  }
  return {200, Shape::kObject, RenderDrill(call, *drill)};
}

}  // namespace

void AddLastVerified(json::object& body, const std::optional<domain::Drill>& drill) {
  if (!drill) {
    return;
  }
  const Instant finished = drill->finished.value_or(drill->created);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      finished - drill->started.value_or(finished));
  json::object last{{"drillId", drill->id.ToString()},
                    {"snapshotId", drill->snapshot.ToString()},
                    {"finished", FormatInstant(finished)},
                    {"milliseconds", took.count()},
                    {"intact", drill->state == domain::DrillState::kPassed},
                    {"method", drill->restored ? "restored" : "read"}};
  AddText(last, "targetClusterName", drill->target_name);
  AddText(last, "failure", drill->failure);
  body["lastVerified"] = std::move(last);
}

std::span<const Route> OwnDrillRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/drillSettings",
            kOwn,
            kProjectRead,
            "getDrillSettings",
            GetDrillSettings},
      Route{kPatch,
            "/projects/{groupId}/clusters/{clusterName}/drillSettings",
            kOwn,
            kProjectOwner,
            "updateDrillSettings",
            UpdateDrillSettings},
      Route{kPatch,
            "/projects/{groupId}/clusters/{clusterName}/scratchTarget",
            kOwn,
            kProjectOwner,
            "updateScratchTarget",
            UpdateScratchTarget},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/drills",
            kOwn,
            kProjectRead,
            "listDrills",
            ListDrills},
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/drills",
            kOwn,
            kProjectOwner,
            "createDrill",
            CreateDrill},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}/drills/{drillId}",
            kOwn,
            kProjectRead,
            "getDrill",
            GetDrill},
  };
  return kRoutes;
}

}  // namespace tidemark::api
