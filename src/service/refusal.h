#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace tidemark::service {

// Why a use case says no, in the order and words of contract.md 6 and 8. One enumerator per Atlas
// error code; the api folder gives each its HTTP status and text. Not persistent.
enum class Reason {
  kGroupNotFound,           // [groupId]
  kUserCannotAccessGroup,   // []
  kUserUnauthorized,        // []
  kClusterNotFound,         // [name, groupId]
  kTenantSnapshotNotFound,  // [snapshotId, cluster]
  kTenantRestoreNotFound,   // [restoreId, cluster]
  kSnapshotNotFound,        // [snapshotId, cluster]  (own API)
  kRestoreJobNotFound,      // [jobId, cluster]
  kIncompleteSnapshot,      // [] CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT
  kDownloadIncomplete,      // [] CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT
  kDownloadNotFound,        // [] no such job, another key, or another file
  kDownloadExpired,         // []
  kDownloadUsedUp,          // []
  kDeletedSnapshot,         // [] CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT
  kCannotRestoreToTarget,   // []
  kIncompatibleTopology,    // [name] TENANT_RESTORE_INCOMPATIBLE_TOPOLOGY
  kDestinationEncryption,   // [name] TENANT_RESTORE_DESTINATION_ENCRYPTION
  kVersionMismatch,         // [snapshot version, target version] TENANT_RESTORE_VERSION_MISMATCH
  kClusterPaused,           // [name] CLUSTER_PAUSED_CANNOT_RESTORE
  kDestinationUnavailable,  // [name] TENANT_RESTORE_DESTINATION_UNAVAILABLE
  kRestoreInProgress,       // [name] ATLAS_CLUSTER_RESTORE_IN_PROGRESS
  kNameTaken,               // [name] own API: cluster or project exists
  kSnapshotInUse,           // [id] own API: a restore job needs it
  kSnapshotProtected,       // [id] CANNOT_MODIFY_SNAPSHOT
  kKeyNotFound,             // [id] own API
  kOrganizationNotFound,    // [id] own API
  kTooManyOrganizations,    // [] own API
  kLastOwner,               // [] own API: the organization would be left without an owner
  kTooManySecrets,          // [id] own API: the service account has two
  kSecretNotFound,          // [id] own API
  kDrillNotFound,           // [id, cluster] own API
  kNotificationNotFound,    // [id] own API
  kTooManyNotifications,    // [project] own API
  kProjectInUse,            // [id] own API: it has registered clusters or unfinished jobs
  kSnapshotCompliance,      // [] CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY
  kRetentionCompliance,     // [] CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY
  kSchedulesTooWeak,      // [why] BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS
  kComplianceWeakened,    // [why] a backup compliance policy is not weakened or disabled
  kProjectCompliance,     // [id] the project has a backup compliance policy
  kExportBucketNotFound,  // [id] EXPORT_BUCKET_NOT_FOUND
  kExportBucketName,      // [name, why] EXPORT_BUCKET_NAME_INVALID
  kExportBucketInUse,     // [id] EXPORT_BUCKET_DELETE_FAILED
  kExportNotFound,        // [id, cluster]
  kExportIncomplete,      // [snapshotId] it is not completed
  kExportFinished,        // [id] own API: there is nothing left to cancel
  kExportInProgress,      // [snapshotId] a snapshot has one unfinished export at most
  kExportTargetNotFound,  // [id] own API
  kExportTargetInUse,     // [bucket] own API: a bucket stands for it
  kInvalidValue,          // [name] own API: VALIDATION_ERROR; message says what is right
  kUnfinishedSnapshot,    // [cluster] UNFINISHED_ON_DEMAND_SNAPSHOT
  kClusterBusy,  // [name] own API: a restore is wiping the cluster / the cluster has unfinished
                 // jobs
};

// The exception of a refused use case. `code()` is the base code that goes with the reason.
class Refusal : public Error {
 public:
  Refusal(Reason reason,
          ErrorCode code,
          const std::string& message,
          std::vector<std::string> parameters = {})
      : Error(code, message), reason_(reason), parameters_(std::move(parameters)) {}

  Reason reason() const { return reason_; }

  const std::vector<std::string>& parameters() const { return parameters_; }

 private:
  Reason reason_;
  std::vector<std::string> parameters_;
};

}  // namespace tidemark::service
