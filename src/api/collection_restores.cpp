#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/restore_refusals.h"
#include "api/internal/routes.h"
#include "api/internal/text.h"
#include "service/refusal.h"

// Restores of databases and collections: contract.md 7.4, docs/api-compatibility.md.
namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// ApiAtlasCollectionRestoreJobRequest of openapi.json.
constexpr std::array kJobFields{
    Field{"indexStrategy", FieldType::kString, kRequired},
    Field{"targetClusterName", FieldType::kString, kRequired},
    Field{"targetGroupId", FieldType::kObjectId, kRequired},
    Field{"writeStrategy", FieldType::kString, kRequired},
    Field{"collectionSuffix", FieldType::kString, kOptional},
    Field{"collections", FieldType::kArray, kOptional},
    Field{"databaseSuffix", FieldType::kString, kOptional},
    Field{"databases", FieldType::kArray, kOptional},
    Field{"oplogInc", FieldType::kAny, kOptional},
    Field{"oplogTs", FieldType::kAny, kOptional},
    Field{"pointInTimeUtcSeconds", FieldType::kAny, kOptional},
    Field{"snapshotId", FieldType::kObjectId, kOptional},
};

constexpr std::array kNamespaceFields{
    Field{"sourceNamespace", FieldType::kString, kRequired},
    Field{"targetNamespace", FieldType::kString, kNotNull},
};

constexpr std::size_t kMostChoices = 100;  // the schema's maxItems

enum class NamedThing { kDatabase, kCollection };

// A database without a dot, or "database.collection".
void CheckNamespace(NamedThing thing, std::string_view member, std::string_view name) {
  const std::size_t dot = name.find('.');
  if (thing == NamedThing::kDatabase && (name.empty() || dot != std::string_view::npos)) {
    throw InvalidValue(member, "must be the name of a database");
  }
  if (thing == NamedThing::kCollection &&
      (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size())) {
    throw InvalidValue(member, "must be DATABASE.COLLECTION");
  }
}

std::vector<domain::NamespaceChoice> ReadChoices(const json::object& body,
                                                 std::string_view name,
                                                 NamedThing thing) {
  std::vector<domain::NamespaceChoice> choices;
  const json::value* given = body.if_contains(name);
  if (given == nullptr) {
    return choices;
  }
  if (given->get_array().size() > kMostChoices) {
    throw InvalidValue(name, "must have at most " + std::to_string(kMostChoices) + " elements");
  }
  for (const json::value& element : given->get_array()) {
    if (!element.is_object()) {
      throw InvalidJsonAttribute(name, "an array of objects");
    }
    const json::object one = CheckFields(element.get_object(), kNamespaceFields);
    domain::NamespaceChoice choice{StringOf(one, "sourceNamespace"),
                                   StringOf(one, "targetNamespace")};
    CheckNamespace(thing, "sourceNamespace", choice.source);
    // An empty name is no wish to keep the old one: with OVERWRITE_EXISTING that would cost it.
    if (one.contains("targetNamespace")) {
      CheckNamespace(thing, "targetNamespace", choice.target);
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

template <class Value>
Value ReadWord(const json::object& body,
               std::string_view name,
               std::optional<Value> (*parse)(std::string_view)) {
  const std::string word = StringOf(body, name);
  const std::optional<Value> value = parse(word);
  if (!value) {
    throw Refused(
        400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {word});
  }
  return *value;
}

std::optional<std::string> SuffixOf(const json::object& body, std::string_view name) {
  return body.contains(name) ? std::optional(StringOf(body, name)) : std::nullopt;
}

domain::CollectionRestore ReadRequest(const json::object& body) {
  domain::CollectionRestore request;
  request.write = ReadWord(body, "writeStrategy", domain::ParseWriteStrategy);
  request.indexes = ReadWord(body, "indexStrategy", domain::ParseIndexStrategy);
  request.database_suffix = SuffixOf(body, "databaseSuffix");
  request.collection_suffix = SuffixOf(body, "collectionSuffix");
  request.databases = ReadChoices(body, "databases", NamedThing::kDatabase);
  request.collections = ReadChoices(body, "collections", NamedThing::kCollection);
  if (request.databases.empty() && request.collections.empty()) {
    throw Refused(400,
                  "MISSING_ONE_OF_MANY_ATTRIBUTES",
                  "One of the attributes {0} or {1} must be specified.",
                  {"databases", "collections"});
  }
  return request;
}

std::optional<std::int64_t> ReadPositive(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_int64() || value->get_int64() > INT32_MAX) {
    throw InvalidJsonAttribute(name, "a 32-bit integer");
  }
  if (value->get_int64() < 1) {
    throw Refused(400,
                  "ATTRIBUTE_NEGATIVE_OR_ZERO",
                  "The attribute {0} cannot be negative or zero.",
                  {std::string(name)});
  }
  return value->get_int64();
}

// What of the cluster is asked for: a snapshot, or a point in time in seconds since 1970.
struct Selector {
  std::optional<SnapshotId> snapshot;
  std::optional<std::int64_t> seconds;
};

Selector ReadSelector(const json::object& body) {
  const bool oplog = body.contains("oplogTs") || body.contains("oplogInc");
  const bool point = body.contains("pointInTimeUtcSeconds");
  const int asked = int{body.contains("snapshotId")} + int{oplog} + int{point};
  if (asked == 0) {
    throw Refused(400,
                  "MISSING_ONE_OF_MANY_ATTRIBUTES",
                  "One of the attributes {0}, {1} or {2} must be specified.",
                  {"snapshotId", "pointInTimeUtcSeconds", "oplogTs"});
  }
  if (asked > 1) {
    throw InvalidAttribute(oplog ? "oplogTs" : "pointInTimeUtcSeconds");
  }
  if (oplog) {
    for (const std::string_view half : {"oplogTs", "oplogInc"}) {
      if (!ReadPositive(body, half)) {
        throw MissingAttribute(half);
      }
    }
    return {std::nullopt, ReadPositive(body, "oplogTs")};
  }
  if (point) {
    return {std::nullopt, ReadPositive(body, "pointInTimeUtcSeconds")};
  }
  return {IdOf<SnapshotId>(body, "snapshotId"), std::nullopt};
}

std::string_view JobStateOf(const domain::RestoreJob& job,
                            const domain::RestoredNamespaceTotals& totals) {
  switch (job.state) {
    case domain::RestoreState::kCompleted:
      return "SUCCESSFUL";
    case domain::RestoreState::kFailed:
      return "FAILED";
    case domain::RestoreState::kPending:
    case domain::RestoreState::kQueued:
    case domain::RestoreState::kRunning:
      break;
  }
  if (totals.namespaces == 0) {
    return "INITIALIZING";
  }
  return totals.unwritten > 0 ? "IN_PROGRESS" : "FINALIZING";
}

json::object RenderJobIndexes(const domain::RestoreJob& job,
                              const domain::CollectionRestore& request,
                              const domain::RestoredNamespaceTotals& totals) {
  using enum domain::IndexBuildState;
  domain::IndexBuildState state = kSuccessful;
  if (request.indexes == domain::IndexStrategy::kNone) {
    state = kNotRestored;
  } else if (totals.indexes_failed > 0) {
    state = kFailed;
  } else if (totals.indexes_begun == 0) {
    state = domain::IsFinal(job.state) ? kNotRestored : kNotStarted;
  } else if (totals.indexes_waiting > 0) {
    state = kInProgress;
  }
  return {{"failedCollectionCount", totals.indexes_failed},
          {"state", domain::IndexBuildStateName(state)}};
}

json::array RenderChoices(const std::vector<domain::NamespaceChoice>& choices) {
  json::array array;
  for (const domain::NamespaceChoice& choice : choices) {
    json::object one{{"sourceNamespace", choice.source}};
    AddText(one, "targetNamespace", choice.target);
    array.push_back(std::move(one));
  }
  return array;
}

// ApiAtlasCollectionRestoreJobResponse of openapi.json.
json::object RenderJob(const Call& call, const domain::RestoreJob& job) {
  const auto request = call.parts.store.FindCollectionRestore(job.id);
  TIDEMARK_CHECK(request.has_value());
  const auto totals = call.parts.store.CountRestoredNamespaces(job.id);
  json::object body;
  if (request->collection_suffix) {
    body["collectionSuffix"] = *request->collection_suffix;
  }
  body["collections"] = RenderChoices(request->collections);
  body["createdAt"] = FormatInstant(job.created);
  if (request->database_suffix) {
    body["databaseSuffix"] = *request->database_suffix;
  }
  body["databases"] = RenderChoices(request->databases);
  AddText(body, "errorMessage", job.failure);
  AddInstant(body, "finishedAt", job.finished);
  body["id"] = job.id.ToString();
  body["indexStatus"] = RenderJobIndexes(job, *request, totals);
  body["indexStrategy"] = domain::IndexStrategyName(request->indexes);
  body["restoredDocuments"] = totals.documents_restored;
  body["snapshotId"] = job.snapshot.ToString();
  body["state"] = JobStateOf(job, totals);
  body["targetClusterName"] = job.target_name;
  body["targetGroupId"] = job.target_project.ToString();
  body["totalDocuments"] = totals.documents_total;
  body["writeStrategy"] = domain::WriteStrategyName(request->write);
  return body;
}

// ApiAtlasCollectionRestoreCollectionStateResponse of openapi.json.
json::object RenderNamespace(const domain::RestoredNamespace& row) {
  json::object indexes{{"state", domain::IndexBuildStateName(row.indexes)}};
  AddText(indexes, "errorMessage", row.index_failure);
  return {{"effectiveTargetNamespace", row.effective},
          {"indexStatus", std::move(indexes)},
          {"restoredDocuments", row.documents_restored},
          {"sourceNamespace", row.source},
          {"state", domain::NamespaceStateName(row.state)},
          {"targetNamespace", row.target},
          {"totalDocuments", row.documents_total}};
}

domain::RestoreJob FindJob(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  const std::string& text = call.path.Get("jobId");
  const auto id = RestoreJobId::Parse(text);
  if (!id) {
    throw InvalidPathId("INVALID_JOB_ID", text);
  }
  const auto job = call.parts.restores.FindByCollection(cluster, *id);
  if (!job) {
    RefuseAbsent(service::Reason::kRestoreJobNotFound, text, cluster);
  }
  return *job;
}

// ?state=, ?sourceNamespace=, ?targetNamespace=; the links carry on what was given.
catalog::CollectionRestores::NamespaceFilter ReadFilter(const Call& call, ListQuery& query) {
  catalog::CollectionRestores::NamespaceFilter filter;
  for (const auto& [name, value] : http::ParseQuery(call.request.query)) {
    if (name == "state") {
      filter.state = domain::ParseNamespaceState(value);
      if (!filter.state) {
        throw InvalidQueryParameter(name);
      }
    } else if (name == "sourceNamespace") {
      filter.source = value;
    } else if (name == "targetNamespace") {
      filter.target = value;
    } else {
      continue;
    }
    query.filter += "&" + name + "=" + EncodeSegment(value);
  }
  return filter;
}

Reply ListJobs(const Call& call) {
  const auto listing =
      call.parts.restores.ListByCollection(FindCloudCluster(call), call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::RestoreJob& job) {
    return RenderJob(call, job);
  });
}

Reply GetJob(const Call& call) {
  return {200, Shape::kObject, RenderJob(call, FindJob(call))};
}

Reply CreateJob(const Call& call) {
  const json::object body = ReadBody(call.request, kJobFields);
  const domain::CollectionRestore choice = ReadRequest(body);
  const Selector selector = ReadSelector(body);
  const domain::Cluster source = FindCloudCluster(call);
  if (!selector.snapshot) {
    RefusePointInTime(call, source, Instant(std::chrono::seconds(selector.seconds.value_or(0))));
  }
  service::RestoreRequest request;
  request.project = source.project;
  request.cluster = source.name;
  request.snapshot = *selector.snapshot;
  request.target_project = IdOf<ProjectId>(body, "targetGroupId");
  request.target_cluster = StringOf(body, "targetClusterName");
  request.right = domain::Permission::kBackupManage;
  try {
    const domain::RestoreJob job =
        call.parts.restores.StartByCollection(call.caller, request, choice);
    return {201, Shape::kObject, RenderJob(call, job)};
  } catch (const service::Refusal& refusal) {
    ThrowOutsideTenant(refusal);
  }
}

Reply ListNamespaces(const Call& call) {
  const domain::RestoreJob job = FindJob(call);
  ListQuery query = call.query;
  const auto filter = ReadFilter(call, query);
  const auto listing = call.parts.store.ListRestoredNamespaces(job.id, filter, query.page);
  json::array results;
  for (const domain::RestoredNamespace& row : listing.rows) {
    results.push_back(RenderNamespace(row));
  }
  return ListReply(call.request, query, std::move(results), listing.total);
}

Reply GetNamespace(const Call& call) {
  const domain::RestoreJob job = FindJob(call);
  const auto row = call.parts.store.FindRestoredNamespace(job.id, call.path.Get("sourceNamespace"));
  if (!row) {
    throw ResourceNotFound(call.request.path);
  }
  return {200, Shape::kObject, RenderNamespace(*row)};
}

}  // namespace

std::span<const Route> CollectionRestoreRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs",
            kV2Only,
            kProjectRead,
            "listGroupClusterCollectionRestoreJobs",
            ListJobs,
            kCollectionVersions},
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs",
            kV2Only,
            kBackupManage,
            "createGroupClusterCollectionRestoreJob",
            CreateJob,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs/{jobId}",
            kV2Only,
            kProjectRead,
            "getGroupClusterCollectionRestoreJob",
            GetJob,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs/{jobId}/collections",
            kV2Only,
            kProjectRead,
            "listGroupClusterCollectionRestoreJobCollections",
            ListNamespaces,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs/{jobId}/collections/"
            "{sourceNamespace}",
            kV2Only,
            kProjectRead,
            "getGroupClusterCollectionRestoreJobCollection",
            GetNamespace,
            kCollectionVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
