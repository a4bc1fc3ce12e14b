#include <utility>

#include "api/internal/failure.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

using service::Reason;

constexpr std::string_view kRetryAfterSeconds = "5";

// How one reason is told; {0} and {1} stand for the refusal's parameters.
struct Row {
  int status;
  std::string_view code;
  std::string_view text;
};

// contract.md 6, access and objects.
Row AccessRow(Reason reason) {
  switch (reason) {
    case Reason::kGroupNotFound:
      return {404, "GROUP_NOT_FOUND", "No group with ID {0} exists."};
    case Reason::kUserCannotAccessGroup:
      return {401, "USER_CANNOT_ACCESS_GROUP", "Current user is not authorized to access group."};
    case Reason::kUserUnauthorized:
      return {401, "USER_UNAUTHORIZED", "Current user is not authorized to perform this action."};
    case Reason::kKeyNotFound:
      return {404, "KEY_NOT_FOUND", "No key with ID {0} exists."};
    case Reason::kOrganizationNotFound:
      return {404, "ORG_NOT_FOUND", "No organization with ID {0} exists."};
    case Reason::kTooManyOrganizations:
      return {409, "TOO_MANY_ORGANIZATIONS", "There are as many organizations as there may be."};
    case Reason::kLastOwner:
      return {409,
              "CANNOT_REMOVE_LAST_ORG_OWNER",
              "The organization would be left without an owner: nobody could make keys any more."};
    case Reason::kTooManySecrets:
      return {409, "TOO_MANY_SECRETS", "Service account {0} has as many secrets as it may."};
    case Reason::kSecretNotFound:
      return {404, "SECRET_NOT_FOUND", "No secret with ID {0} exists."};
    case Reason::kNotificationNotFound:
      return {404, "NOTIFICATION_NOT_FOUND", "No notification with ID {0} exists."};
    case Reason::kDrillNotFound:
      return {404, "DRILL_NOT_FOUND", "No drill with ID {0} exists for cluster {1}."};
    case Reason::kTooManyNotifications:
      return {409, "TOO_MANY_NOTIFICATIONS", "Group {0} has as many notifications as it may."};
    default:
      CheckFailed("every reason has a row", __FILE__, __LINE__);
  }
}

// contract.md 6, snapshots and restores.
Row RestoreRow(Reason reason) {
  switch (reason) {
    case Reason::kIncompleteSnapshot:
      return {409,
              "CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT",
              "Cannot start restore job for incomplete cluster snapshot."};
    case Reason::kDeletedSnapshot:
      return {409,
              "CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT",
              "Cannot start restore job for deleted snapshot."};
    case Reason::kCannotRestoreToTarget:
      return {403,
              "CANNOT_RESTORE_TO_TARGET",
              "Current user does not have the rights to restore to the target."};
    case Reason::kIncompatibleTopology:
      return {400,
              "TENANT_RESTORE_INCOMPATIBLE_TOPOLOGY",
              "Cluster {0} is sharded; snapshots are restored between replica sets only."};
    case Reason::kDestinationEncryption:
      return {400,
              "TENANT_RESTORE_DESTINATION_ENCRYPTION",
              "Cannot restore to cluster {0} because it has encryption at rest enabled."};
    case Reason::kVersionMismatch:
      return {400,
              "TENANT_RESTORE_VERSION_MISMATCH",
              "The snapshot's MongoDB version {0} does not match the target's version {1}."};
    case Reason::kClusterPaused:
      return {
          400, "CLUSTER_PAUSED_CANNOT_RESTORE", "Cluster {0} is paused and cannot be restored to."};
    case Reason::kDestinationUnavailable:
      return {400,
              "TENANT_RESTORE_DESTINATION_UNAVAILABLE",
              "Cluster {0} cannot be restored to at the moment. Try again later."};
    case Reason::kRestoreInProgress:
      return {409,
              "ATLAS_CLUSTER_RESTORE_IN_PROGRESS",
              "A restore involving cluster {0} is already in progress."};
    case Reason::kUnfinishedSnapshot:
      return {400,
              "UNFINISHED_ON_DEMAND_SNAPSHOT",
              "An on-demand snapshot of cluster {0} is already queued or in progress."};
    default:
      return AccessRow(reason);
  }
}

// Backup compliance policies.
Row ComplianceRow(Reason reason) {
  switch (reason) {
    case Reason::kSnapshotCompliance:
      return {400,
              "CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY",
              "Snapshots cannot be deleted while a Backup Compliance Policy is enabled."};
    case Reason::kRetentionCompliance:
      return {
          400,
          "CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY",
          "Snapshot retention cannot be decreased while a Backup Compliance Policy is enabled."};
    case Reason::kSchedulesTooWeak:
      return {400,
              "BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS",
              "The backup policy does not meet the Backup Compliance Policy: {0}."};
    case Reason::kComplianceWeakened:
      return {400,
              "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY",
              "A Backup Compliance Policy can be neither weakened nor disabled: {0}."};
    case Reason::kProjectCompliance:
      return {409,
              "CANNOT_CLOSE_GROUP_WITH_BACKUP_COMPLIANCE_POLICY",
              "Group {0} cannot be deleted while a Backup Compliance Policy is enabled."};
    default:
      CheckFailed("every reason has a row", __FILE__, __LINE__);
  }
}

// contract.md 9.
Row DownloadRow(Reason reason) {
  switch (reason) {
    case Reason::kDownloadIncomplete:
      return {409,
              "CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT",
              "Cannot download a snapshot that is not completed."};
    case Reason::kDownloadNotFound:
      return {404, "DOWNLOAD_NOT_FOUND", "There is no such download, or the key is another one."};
    case Reason::kDownloadExpired:
      return {410, "DOWNLOAD_EXPIRED", "The download has expired. Ask for another one."};
    case Reason::kDownloadUsedUp:
      return {
          403, "MAX_DOWNLOADS_EXCEEDED", "The archive has been downloaded as often as allowed."};
    default:
      CheckFailed("every reason has a row", __FILE__, __LINE__);
  }
}

// Exports into buckets. Atlas tells the codes of buckets only (contract.md 6).
Row ExportRow(Reason reason) {
  switch (reason) {
    case Reason::kExportBucketNotFound:
      return {404, "EXPORT_BUCKET_NOT_FOUND", "No export bucket with ID {0} exists."};
    case Reason::kExportBucketName:
      return {400, "EXPORT_BUCKET_NAME_INVALID", "Export bucket {0} cannot be used: {1}."};
    case Reason::kExportBucketInUse:
      return {400,
              "EXPORT_BUCKET_DELETE_FAILED",
              "Export bucket {0} cannot be deleted: an unfinished export or the schedule of a "
              "cluster writes to it."};
    case Reason::kExportNotFound:
      return {404, "EXPORT_JOB_NOT_FOUND", "No export job with ID {0} exists for cluster {1}."};
    case Reason::kExportIncomplete:
      return {409,
              "CANNOT_EXPORT_INCOMPLETE_SNAPSHOT",
              "Snapshot {0} cannot be exported because it is not completed."};
    case Reason::kExportInProgress:
      return {409, "EXPORT_IN_PROGRESS", "An export of snapshot {0} is already in progress."};
    case Reason::kExportFinished:
      return {409, "EXPORT_FINISHED", "Export job {0} has finished already."};
    case Reason::kExportTargetNotFound:
      return {404, "EXPORT_TARGET_NOT_FOUND", "No export target with ID {0} exists."};
    case Reason::kExportTargetInUse:
      return {409, "EXPORT_TARGET_IN_USE", "An export bucket named {0} stands for the target."};
    default:
      CheckFailed("every reason has a row", __FILE__, __LINE__);
  }
}

// The exhaustive one: a new enumerator stops it from compiling.
Row RowOf(Reason reason) {
  switch (reason) {
    case Reason::kClusterNotFound:
      return {404, "CLUSTER_NOT_FOUND", "No cluster named {0} exists in group {1}."};
    case Reason::kTenantSnapshotNotFound:
      return {404, "TENANT_SNAPSHOT_NOT_FOUND", "No snapshot with ID {0} exists for cluster {1}."};
    case Reason::kTenantRestoreNotFound:
      return {404, "TENANT_RESTORE_NOT_FOUND", "No restore with ID {0} exists for cluster {1}."};
    case Reason::kSnapshotNotFound:
      return {404, "SNAPSHOT_NOT_FOUND", "No snapshot with ID {0} exists for cluster {1}."};
    case Reason::kRestoreJobNotFound:
      return {404, "RESTORE_JOB_NOT_FOUND", "No restore job with ID {0} exists for cluster {1}."};
    case Reason::kNameTaken:
      return {409, "NAME_TAKEN", "The name {0} is taken."};
    case Reason::kSnapshotInUse:
      return {409,
              "SNAPSHOT_IN_USE",
              "Snapshot {0} is needed by a restore job that is unfinished or can be downloaded."};
    case Reason::kSnapshotProtected:
      return {403,
              "CANNOT_MODIFY_SNAPSHOT",
              "Snapshot {0} cannot be modified: it is not to be deleted, or in use."};
    case Reason::kProjectInUse:
      return {409, "PROJECT_IN_USE", "Project {0} has registered clusters or unfinished jobs."};
    case Reason::kInvalidValue:
      return {400, "VALIDATION_ERROR", "The value of {0} is not valid."};
    case Reason::kClusterBusy:
      return {409, "CLUSTER_BUSY", "Cluster {0} has an unfinished job."};
    case Reason::kGroupNotFound:
    case Reason::kUserCannotAccessGroup:
    case Reason::kUserUnauthorized:
    case Reason::kKeyNotFound:
    case Reason::kOrganizationNotFound:
    case Reason::kTooManyOrganizations:
    case Reason::kLastOwner:
    case Reason::kTooManySecrets:
    case Reason::kSecretNotFound:
    case Reason::kNotificationNotFound:
    case Reason::kDrillNotFound:
    case Reason::kTooManyNotifications:
      return AccessRow(reason);
    case Reason::kDownloadIncomplete:
    case Reason::kDownloadNotFound:
    case Reason::kDownloadExpired:
    case Reason::kDownloadUsedUp:
      return DownloadRow(reason);
    case Reason::kSnapshotCompliance:
    case Reason::kRetentionCompliance:
    case Reason::kSchedulesTooWeak:
    case Reason::kComplianceWeakened:
    case Reason::kProjectCompliance:
      return ComplianceRow(reason);
    case Reason::kExportBucketNotFound:
    case Reason::kExportBucketName:
    case Reason::kExportBucketInUse:
    case Reason::kExportNotFound:
    case Reason::kExportIncomplete:
    case Reason::kExportFinished:
    case Reason::kExportInProgress:
    case Reason::kExportTargetNotFound:
    case Reason::kExportTargetInUse:
      return ExportRow(reason);
    case Reason::kIncompleteSnapshot:
    case Reason::kDeletedSnapshot:
    case Reason::kCannotRestoreToTarget:
    case Reason::kIncompatibleTopology:
    case Reason::kDestinationEncryption:
    case Reason::kVersionMismatch:
    case Reason::kClusterPaused:
    case Reason::kDestinationUnavailable:
    case Reason::kRestoreInProgress:
    case Reason::kUnfinishedSnapshot:
      return RestoreRow(reason);
  }
  CheckFailed("every reason has a row", __FILE__, __LINE__);
}

// One pass, so that a parameter that looks like a placeholder stays what it is.
std::string Expand(std::string_view text, const std::vector<std::string>& parameters) {
  std::string out;
  while (!text.empty()) {
    const bool mark = text.size() >= 3 && text[0] == '{' && text[2] == '}';
    if (!mark) {
      out.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    const auto index = static_cast<std::size_t>(text[1] - '0');
    out += index < parameters.size() ? parameters[index] : std::string();
    text.remove_prefix(3);
  }
  return out;
}

Failure RefusalFailure(const service::Refusal& refusal) {
  const Row row = RowOf(refusal.reason());
  Failure failure;
  failure.status = row.status;
  failure.code = row.code;
  failure.parameters = refusal.parameters();
  failure.detail = Expand(row.text, refusal.parameters());
  if (refusal.reason() == Reason::kInvalidValue && !refusal.parameters().empty()) {
    failure.fields.push_back({refusal.parameters().front(), std::string(refusal.message())});
  }
  return failure;
}

Failure UnavailableFailure() {
  Failure failure;
  failure.status = 503;
  failure.code = "SERVICE_UNAVAILABLE";
  failure.detail = "The service is temporarily unavailable. Try again later.";
  failure.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return failure;
}

RequestError Make(int status,
                  std::string_view code,
                  std::string_view text,
                  std::vector<std::string> parameters = {}) {
  Failure failure;
  failure.status = status;
  failure.code = code;
  failure.detail = Expand(text, parameters);
  failure.parameters = std::move(parameters);
  return RequestError(std::move(failure));
}

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 404:
      return ErrorCode::kNotFound;
    case 413:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kInvalidArgument;
  }
}

}  // namespace

RequestError::RequestError(Failure failure)
    : Error(CodeOfStatus(failure.status), "answering a request: " + failure.code),
      failure_(std::move(failure)) {}

Failure UnexpectedFailure(std::string_view request_id) {
  Failure failure;
  failure.code = "UNEXPECTED_ERROR";
  failure.detail =
      "Unexpected error; the server's log has it under request " + std::string(request_id) + ".";
  return failure;
}

Failure FailureOf(const Error& error, std::string_view request_id) {
  if (const auto* own = dynamic_cast<const RequestError*>(&error)) {
    return own->failure();
  }
  if (const auto* refusal = dynamic_cast<const service::Refusal*>(&error)) {
    return RefusalFailure(*refusal);
  }
  switch (error.code()) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kCancelled:
      return UnavailableFailure();
    // What reaches here is not the caller's doing: a wrong request is a RequestError or a Refusal.
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kConflict:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kCorrupt:
    case ErrorCode::kUnsupported:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return UnexpectedFailure(request_id);
  }
  CheckFailed("every error code has an answer", __FILE__, __LINE__);
}

RequestError MakeFailure(int status,
                         std::string_view code,
                         std::string_view text,
                         std::vector<std::string> parameters) {
  return Make(status, code, text, std::move(parameters));
}

RequestError ResourceNotFound(std::string_view path) {
  return Make(404, "RESOURCE_NOT_FOUND", "Cannot find resource {0}.", {std::string(path)});
}

RequestError MethodNotAllowed(std::string allow) {
  Failure failure;
  failure.status = 405;
  failure.code = "METHOD_NOT_ALLOWED";
  failure.detail = "The resource does not support this method; it supports " + allow + ".";
  failure.headers.emplace_back("Allow", std::move(allow));
  return RequestError(std::move(failure));
}

RequestError InvalidGroupId(const std::string& id) {
  return InvalidPathId("INVALID_GROUP_ID", id);
}

RequestError InvalidPathId(std::string_view code, const std::string& id) {
  return Make(404, code, "An invalid ID {0} was specified.", {id});
}

RequestError InvalidVersion() {
  return Make(406, "INVALID_VERSION_DATE", "Invalid accept header or version date.");
}

RequestError InvalidQueryParameter(std::string_view name) {
  return Make(400,
              "INVALID_QUERY_PARAMETER",
              "Invalid query parameter {0} specified.",
              {std::string(name)});
}

RequestError PayloadTooLarge() {
  return Make(413, "PAYLOAD_TOO_LARGE", "The request body is too large.");
}

RequestError UnsupportedMediaType() {
  return Make(415,
              "UNSUPPORTED_MEDIA_TYPE",
              "The request body must be application/json or application/vnd.atlas.<date>+json.");
}

RequestError MalformedJson() {
  return Make(400, "MALFORMED_JSON", "Received JSON is malformed.");
}

RequestError NotAJsonObject() {
  return Make(400, "INVALID_JSON", "Received JSON is not an object.");
}

RequestError InvalidAttribute(std::string_view name) {
  return Make(400, "INVALID_ATTRIBUTE", "Invalid attribute {0} specified.", {std::string(name)});
}

RequestError MissingAttribute(std::string_view name) {
  return Make(400,
              "MISSING_ATTRIBUTE",
              "The required attribute {0} was not specified.",
              {std::string(name)});
}

RequestError InvalidJsonAttribute(std::string_view name, std::string_view expected) {
  return Make(400,
              "INVALID_JSON_ATTRIBUTE",
              "Received JSON for the {0} attribute does not match expected format: " +
                  std::string(expected) + ".",
              {std::string(name)});
}

RequestError InvalidValue(std::string_view name, std::string_view rule) {
  Failure failure;
  failure.status = 400;
  failure.code = "VALIDATION_ERROR";
  failure.detail = "The value of " + std::string(name) + " is not valid.";
  failure.parameters.emplace_back(name);
  failure.fields.push_back({std::string(name), std::string(rule)});
  return RequestError(std::move(failure));
}

RequestError RangeNotSatisfiable(std::uint64_t size) {
  Failure failure;
  failure.status = 416;
  failure.code = "RANGE_NOT_SATISFIABLE";
  failure.detail = "The archive has " + std::to_string(size) + " bytes.";
  failure.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
  return RequestError(std::move(failure));
}

RequestError Refused(int status,
                     std::string_view code,
                     std::string_view text,
                     std::vector<std::string> parameters) {
  return Make(status, code, text, std::move(parameters));
}

}  // namespace tidemark::api
