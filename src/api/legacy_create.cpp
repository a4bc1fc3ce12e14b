#include <array>
#include <charconv>

#include "api/internal/failure.h"
#include "api/internal/legacy.h"
#include "api/internal/request_body.h"
#include "api/internal/request_values.h"
#include "api/internal/restore_refusals.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

// Asking for a legacy restore job: contract.md 7.3.
namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// BackupRestoreJob of openapi.json, and the v1.0 clients' spelling of checkpointId.
constexpr std::array kJobFields{
    Field{"delivery", FieldType::kObject, kRequired},
    Field{"snapshotId", FieldType::kObjectId, kOptional},
    Field{"checkpointId", FieldType::kObjectId, kOptional},
    Field{"checkPointId", FieldType::kObjectId, kOptional},
    Field{"oplogTs", FieldType::kAny, kOptional},
    Field{"oplogInc", FieldType::kAny, kOptional},
    Field{"pointInTimeUTCMillis", FieldType::kAny, kOptional},
    Field{"batchId", FieldType::kString, kReadOnly},
    Field{"clusterId", FieldType::kString, kReadOnly},
    Field{"clusterName", FieldType::kString, kReadOnly},
    Field{"created", FieldType::kString, kReadOnly},
    Field{"deploymentJobId", FieldType::kString, kReadOnly},
    Field{"encryptionEnabled", FieldType::kBoolean, kReadOnly},
    Field{"groupId", FieldType::kString, kReadOnly},
    Field{"hashes", FieldType::kArray, kReadOnly},
    Field{"id", FieldType::kString, kReadOnly},
    Field{"links", FieldType::kArray, kReadOnly},
    Field{"masterKeyUUID", FieldType::kString, kReadOnly},
    Field{"pointInTime", FieldType::kBoolean, kReadOnly},
    Field{"statusName", FieldType::kString, kReadOnly},
    Field{"timestamp", FieldType::kObject, kReadOnly},
};

constexpr std::array kDeliveryFields{
    Field{"methodName", FieldType::kString, kRequired},
    Field{"expirationHours", FieldType::kAny, kOptional},
    Field{"maxDownloads", FieldType::kAny, kOptional},
    Field{"targetClusterId", FieldType::kObjectId, kOptional},
    Field{"targetClusterName", FieldType::kDeploymentItemName, kOptional},
    Field{"targetGroupId", FieldType::kObjectId, kOptional},
    Field{"authHeader", FieldType::kString, kReadOnly},
    Field{"authValue", FieldType::kString, kReadOnly},
    Field{"expires", FieldType::kString, kReadOnly},
    Field{"statusName", FieldType::kString, kReadOnly},
    Field{"url", FieldType::kString, kReadOnly},
    Field{"urlV2", FieldType::kString, kReadOnly},
};

constexpr std::int64_t kDefaultHours = 24;  // contract.md 7.3
// A download keeps its snapshot for as long as it is good.
constexpr std::int64_t kMaxHours = 8760;              // a year
constexpr std::int64_t kFirstMillis = 1199145600000;  // the schema's minimum: 2008

enum class Method { kDownload, kAutomated, kPush };

Method MethodOf(const Call& call, const std::string& name) {
  if (name == "HTTP" || name == "CLIENT_PIT_HTTP") {
    return Method::kDownload;
  }
  if (name == "AUTOMATED_RESTORE") {
    return Method::kAutomated;
  }
  if (name == "SCP" || name == "CLIENT_PIT_SCP") {
    if (call.parts.pushes.IsConfigured()) {
      return Method::kPush;
    }
    throw Refused(400, "INVALID_DELIVERY_SCP", "Delivery over SCP is not supported.");
  }
  if (name == "QUERY" || name == "THIRD_PARTY_COPY") {
    throw Refused(
        400, "UNSUPPORTED_DELIVERY_METHOD", "The delivery method {0} is not supported.", {name});
  }
  throw Refused(
      400, "INVALID_ENUM_VALUE", "An invalid enumeration value {0} was specified.", {name});
}

std::int64_t PositiveOf(const Call& call,
                        const json::object& body,
                        std::string_view name,
                        std::int64_t fallback,
                        std::int64_t most) {
  const std::int64_t number = IntegerOf(call, body, name).value_or(fallback);
  if (number < 1) {
    throw Refused(400,
                  "ATTRIBUTE_NEGATIVE_OR_ZERO",
                  "The attribute {0} cannot be negative or zero.",
                  {std::string(name)});
  }
  if (number > most) {
    throw InvalidValue(name, "must be at most " + std::to_string(most));
  }
  return number;
}

// Seconds of an oplog position: ISO 8601 as Atlas has it, or seconds since 1970 as Ops Manager has.
std::int64_t OplogSecondsOf(const Call& call, const json::object& body) {
  const std::string text = StringOf(body, "oplogTs");
  if (const auto instant = ParseDate(text)) {
    return std::chrono::floor<std::chrono::seconds>(instant->time_since_epoch()).count();
  }
  if (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw Refused(400, "INVALID_DATE_FORMAT", "The date {0} has an invalid format.", {text});
    }
    return number;
  }
  return IntegerOf(call, body, "oplogTs").value_or(0);
}

// What of the cluster is asked for. Exactly one of them is set.
struct Selector {
  std::optional<SnapshotId> snapshot;
  std::optional<std::int64_t> seconds;  // a point in time, since 1970
  bool checkpoint = false;
  std::string_view name;  // of the member
};

Selector SnapshotSelector(const json::object& body) {
  Selector selector;
  selector.snapshot = IdOf<SnapshotId>(body, "snapshotId");
  selector.name = "snapshotId";
  return selector;
}

Selector OplogSelector(const Call& call, const json::object& body) {
  for (const std::string_view half : {"oplogTs", "oplogInc"}) {
    if (!body.contains(half)) {
      throw MissingAttribute(half);
    }
  }
  PositiveOf(call, body, "oplogInc", 1, INT32_MAX);
  Selector selector;
  selector.seconds = OplogSecondsOf(call, body);
  selector.name = "oplogTs";
  return selector;
}

Selector MillisSelector(const Call& call, const json::object& body) {
  const std::int64_t millis = IntegerOf(call, body, "pointInTimeUTCMillis").value_or(0);
  if (millis < kFirstMillis) {
    throw InvalidValue("pointInTimeUTCMillis", "must be at least " + std::to_string(kFirstMillis));
  }
  Selector selector;
  selector.seconds = millis / 1000;
  selector.name = "pointInTimeUTCMillis";
  return selector;
}

Selector ReadSelector(const Call& call, const json::object& body) {
  const bool oplog = body.contains("oplogTs") || body.contains("oplogInc");
  const bool checkpoint = body.contains("checkpointId") || body.contains("checkPointId");
  const int asked = int{body.contains("snapshotId")} + int{oplog} + int{checkpoint} +
                    int{body.contains("pointInTimeUTCMillis")};
  if (asked == 0) {
    throw Refused(400,
                  "MISSING_ONE_OF_MANY_ATTRIBUTES",
                  "One of the attributes {0}, {1}, {2} or {3} must be specified.",
                  {"snapshotId", "checkpointId", "oplogTs", "pointInTimeUTCMillis"});
  }
  if (asked > 1) {
    throw InvalidAttribute(checkpoint ? "checkpointId"
                           : oplog    ? "oplogTs"
                                      : "pointInTimeUTCMillis");
  }
  if (checkpoint) {
    Selector selector;
    selector.checkpoint = true;
    selector.name = "checkpointId";
    return selector;
  }
  if (oplog) {
    return OplogSelector(call, body);
  }
  return body.contains("snapshotId") ? SnapshotSelector(body) : MillisSelector(call, body);
}

[[noreturn]] void RefuseSelector(const Call& call, const Selector& selector) {
  const domain::Cluster cluster = FindCluster(call);
  if (selector.checkpoint) {
    throw Refused(400,
                  "CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS",
                  "Checkpoint restores are not supported for replica sets.");
  }
  RefusePointInTime(call, cluster, Instant{std::chrono::seconds(selector.seconds.value_or(0))});
}

domain::RestoreJob StartDownload(const Call& call,
                                 const Selector& selector,
                                 const service::DownloadRequest& limits) {
  if (!selector.snapshot) {
    RefuseSelector(call, selector);
  }
  service::DownloadRequest request = limits;
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = *selector.snapshot;
  return call.parts.downloads.Start(call.caller, request);
}

domain::RestoreJob StartPush(const Call& call,
                             const Selector& selector,
                             const std::string& method) {
  if (!selector.snapshot) {
    RefuseSelector(call, selector);
  }
  return call.parts.pushes.Start(call.caller,
                                 {.project = ProjectOf(call).id,
                                  .cluster = call.path.Get("clusterName"),
                                  .snapshot = *selector.snapshot,
                                  .method = method});
}

// Who is restored into. Throws what the body lacks.
service::RestoreRequest ReadTarget(const json::object& delivery) {
  service::RestoreRequest request;
  if (!delivery.contains("targetGroupId")) {
    throw MissingAttribute("targetGroupId");
  }
  request.target_project = IdOf<ProjectId>(delivery, "targetGroupId");
  request.target_cluster = StringOf(delivery, "targetClusterName");
  request.target_id = ClusterId::Parse(StringOf(delivery, "targetClusterId"));
  if (!request.target_id && request.target_cluster.empty()) {
    throw Refused(400,
                  "MISSING_ONE_OF_MANY_ATTRIBUTES",
                  "One of the attributes {0} or {1} must be specified.",
                  {"targetClusterName", "targetClusterId"});
  }
  return request;
}

domain::RestoreJob StartAutomated(const Call& call,
                                  const Selector& selector,
                                  service::RestoreRequest request) {
  if (!selector.snapshot) {
    RefuseSelector(call, selector);
  }
  request.project = ProjectOf(call).id;
  request.cluster = call.path.Get("clusterName");
  request.snapshot = *selector.snapshot;
  return call.parts.restores.Start(call.caller, request);
}

domain::RestoreJob Start(const Call& call) {
  const json::object body = ReadBody(call.request, kJobFields);
  const json::object delivery = CheckFields(body.at("delivery").as_object(), kDeliveryFields);
  const Method method = MethodOf(call, StringOf(delivery, "methodName"));
  service::DownloadRequest limits;
  limits.expiration_hours = PositiveOf(call, delivery, "expirationHours", kDefaultHours, kMaxHours);
  limits.max_downloads = PositiveOf(
      call, delivery, "maxDownloads", domain::kUnlimitedDownloads, domain::kUnlimitedDownloads);
  const Selector selector = ReadSelector(call, body);
  if (method == Method::kAutomated) {
    return StartAutomated(call, selector, ReadTarget(delivery));
  }
  const std::string name = StringOf(delivery, "methodName");
  if ((name == "HTTP" || name == "SCP") && !selector.snapshot) {
    throw InvalidAttribute(selector.name);
  }
  return method == Method::kPush ? StartPush(call, selector, name)
                                 : StartDownload(call, selector, limits);
}

// One job, as a list: a sharded cluster would have one for each shard (contract.md 11, row 9).
Reply CreateLegacyRestore(const Call& call) {
  try {
    const domain::RestoreJob job = Start(call);
    return ListReply(call.request, call.query, {RenderLegacyRestore(call, job)}, 1);
  } catch (const service::Refusal& refusal) {
    ThrowOutsideTenant(refusal);
  }
}

}  // namespace

std::span<const Route> LegacyCreateRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kPost,
            "/groups/{groupId}/clusters/{clusterName}/restoreJobs",
            kAtlas,
            kProjectOwner,
            "createGroupClusterRestoreJob",
            CreateLegacyRestore,
            kLegacyVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
