#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kCheckFields{
    Field{"readData", FieldType::kBoolean, kOptional},
    Field{"samplePercent", FieldType::kNumber, kOptional},
};

constexpr std::array kCollectFields{
    Field{"dryRun", FieldType::kBoolean, kNotNull},
    Field{"rewriteBelowPercent", FieldType::kNumber, kOptional},
};

constexpr std::array kRepairFields{
    Field{"dryRun", FieldType::kBoolean, kNotNull},
    Field{"fromCluster", FieldType::kString, kOptional},
};

constexpr std::size_t kMaxListedChunks = 1000;
constexpr std::size_t kMaxListedPacks = 1000;  // of a kind; the counts and the text say how many

json::object RenderFinding(const repo::Finding& finding) {
  json::object body;
  if (finding.snapshot.has_value()) {
    body["snapshotId"] = finding.snapshot->ToString();
  }
  AddText(body, "namespace", finding.name_space);
  if (finding.run > 0) {
    body["run"] = finding.run;
  }
  AddText(body, "firstId", engine::IdText(finding.first_id));
  AddText(body, "endId", engine::IdText(finding.end_id));
  body["message"] = finding.message;
  body["text"] = engine::FormatFinding(finding);
  return body;
}

json::object RenderReport(const engine::CheckReport& report) {
  json::array findings;
  for (const repo::Finding& finding : report.findings.findings()) {
    findings.push_back(RenderFinding(finding));
  }
  json::object body;
  body["damaged"] = report.findings.total();
  body["findings"] = std::move(findings);
  body["snapshots"] = report.snapshots;
  body["chunks"] = report.chunks;
  body["packs"] = report.packs;
  body["indexSegments"] = report.segments;
  body["chunksRead"] = report.chunks_read;
  body["bytesRead"] = report.bytes_read.value;
  body["namespacesCompared"] = report.namespaces_compared;
  return body;
}

json::array RenderPacks(const std::vector<repo::CollectionPlan::Pack>& packs) {
  json::array rendered;
  for (const repo::CollectionPlan::Pack& pack : packs) {
    if (rendered.size() == kMaxListedPacks) {
      break;
    }
    rendered.push_back(
        json::object{{"id", pack.id}, {"bytes", pack.size.value}, {"liveBytes", pack.live.value}});
  }
  return rendered;
}

json::object RenderPlan(const repo::CollectionPlan& plan) {
  return {{"deletePacks", RenderPacks(plan.deleted)},
          {"rewritePacks", RenderPacks(plan.rewritten)},
          {"packsToDelete", plan.deleted.size()},
          {"packsToRewrite", plan.rewritten.size()},
          {"packsToKeep", plan.kept_packs},
          {"packsLeftAlone", plan.left_packs},
          {"indexSegmentsToDelete", plan.removed_segments.size()},
          {"indexSegmentsToReplace", plan.replaced_segments.size()},
          {"bytesToFree", plan.freed.value},
          {"bytesToCopy", plan.copied.value}};
}

std::string_view OutcomeName(repo::CollectionState state) {
  switch (state) {
    case repo::CollectionState::kNothingToDo:
      return "nothingToDo";
    case repo::CollectionState::kWaiting:
      return "waiting";
    case repo::CollectionState::kDone:
      return "done";
  }
  return {};
}

json::object RenderCollected(const repo::CollectionResult& result, service::DryRun dry_run) {
  json::object body;
  body["plan"] = RenderPlan(result.plan);
  body["text"] = repo::FormatPlan(result.plan);
  if (dry_run == service::DryRun::kYes) {
    body["outcome"] = "planned";
    body["waitingFor"] = result.plan.waiting_for;
    return body;
  }
  body["outcome"] = OutcomeName(result.state);
  body["waitingFor"] = result.waiting_for;
  body["deletedPacks"] = result.deleted_packs;
  body["deletedBytes"] = result.deleted_bytes.value;
  body["sparedPacks"] = result.spared_packs;
  body["damagedPacks"] = result.damaged_packs;
  return body;
}

json::object RenderDamagedChunk(const repo::DamagedChunk& chunk) {
  json::array snapshots;
  for (const SnapshotId& id : chunk.snapshots) {
    snapshots.emplace_back(id.ToString());
  }
  json::object body{{"kind", repo::ChunkKindName(chunk.kind)},
                    {"healed", chunk.healed},
                    {"snapshotIds", std::move(snapshots)},
                    {"namespace", chunk.use->database + "." + chunk.use->collection},
                    {"run", chunk.use->number},
                    {"documents", chunk.ref.documents}};
  AddText(body, "firstId", engine::IdText(chunk.first_id));
  AddText(body, "endId", engine::IdText(chunk.end_id));
  body["message"] = chunk.outcome.empty() ? chunk.fault : chunk.outcome;
  return body;
}

json::object RenderRepaired(const repo::RepairReport& report) {
  json::array manifests;
  for (const auto& [snapshot, fault] : report.manifests) {
    manifests.push_back(json::object{{"snapshotId", snapshot.ToString()}, {"message", fault}});
  }
  json::array chunks;
  for (const repo::DamagedChunk& chunk : report.chunks) {
    if (chunks.size() < kMaxListedChunks) {
      chunks.push_back(RenderDamagedChunk(chunk));
    }
  }
  return {{"text", engine::FormatRepair(report)},
          {"allWhole", report.AllWhole()},
          {"chunks", std::move(chunks)},
          {"healed", report.healed},
          {"lost", report.lost},
          {"passedOver", report.passed_over},
          {"damagedManifests", std::move(manifests)},
          {"indexSegments", report.segments.size()},
          {"packs", report.packs.size()},
          {"lists", report.lists.size()},
          {"indexedChunks", report.indexed},
          {"copiedChunks", report.copied},
          {"quarantinedPlaces", report.quarantined},
          {"chunksRead", report.chunks_read},
          {"bytesRead", report.bytes_read.value}};
}

void AddRequest(json::object& body, const service::RepositoryTask& task) {
  if (const auto* check = std::get_if<service::CheckRequest>(&task.request)) {
    body["kind"] = "check";
    body["readPercent"] = check->read_percent;
    return;
  }
  if (const auto* repair = std::get_if<service::RepairRequest>(&task.request)) {
    body["kind"] = "repair";
    body["dryRun"] = repair->dry_run == service::DryRun::kYes;
    if (task.repaired.has_value()) {
      body["repair"] = RenderRepaired(*task.repaired);
    }
    return;
  }
  const auto dry_run = std::get<service::CollectRequest>(task.request).dry_run;
  body["kind"] = "gc";
  body["dryRun"] = dry_run == service::DryRun::kYes;
  if (task.collected.has_value()) {
    body["gc"] = RenderCollected(*task.collected, dry_run);
  }
}

json::object RenderTask(const service::RepositoryTask& task) {
  json::object body;
  body["id"] = task.id.ToString();
  body["projectId"] = task.project.ToString();
  body["state"] = service::TaskStateName(task.state);
  body["created"] = FormatInstant(task.created);
  AddInstant(body, "finished", task.finished);
  AddText(body, "failure", task.failure);
  AddRequest(body, task);
  if (task.report.has_value()) {
    body["check"] = RenderReport(*task.report);
  }
  body["progress"] =
      json::object{{"phase", task.progress.phase}, {"bytesDone", task.progress.bytes_done}};
  return body;
}

json::object RenderSnapshotStats(const repo::SnapshotStats& snapshot) {
  return {{"id", snapshot.snapshot.ToString()},
          {"clusterName", snapshot.cluster_name},
          {"created", FormatInstant(snapshot.created)},
          {"logicalBytes", snapshot.logical.value},
          {"addedBytes", snapshot.added.value},
          {"exclusiveBytes", snapshot.exclusive.value}};
}

double ReadPercentOf(const json::object& body) {
  if (!body.contains("samplePercent")) {
    return FlagOf(body, "readData") ? 100 : 0;
  }
  const double percent = NumberOf(body, "samplePercent");
  if (!(percent > 0 && percent <= 100)) {
    throw InvalidValue("samplePercent", "must be more than 0 and at most 100");
  }
  return percent;
}

service::CollectRequest ReadCollectRequest(const Call& call) {
  const json::object body = ReadBody(call.request, kCollectFields);
  service::CollectRequest request;
  request.dry_run = FlagOf(body, "dryRun") ? service::DryRun::kYes : service::DryRun::kNo;
  if (body.contains("rewriteBelowPercent")) {
    const double percent = NumberOf(body, "rewriteBelowPercent");
    if (!(percent >= 0 && percent <= 100)) {
      throw InvalidValue("rewriteBelowPercent", "must be from 0 to 100");
    }
    request.rewrite_below_percent = static_cast<int>(percent);
  }
  return request;
}

service::RepairRequest ReadRepairRequest(const Call& call) {
  const json::object body = ReadBody(call.request, kRepairFields);
  service::RepairRequest request;
  request.dry_run = FlagOf(body, "dryRun") ? service::DryRun::kYes : service::DryRun::kNo;
  if (const json::value* from = body.if_contains("fromCluster")) {
    request.cluster = std::string(from->as_string());
    request.from = request.cluster == "none" ? service::RepairRequest::From::kNowhere
                                             : service::RepairRequest::From::kNamedCluster;
  }
  return request;
}

Reply CheckRepository(const Call& call) {
  const json::object body = ReadBody(call.request, kCheckFields);
  const service::RepositoryTask task =
      call.parts.repository.StartCheck(ProjectOf(call).id, {.read_percent = ReadPercentOf(body)});
  return {201, Shape::kObject, RenderTask(task)};
}

Reply CollectGarbage(const Call& call) {
  const service::RepositoryTask task =
      call.parts.repository.StartCollection(ProjectOf(call).id, ReadCollectRequest(call));
  return {201, Shape::kObject, RenderTask(task)};
}

Reply RepairRepository(const Call& call) {
  const service::RepositoryTask task =
      call.parts.repository.StartRepair(ProjectOf(call).id, ReadRepairRequest(call));
  return {201, Shape::kObject, RenderTask(task)};
}

Reply GetRepositoryTask(const Call& call) {
  const auto id = ObjectId::Parse(call.path.Get("taskId"));
  const auto task = id ? call.parts.repository.Find(ProjectOf(call).id, *id) : std::nullopt;
  if (!task) {
    throw ResourceNotFound(call.request.path);
  }
  return {200, Shape::kObject, RenderTask(*task)};
}

Reply GetRepositoryStats(const Call& call) {
  const repo::RepositoryStats stats = call.parts.repository.ReadStats(ProjectOf(call).id);
  json::array snapshots;
  for (const repo::SnapshotStats& snapshot : stats.snapshots) {
    snapshots.push_back(RenderSnapshotStats(snapshot));
  }
  json::object body;
  body["snapshots"] = std::move(snapshots);
  body["logicalBytes"] = stats.logical.value;
  body["storedBytes"] = stats.stored().value;
  body["packBytes"] = stats.packs.value;
  body["indexBytes"] = stats.index.value;
  body["manifestBytes"] = stats.manifests.value;
  body["unreferencedBytes"] = stats.unreferenced.value;
  body["chunks"] = stats.chunks;
  if (stats.stored().value > 0) {
    body["ratio"] =
        static_cast<double>(stats.logical.value) / static_cast<double>(stats.stored().value);
  }
  return {200, Shape::kObject, std::move(body)};
}

}  // namespace

std::span<const Route> OwnRepositoryRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kPost,
            "/projects/{groupId}/repository/check",
            kOwn,
            kBackupManage,
            "checkRepository",
            CheckRepository},
      Route{kPost,
            "/projects/{groupId}/repository/gc",
            kOwn,
            kProjectOwner,
            "collectGarbage",
            CollectGarbage},
      Route{kPost,
            "/projects/{groupId}/repository/repair",
            kOwn,
            kBackupManage,
            "repairRepository",
            RepairRepository},
      Route{kGet,
            "/projects/{groupId}/repository/tasks/{taskId}",
            kOwn,
            kProjectRead,
            "getRepositoryTask",
            GetRepositoryTask},
      Route{kGet,
            "/projects/{groupId}/repository/stats",
            kOwn,
            kProjectRead,
            "getRepositoryStats",
            GetRepositoryStats},
  };
  return kRoutes;
}

}  // namespace tidemark::api
