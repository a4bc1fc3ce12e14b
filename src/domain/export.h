#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"

// Snapshots that are copied into somebody's object storage (docs/exports.md).
namespace tidemark::domain {

using ExportTargetId = TypedId<struct ExportTargetTag>;
using ExportBucketId = TypedId<struct ExportBucketTag>;
using ExportId = TypedId<struct ExportTag>;

// Persistent: never renumber.
enum class ExportTargetKind { kS3 = 0, kDirectory = 1 };

// A bucket that the operator has told us how to reach: what Atlas knows by a role at the provider.
struct ExportTarget {
  ExportTargetId id;
  ProjectId project;
  std::string bucket;  // its name there; unique in the project
  ExportTargetKind kind = ExportTargetKind::kS3;
  std::string endpoint;       // "https://host:port"; S3 only, like what follows
  std::string region;         // that requests are signed for
  std::string access_key;     // the public half
  std::string sealed_secret;  // the secret half, as the repository has sealed it
  Instant created;
};

// Persistent: never renumber.
enum class ExportProvider { kAws = 0, kAzure = 1, kGcp = 2 };

// What the Atlas API calls an export bucket: it stands for the target of its name. Role, service
// and tenant are kept and shown; they decide nothing here.
struct ExportBucket {
  ExportBucketId id;
  ProjectId project;
  ExportProvider provider = ExportProvider::kAws;
  std::string bucket;       // of an ExportTarget
  std::string role;         // 24 hex digits
  std::string service_url;  // Azure only, like the tenant
  std::string tenant;
  std::string region;  // of the target when the bucket was made
  bool require_private_networking = false;
  Instant created;
};

// Persistent: never renumber. Below kSuccessful: unfinished.
enum class ExportState {
  kQueued = 1,
  kInProgress = 2,
  kSuccessful = 3,
  kFailed = 4,
  kCancelled = 5
};

inline bool IsFinal(ExportState state) {
  return state >= ExportState::kSuccessful;
}

struct ExportJob {
  ExportId id;
  ProjectId project;
  ClusterId cluster;
  std::string cluster_name;      // at creation, like the next
  std::string replica_set_name;  // that files are named after
  SnapshotId snapshot;
  ExportBucketId bucket;
  ExportState state = ExportState::kQueued;
  std::string prefix;       // that all its objects' keys begin with
  std::string custom_data;  // JSON array of {key, value}; empty: none
  std::int64_t collections = 0;
  Instant created;
  std::optional<Instant> finished;
  std::string failure;  // for people; empty when nothing failed
  KeyId requested_by;   // zero: by the schedule of the cluster

  bool IsScheduled() const { return requested_by.IsZero(); }
};

}  // namespace tidemark::domain
